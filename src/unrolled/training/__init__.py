"""How the error gets back: losses, backpropagation through time, clipping, optimisation and the loop."""

from unrolled.training.config import TrainingConfig
from unrolled.training.history import EpochRecord, History, UpdateRecord
from unrolled.training.loss import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    LossSum,
    NegativeLogLikelihood,
    SquaredError,
)

__all__ = [
    "AbsoluteError",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "EpochRecord",
    "History",
    "Loss",
    "LossSum",
    "NegativeLogLikelihood",
    "SquaredError",
    "TrainingConfig",
    "UpdateRecord",
]
