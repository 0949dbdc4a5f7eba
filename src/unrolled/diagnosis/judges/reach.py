"""What of an error reaches how far back, by layer and direction?"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from unrolled.diagnosis.decay import rate_of, reach_of
from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.finding import Finding, Kind
from unrolled.diagnosis.jacobian import Jacobians
from unrolled.diagnosis.judges.wording import share_left, steps
from unrolled.diagnosis.remedies import exploding, healthy, undecided, vanishing
from unrolled.diagnosis.remedy import Remedy

VANISHED, EXPLODED = 0.01, 10.0
"""What is left of an error on its way back: below the one it has vanished, above the other it explodes."""
_HALF = 0.5
"""What keeps no more of its size, or grows to more than its inverse, is not said to keep it."""
_FEW = 8
"""In a state of fewer numbers a single direction is no small part."""
_MIDWAY = 0.25
"""With so large a share of its gain in the last epoch, training was ended on the way."""
_SOLVED = 0.1
"""Of the loss of the best constant answer, or of its start: with less a network has little left to gain."""


class Way(NamedTuple):
    """The best way that an error has back in one direction: the layer that keeps most of it."""

    layer: str
    decay: Sequence[float]

    @property
    def lag(self) -> int:
        """The farthest lag."""
        return len(self.decay) - 1


def reach(evidence: Evidence) -> Finding:
    """The last word: whether what is needed is reached, and where that is not known, what an error meets."""
    if not evidence.known:
        return Finding(kind="undecided", sentence="No error was measured.")
    ways = _ways(evidence)
    worst = min(ways, key=lambda way: min(way.decay))
    loudest = Way(*max(evidence.known.items(), key=lambda item: max(item[1])))
    numbers = _numbers(worst)
    ground = " ".join(map(_told, ways))
    kind, sentence, remedies = _judged(evidence, worst, loudest, numbers)
    if kind == "vanishing" and len(ways) > 1:
        sentence += _elsewhere(ways, worst)
    return Finding(ground, numbers, kind, sentence, remedies)


def _ways(evidence: Evidence) -> list[Way]:
    """Of each direction the layer that keeps most: an error comes to its input on the way of any above."""
    ways = []
    for backwards in (False, True):
        own = [Way(*item) for item in evidence.known.items() if item[0].endswith("_reverse") == backwards]
        if own:
            ways.append(max(own, key=lambda way: (min(way.decay), way.decay[-1])))
    return ways


def _numbers(way: Way) -> dict[str, float]:
    numbers = {
        "lag": float(way.lag),
        "left at that lag": way.decay[-1],
        "factor per step": rate_of(way.decay),
    }
    vanished = reach_of(way.decay, VANISHED)
    if vanished is not None:
        numbers["lag at which a hundredth is left"] = vanished
    return numbers


def _told(way: Way) -> str:
    said = f"After {steps(way.lag)} {share_left(way.decay[-1])}, a factor of {rate_of(way.decay):.3g} a step"
    high, low = max(way.decay), min(way.decay)
    if high > max(EXPLODED, 2 * way.decay[-1]):
        said += f"; after {steps(way.decay.index(high))} it is {high:.3g} times as large"
    if low < min(VANISHED, way.decay[-1] / 2):
        said += f"; after {steps(way.decay.index(low))} {low:.1e} of it"
    return f"{said} ({way.layer})."


def _judged(
    evidence: Evidence, worst: Way, loudest: Way, numbers: dict[str, float]
) -> tuple[Kind, str, tuple[Remedy, ...]]:
    found, learned = evidence.need, evidence.learned
    # What has learned did so from what lies near; what has not may have more to learn there than far off.
    needed = None if found is None else found.farthest if learned else found.lag
    if evidence.sound and (needed is None or evidence.direct or not _out_of_reach(worst, needed)):
        if _midway(evidence):
            return "undecided", _ended_midway(evidence), undecided(evidence)
        return "healthy", _sound(evidence, worst), healthy(evidence)
    if needed is not None and _out_of_reach(worst, needed) and not evidence.direct:
        left = worst.decay[min(needed, worst.lag)]
        numbers["left where there is something to use"] = left
        gain = found.gain_at(needed) if found is not None else 0.0
        sentence = (
            f"The error vanishes before it reaches what there is to use: {steps(needed)} back, where a probe "
            f"lowers the loss by {gain:.3g}, {share_left(left)} ({worst.layer})."
        )
        farthest = needed if found is None else found.farthest or needed
        return "vanishing", sentence, vanishing(evidence, farthest)
    if learned:
        assert evidence.learning is not None or evidence.order is not None
        return _learned(evidence, worst)
    high = max(loudest.decay)
    if not high <= EXPLODED:
        lag = loudest.decay.index(high)
        sentence = (
            f"The error explodes on its way back: after {steps(lag)} {share_left(high)} ({loudest.layer})."
        )
        return "exploding", sentence, exploding(evidence)
    low = min(worst.decay)
    near = needed is not None and not _out_of_reach(worst, needed)
    if low < VANISHED and not evidence.direct and not near:
        return "vanishing", _vanished(worst, low), vanishing(evidence, worst.lag)
    # What survives in a single direction tells when, not what: it serves no network that has learned nothing.
    # One whose training was ended on the way may yet learn from what lies near.
    stuck = learned is False and not _midway(evidence)
    single = not evidence.direct and (stuck or not near)
    alone = _second_factor(evidence.spectra, worst.lag) if single else None
    if alone is not None:
        numbers["factor per step in the second direction"] = alone
        sentence = (
            f"After {steps(worst.lag)} {share_left(worst.decay[-1])}, but in a single direction; in any "
            f"other the error vanishes, by a factor of {alone:.3g} a step ({worst.layer})."
        )
        return "vanishing", sentence, vanishing(evidence, worst.lag)
    if learned is False:
        return "undecided", _not_learned(evidence, worst), undecided(evidence)
    return "healthy", _arriving(evidence, worst), healthy(evidence)


def _elsewhere(ways: list[Way], worst: Way) -> str:
    """What becomes of an error in the other direction."""
    (other,) = (way for way in ways if way is not worst)
    read = "backwards" if other.layer.endswith("_reverse") else "forwards"
    as_well = "it vanishes as well" if min(other.decay) < VANISHED else "it does not"
    return f" In the layers that read {read} {as_well}: {share_left(other.decay[-1])} ({other.layer})."


def _arriving(evidence: Evidence, way: Way) -> str:
    """Healthy as far as one can see of a network of which nothing else is known."""
    told = f"after {steps(way.lag)} {share_left(way.decay[-1])}, a factor of {rate_of(way.decay):.3g} a step"
    low, high = min(way.decay), max(way.decay)
    if low < VANISHED and evidence.direct:
        said = (
            "Every step reaches the loss on a way of its own, past the recurrence, which alone keeps little"
        )
    elif low < VANISHED:
        said = "What a probe finds to use is within an error's reach"
    elif low < _HALF or high > 1 / _HALF:
        said = "The error neither vanishes nor explodes on its way back"
    else:
        said = "The error keeps its size on its way back"
    return f"{said}: {told} ({way.layer})."


def _out_of_reach(way: Way, lag: int) -> bool:
    """Whether as good as nothing of an error comes so far back."""
    return min(way.decay[: lag + 1]) < VANISHED


def _vanished(way: Way, low: float) -> str:
    told = f"after {steps(way.lag)} {share_left(way.decay[-1])}, a factor of {rate_of(way.decay):.3g} a step"
    if low < min(VANISHED, way.decay[-1] / 2):
        told = f"after {steps(way.decay.index(low))} {share_left(low)}, and after {steps(way.lag)} "
        told += share_left(way.decay[-1])
    return f"The error vanishes on its way back: {told} ({way.layer})."


def _midway(evidence: Evidence) -> bool:
    """Whether training ended while there was still much to gain by more of it."""
    course, found = evidence.course, evidence.learning
    if course is None or not course.unfinished or course.last_gain < _MIDWAY:
        return False
    whole = None if found is None else found.chance or found.start
    return found is None or not whole or found.loss > _SOLVED * whole


def _ended_midway(evidence: Evidence) -> str:
    course = evidence.course
    assert course is not None
    if course.epochs == 1:
        return f"{_learned_so_far(evidence)}, but in a single epoch: more epochs would decide what it can."
    return (
        f"{_learned_so_far(evidence)}, but training ended on the way: the last of its {course.epochs} epochs "
        f"brought {course.last_gain:.0%} of what it has gained since the first. More epochs would decide "
        "what it can."
    )


def _learned_so_far(evidence: Evidence) -> str:
    """That it has learned, with the scores that say so."""
    found = evidence.learning
    said = "It has learned"
    if found is not None and found.rival is not None and found.score is not None:
        beside = {"above": "better than", "at": "as good as"}.get(found.level or "", "beside")
        other = found.baselines[found.rival]
        said += f" ({found.monitor} {found.score:.4g}, {beside} {found.rival} with {other:.4g})"
    elif found is not None and found.chance is not None:
        said += f" (loss {found.loss:.4g} against {found.chance:.4g} of the best constant answer)"
    return said


def _sound(evidence: Evidence, way: Way) -> str:
    """Healthy, with what that rests on."""
    said = _learned_so_far(evidence)
    if min(way.decay) < VANISHED and evidence.direct:
        return f"{said}; every step reaches the loss on a way of its own, past the recurrence."
    if min(way.decay) < VANISHED:
        lag = reach_of(way.decay, VANISHED)
        far = f"an error has faded to a hundredth after {steps(lag or 0)}"
        if evidence.need is not None:
            return f"{said}, and though {far}, no probe finds anything farther back that it misses."
        return f"{said}; {far}, and nothing says that it needs to go farther."
    return f"{said}, and after {steps(way.lag)} {share_left(way.decay[-1])} ({way.layer})."


def _learned(evidence: Evidence, way: Way) -> tuple[Kind, str, tuple[Remedy, ...]]:
    """It has learned, but not as much as there is."""
    found, learning = evidence.need, evidence.learning
    why = "It has learned"
    if learning is not None and evidence.below_baseline:
        assert learning.rival is not None
        why += (
            f", but {learning.rival}, a simple method, does better ({learning.monitor} "
            f"{learning.baselines[learning.rival]:.4g} against {learning.score:.4g})"
        )
    elif found is not None and found.lag is not None:
        why += f", but a probe finds more {steps(found.lag)} back than it makes of it"
    return "undecided", f"{why}; an error reaches what is needed. {_deciding(evidence)}", undecided(evidence)


def _not_learned(evidence: Evidence, way: Way) -> str:
    kept = f"after {steps(way.lag)} {share_left(way.decay[-1])} ({way.layer})"
    if min(way.decay) < VANISHED:
        kept = (
            "every step reaches the loss on a way of its own"
            if evidence.direct
            else ("what a probe finds to use is within an error's reach")
        )
    return f"It has not learned, though not for want of an error: {kept}. {_deciding(evidence)}"


def _deciding(evidence: Evidence) -> str:
    """What would tell more."""
    if evidence.course is not None and evidence.course.unfinished:
        return "It was still getting better when training ended: more epochs would decide."
    return "Short trainings with other options would decide (--try)."


def _second_factor(spectra: Sequence[Jacobians], lag: int) -> float | None:
    """The factor per step in the second direction, where an error lives on in one at most in every layer."""
    wide = [each.lyapunov for each in spectra if len(each.lyapunov) >= _FEW]
    if not wide or len(wide) < len(spectra):
        return None
    second = max(exponents[1] for exponents in wide)
    return exp(second) if second * lag < log(VANISHED) else None
