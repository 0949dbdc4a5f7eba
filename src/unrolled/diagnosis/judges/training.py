"""What did training go through?"""

from __future__ import annotations

from math import isfinite

from unrolled.diagnosis.clipping import ClippingUse
from unrolled.diagnosis.course import Course
from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Finding
from unrolled.diagnosis.remedies import diverged, exploding

_ROSE = 1.5
"""A training loss that ends so many times as high as it was at its lowest, and no lower than it began."""
_SETBACK = 0.25
"""By what share the loss rises after a spike that undid what was learned."""
_SPIKED, _WILD = 30.0, 1e3
"""How large a norm is over the usual one: that may do harm without clipping, and that surely does."""
_HELD_BACK = 0.99
_BARELY = 0.05


def training(evidence: Evidence) -> Finding:
    """Divergence, spikes of the gradient's norm that nothing held back."""
    course, clipping = evidence.course, evidence.clipping
    numbers: dict[str, float] = {}
    grounds: list[str] = []
    if course is not None and course.epochs:
        numbers |= {"epochs": course.epochs, "training loss at the end": course.last}
        grounds.append(_went(course))
    if clipping is not None:
        numbers |= {
            "typical gradient norm": clipping.typical,
            "mean gradient norm": clipping.mean,
            "largest gradient norm": clipping.quantiles[-1],
            "share of updates clipped": clipping.clipped,
        }
        grounds.append(
            f"the gradient's norm was typically {clipping.typical:.3g} and at most "
            f"{clipping.quantiles[-1]:.3g}; {clipping.clipped:.0%} of the updates were clipped"
        )
    ground = "; ".join(grounds)
    told = f"{ground[0].upper()}{ground[1:]}." if ground else ""
    if course is not None and _diverged(course, evidence):
        sentence = (
            f"Training diverged: its loss was {course.lowest:.4g} at best and {course.last:.4g} at the end."
        )
        return Finding(told, numbers, "diverged", sentence, diverged(evidence))
    burst = None if clipping is None else _burst(clipping, course, evidence)
    if burst is not None:
        return Finding(told, numbers | burst[0], "exploding", burst[1], exploding(evidence))
    return Finding(told, numbers)


def _went(course: Course) -> str:
    ended = "still getting better when it ended" if course.unfinished else "no longer getting better"
    epochs = "1 epoch" if course.epochs == 1 else f"{course.epochs} epochs"
    return f"training took {epochs}, {ended}; its loss went from {course.first:.4g} to {course.last:.4g}"


def _diverged(course: Course, evidence: Evidence) -> bool:
    if course.epochs and not isfinite(course.last):
        return True
    rose = course.last > _ROSE * course.lowest and course.last >= course.first
    return rose and course.lowest > 0 and not evidence.sound


def _burst(
    clipping: ClippingUse, course: Course | None, evidence: Evidence
) -> tuple[dict[str, float], str] | None:
    """The gradient exploded in training, and clipping did not hold it back."""
    largest, typical = clipping.quantiles[-1], clipping.typical
    factor = max(largest / typical if typical > 0 else 1.0, course.worst if course is not None else 1.0)
    setback = 0.0 if course is None else course.setback
    if evidence.settings.get("clip") not in (None, "none") and clipping.clipped > 0:
        return None  # what is clipped cannot throw the weights away
    harmed = setback >= _SETBACK and factor >= _SPIKED
    hopeless = not evidence.sound and factor >= _SPIKED
    wild = factor >= _WILD and evidence.learned is not True
    if not (harmed or hopeless or wild) or (evidence.sound and setback < _SETBACK):
        return None
    numbers = {"largest over typical norm": factor}
    sentence = (
        f"The gradient exploded in training: its norm was {largest:.3g} at most, {factor:.3g} times what was "
        "usual, and nothing was clipped"
    )
    if setback >= _SETBACK:
        numbers["rise of the loss after it"] = setback
        sentence += f"; the loss rose by {setback:.0%} right after"
    return numbers, f"{sentence}."
