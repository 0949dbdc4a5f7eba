"""The verdict: vanishing, exploding, healthy or not needed, with its numbers and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Any, Literal

from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.context import OrderTest
from unrolled.diagnosis.decay import rate_of, reach_of
from unrolled.diagnosis.jacobian import Jacobians
from unrolled.diagnosis.remedies import Case, exploding, healthy, vanishing
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


VANISHED, EXPLODED = 0.01, 10.0
"""What is left of an error at the longest lag: below the one it vanishes, above the other it explodes."""


def conclude(
    decays: Mapping[str, Sequence[float]],
    settings: Mapping[str, Any],
    *,
    spectra: Sequence[Jacobians] = (),
    order: OrderTest | None = None,
    clipping: ClippingUse | None = None,
) -> Verdict:
    """Say what is the matter with a network and what to do about it.

    - not needed: shuffling the elements of the sequences costs next to nothing (`OrderTest.nothing_lost`);
    - exploding: in some layer an error is more than ten times as large when it has gone all the way back;
    - vanishing: in no layer is as much as a hundredth of it left then; or it is, but by the Lyapunov
      exponents an error in any other direction than a single one vanishes;
    - healthy: none of these.

    Args:
        decays: what is left of an error by lag, for each layer and direction (`GradientFlow.decay`).
        settings: the options of the task, as far as there are any; a remedy needs every option it changes.
        spectra: the Jacobians of each layer and direction, where they were measured.
        order: what is lost by shuffling.
        clipping: of the training run; suggests a threshold.

    Example:
        >>> verdict = conclude({"l0": [0.5**lag for lag in range(50)]}, {"cell": "rnn", "chrono": None})
        >>> verdict.kind, verdict.remedies[0].flag
        ('vanishing', '--cell lstm --chrono 50')
    """
    known = {layer: decay for layer, decay in decays.items() if len(decay) > 1}
    numbers: dict[str, float] = {}
    if order is not None:
        numbers |= {"loss": order.ordered, "loss when shuffled": order.ordered + order.lost}
        if order.chance is not None:
            numbers["loss of the best constant answer"] = order.chance
    if clipping is not None:
        numbers |= {"mean gradient norm": clipping.mean, "share of updates clipped": clipping.clipped}
    if order is not None and order.nothing_lost:
        return Verdict("not needed", _not_needed(order), numbers)
    if not known:
        return Verdict("healthy", "No sequence is long enough for an error to go back a step.", numbers)

    layer, decay = max(known.items(), key=lambda item: item[1][-1])
    left, lag = decay[-1], len(decay) - 1
    vanished = reach_of(decay, VANISHED)
    numbers |= {"lag": lag, "left at that lag": left, "factor per step": rate_of(decay)}
    if vanished is not None:
        numbers["lag at which a hundredth is left"] = vanished
    told = f"after {lag} steps {_left(left)}, a factor of {rate_of(decay):.3g} a step"
    case = Case(settings, decay, clipping)
    # NaN is an explosion too.
    kind: Kind = "exploding" if not left <= EXPLODED else "vanishing" if left < VANISHED else "healthy"
    alone = _second_factor(spectra, lag)
    if kind == "healthy" and alone is not None:
        kind = "vanishing"
        numbers["factor per step in the second direction"] = alone
        told += f", but in a single direction; in any other it vanishes, by a factor of {alone:.3g} a step"
    sentence, remedies = _OUTCOMES[kind]
    return Verdict(kind, f"{sentence}: {told} ({layer}).", numbers, remedies(case))


_OUTCOMES = {
    "exploding": ("The error explodes on its way back", exploding),
    "vanishing": ("The error vanishes on its way back", vanishing),
    "healthy": ("The error keeps its size on its way back", healthy),
}
_FEW = 8
"""In a state of fewer numbers a single direction is no small part."""


def _second_factor(spectra: Sequence[Jacobians], lag: int) -> float | None:
    """The factor per step in the second direction, where an error lives on in one at most in every layer."""
    wide = [each.lyapunov for each in spectra if len(each.lyapunov) >= _FEW]
    if not wide or len(wide) < len(spectra):
        return None
    second = max(exponents[1] for exponents in wide)
    return exp(second) if second * lag < log(VANISHED) else None


def _not_needed(order: OrderTest) -> str:
    return (
        f"Shuffling the elements of each sequence costs next to nothing (loss {order.ordered:.4g}, shuffled "
        f"{order.ordered + order.lost:.4g}): this data does not need a recurrent network."
    )


def _left(share: float) -> str:
    if share > 1.1:
        return f"an error is {share:.3g} times as large"
    return f"{share:.0%} of an error is left" if share >= 0.01 else f"{share:.1e} of an error is left"
