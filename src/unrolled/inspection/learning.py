"""What a model has learned, and how its training went: what a run's history and scores say."""

from __future__ import annotations

from math import isfinite
from typing import Any

import torch

from unrolled.diagnosis import ClippingUse, Course, Learning, clipping_use, course_of
from unrolled.inspection.measuring import Measured
from unrolled.tasks.base import Estimator
from unrolled.training.history import History


def learning_of(measured: Measured, estimator: Estimator) -> Learning:
    """The model's loss beside its start and the best constant answer, its score beside the simple ones."""
    with torch.no_grad():
        loss = float(measured.loss())
    return Learning(loss, measured.start(), measured.chance(), **scores_of(estimator))


def scores_of(estimator: Estimator) -> dict[str, Any]:
    """The monitored score that the model was saved with, and those of the baselines on the same data."""
    monitor, mode = estimator.monitored
    evaluation = estimator.dev_evaluation
    if evaluation is None or monitor not in evaluation.scores:
        return {}
    beside = {name: scores[monitor] for name, scores in evaluation.baselines.items() if monitor in scores}
    return {
        "score": evaluation.scores[monitor],
        "monitor": monitor,
        "mode": mode,
        "baselines": beside,
        "unordered": estimator.unordered_baselines,
    }


def course_in(history: History) -> Course | None:
    """How the training went that a history tells of; None where it tells of none."""
    if not history.epochs:
        return None
    return course_of(
        [epoch.loss for epoch in history.epochs],
        [update.gradient_norm for update in history.updates],
        [update.loss for update in history.updates],
        [epoch.scores[history.monitor] for epoch in history.epochs if history.monitor in epoch.scores],
        mode=history.mode,
        stopped_early=history.stopped == "patience",
    )


def clipping_in(history: History) -> ClippingUse | None:
    """The norms of the gradients that a history tells of; None where it tells of none."""
    updates = history.updates
    if not any(isfinite(each.gradient_norm) for each in updates):
        return None
    return clipping_use([each.gradient_norm for each in updates], [each.clipped for each in updates])
