"""The options that every task has."""

from __future__ import annotations

from pydantic import Field

from unrolled.models.config import NetworkConfig
from unrolled.training.config import TrainingConfig


class TaskConfig(NetworkConfig, TrainingConfig):
    """The network's and the training's options, flat, and those of the data they meet in."""

    holdout: float = Field(
        0.1, gt=0, lt=1, description="Share of the training data held out when no dev data is given."
    )
