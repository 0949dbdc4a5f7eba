"""The course of a training run: whether it threw its weights away, and whether it was done when it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean, median
from typing import Literal

from unrolled.diagnosis.result import Result

_BEFORE, _AFTER = 32, 8
"""Updates before one that its norm is compared with, and updates after it whose loss is looked at."""
_SPIKE = 10.0
"""A norm so many times as large as those before it is a spike."""
_STILL = 0.01
"""By what share the last epochs have to get better for a run that ends there to be unfinished."""


@dataclass(frozen=True, slots=True)
class Course(Result):
    """How a training run went.

    Attributes:
        epochs: that it was trained for.
        first: the mean training loss of the first epoch.
        lowest: of the epoch with the lowest.
        last: of the last epoch.
        spikes: updates whose norm was more than ten times the median of those before it.
        worst: the largest such factor; 1 without one.
        setback: by what share the loss rose right after a spike, at worst; 0 without one.
        unfinished: the score that decides was still getting better when all epochs were done.
        last_gain: the share of all that this score has gained since the first epoch, and that the last one
            brought beyond the best before it; 1 of a single epoch.
    """

    epochs: int
    first: float
    lowest: float
    last: float
    spikes: int
    worst: float
    setback: float
    unfinished: bool
    last_gain: float = 0.0


def course_of(
    epoch_losses: Sequence[float],
    norms: Sequence[float],
    losses: Sequence[float],
    scores: Sequence[float] = (),
    *,
    mode: Literal["min", "max"] = "min",
    stopped_early: bool = False,
) -> Course:
    """Read the course of a run off its history.

    Args:
        epoch_losses: the mean training loss of each epoch.
        norms: of the gradients before clipping, update by update; some may be left out.
        losses: of the same updates.
        scores: on the dev data, epoch by epoch; without them the training loss decides.
        mode: their better direction.
        stopped_early: training ended because the score got no better.

    Example:
        >>> steady = [1.0] * 20
        >>> course_of([2.0, 1.0, 0.5], [*steady, 50.0, *steady], [1.0] * 21 + [3.0] * 20).setback
        2.0
    """
    spikes = [at for at in range(1, len(norms)) if _factor(norms, at) > _SPIKE]
    factors = [_factor(norms, at) for at in spikes]
    finite = [loss for loss in epoch_losses if isfinite(loss)]
    return Course(
        epochs=len(epoch_losses),
        first=epoch_losses[0] if epoch_losses else nan,
        lowest=min(finite, default=nan),
        last=epoch_losses[-1] if epoch_losses else nan,
        spikes=len(spikes),
        worst=max(factors, default=1.0),
        setback=max((_rise(losses, at) for at in spikes), default=0.0),
        unfinished=not stopped_early and _still_better(scores or epoch_losses, mode),
        last_gain=_last_gain(scores or epoch_losses, mode),
    )


def _factor(norms: Sequence[float], at: int) -> float:
    """The norm of an update over the usual one of those before it."""
    before = [norm for norm in norms[max(0, at - _BEFORE) : at] if isfinite(norm)]
    if len(before) < 4:  # the first updates are of another size than all that follow
        return 1.0
    usual = median(before)
    if not isfinite(norms[at]):
        return float("inf")
    return norms[at] / usual if usual > 0 else 1.0


def _rise(losses: Sequence[float], at: int) -> float:
    """By what share the loss is higher in the updates after one than in those before it."""
    # The loss of an update is taken before its step.
    before, after = losses[max(0, at - _AFTER) : at], losses[at + 1 : at + 1 + _AFTER]
    if not before or not after:
        return 0.0
    usual = median(before)
    return max(0.0, median(after) / usual - 1) if usual > 0 else 0.0


def _still_better(values: Sequence[float], mode: Literal["min", "max"]) -> bool:
    """Whether the last of some values is the best, and better than the mean of those shortly before."""
    if len(values) < 2 or not all(map(isfinite, values)):
        return len(values) == 1
    better = _rising(values, mode)
    last, before = better[-1], better[-3:-1]
    span = abs(fmean(before)) or 1.0
    return last > max(better[:-1]) and last - fmean(before) > _STILL * span


def _last_gain(values: Sequence[float], mode: Literal["min", "max"]) -> float:
    """The share of all that was gained since the first value that the last brought beyond the best before."""
    if len(values) < 2:
        return 1.0
    if not all(map(isfinite, values)):
        return 0.0
    better = _rising(values, mode)
    whole, last = better[-1] - better[0], better[-1] - max(better[:-1])
    return last / whole if last > 0 and whole > 0 else 0.0


def _rising(values: Sequence[float], mode: Literal["min", "max"]) -> Sequence[float]:
    return values if mode == "max" else [-value for value in values]
