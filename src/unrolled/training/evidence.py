"""What a run's history says to a verdict."""

from __future__ import annotations

from math import isfinite

from unrolled.diagnosis import ClippingUse, Course, clipping_use, course_of
from unrolled.training.history import History


def course_in(history: History, latest: int | None = None) -> Course | None:
    """How the training went that a history tells of; None where it tells of none.

    Args:
        history: of the run.
        latest: look for spikes in so many of its updates alone; None: in all that it has kept.
    """
    if not history.epochs:
        return None
    updates = history.updates if latest is None else history.updates[-latest:]
    return course_of(
        [epoch.loss for epoch in history.epochs],
        [update.gradient_norm for update in updates],
        [update.loss for update in updates],
        [epoch.scores[history.monitor] for epoch in history.epochs if history.monitor in epoch.scores],
        mode=history.mode,
        stopped_early=history.stopped == "patience",
    )


def clipping_in(history: History, latest: int | None = None) -> ClippingUse | None:
    """The norms of the gradients that a history tells of; None where it tells of none.

    Args:
        history: of the run.
        latest: look at so many of its updates alone; None: at all that it has kept.
    """
    updates = history.updates if latest is None else history.updates[-latest:]
    if not any(isfinite(each.gradient_norm) for each in updates):
        return None
    return clipping_use([each.gradient_norm for each in updates], [each.clipped for each in updates])
