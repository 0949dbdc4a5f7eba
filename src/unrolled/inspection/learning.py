"""What a model has learned: its loss beside its start and the best constant answer, and its score."""

from __future__ import annotations

import torch

from unrolled.diagnosis import Learning
from unrolled.inspection.measuring import Measured
from unrolled.tasks.base import Estimator
from unrolled.tasks.evidence import with_scores


def learning_of(measured: Measured, estimator: Estimator) -> Learning:
    """The model's loss beside its start and the best constant answer, its score beside the simple ones."""
    with torch.no_grad():
        loss = float(measured.loss())
    return with_scores(estimator, Learning(loss, measured.start(), measured.chance()))
