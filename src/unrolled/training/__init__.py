"""How the error gets back: losses, backpropagation through time, clipping, optimisation and the loop.

Every name is imported on first use (PEP 562), so that the options in ``config.py`` are there without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_MODULE_OF = {
    "BPTT": "bptt",
    "AbsoluteError": "loss",
    "BinaryCrossEntropy": "loss",
    "Carry": "bptt",
    "CrossEntropy": "loss",
    "EpochRecord": "history",
    "FullBPTT": "bptt",
    "History": "history",
    "Loss": "loss",
    "LossSum": "loss",
    "NegativeLogLikelihood": "loss",
    "SquaredError": "loss",
    "Trainer": "trainer",
    "TrainingConfig": "config",
    "TruncatedBPTT": "bptt",
    "Update": "bptt",
    "UpdateRecord": "history",
    "seed_everything": "seeding",
}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
