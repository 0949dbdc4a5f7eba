"""The verdict: vanishing, exploding, healthy or not needed, with its numbers and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from unrolled.diagnosis.remedy import Remedy
from unrolled.diagnosis.result import Result

Kind = Literal["vanishing", "exploding", "healthy", "not needed"]


@dataclass(frozen=True, slots=True)
class Verdict(Result):
    """What a diagnosis comes to.

    Attributes:
        kind: the verdict in a word.
        sentence: the verdict in one sentence, with the number that decided it.
        numbers: the numbers that led to it, by name.
        remedies: what to do about it, the most promising first; none where nothing is wrong.
    """

    kind: Kind
    sentence: str
    numbers: Mapping[str, float]
    remedies: tuple[Remedy, ...] = ()
