"""The verdict: what is the matter with a network, with its grounds, its numbers and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Kind
from unrolled.diagnosis.judges import JUDGES
from unrolled.diagnosis.remedy import Remedy
from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class Verdict(Result):
    """What a diagnosis comes to.

    Attributes:
        kind: the verdict in a word.
        sentence: the verdict in one sentence, with the number that decided it.
        numbers: the numbers that led to it, by name.
        remedies: what to do about it, the most promising first; none where nothing is wrong.
        grounds: what the evidence says, in the order in which it was weighed, a sentence or two each.
    """

    kind: Kind
    sentence: str
    numbers: Mapping[str, float]
    remedies: tuple[Remedy, ...] = ()
    grounds: tuple[str, ...] = field(default=())


def judged(evidence: Evidence) -> Verdict:
    """Weigh the evidence; the first judge who can decide decides, and all of them say what they found.

    They are asked in this order: can it be measured; does it learn; what did training go through; how far
    back does it use its input, and is there something to use; and last, what of an error reaches so far.
    What is left of an error at the longest lag means nothing unless something is needed from there.
    """
    findings = [judge(evidence) for judge in JUDGES]
    decided = next(each for each in findings if each.kind is not None)
    assert decided.kind is not None
    # What the later judges measured stands beside it, but does not speak against it.
    numbers = {name: value for each in findings for name, value in each.numbers.items()}
    grounds = tuple(each.ground for each in findings if each.ground)
    return Verdict(decided.kind, decided.sentence, numbers, decided.remedies, grounds)


def conclude(
    decays: Mapping[str, Sequence[float]], settings: Mapping[str, Any] | None = None, **known: Any
) -> Verdict:
    """Say what is the matter with a network and what to do about it: `judged`, written in short.

    Args:
        decays: what is left of an error of the whole state by lag, for each layer and direction
            (`GradientFlow.decay`).
        settings: the options of the task, as far as there are any; a remedy needs every option it changes.
        known: all else that is known, under the names of `Evidence`; what is missing is not weighed.

    Example:
        >>> verdict = conclude({"l0": [0.5**lag for lag in range(50)]}, {"cell": "rnn", "chrono": None})
        >>> verdict.kind, verdict.remedies[0].flag
        ('vanishing', '--cell lstm --chrono 50')
    """
    return judged(Evidence(decays, settings or {}, **known))
