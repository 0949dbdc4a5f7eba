"""How the error gets back: losses, backpropagation through time, clipping, optimisation and the loop."""

from unrolled.training.bptt import BPTT, Carry, FullBPTT, TruncatedBPTT, Update
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
from unrolled.training.seeding import seed_everything
from unrolled.training.trainer import Trainer

__all__ = [
    "BPTT",
    "AbsoluteError",
    "BinaryCrossEntropy",
    "Carry",
    "CrossEntropy",
    "EpochRecord",
    "FullBPTT",
    "History",
    "Loss",
    "LossSum",
    "NegativeLogLikelihood",
    "SquaredError",
    "Trainer",
    "TrainingConfig",
    "TruncatedBPTT",
    "Update",
    "UpdateRecord",
    "seed_everything",
]
