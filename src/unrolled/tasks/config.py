"""The options that every task has, and those that some have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from unrolled.models.config import NetworkConfig
from unrolled.tasks.table_options import TableOptions
from unrolled.training.config import TrainingConfig


class TaskConfig(TableOptions, NetworkConfig, TrainingConfig):
    """The options of tables, of the network and of the training, flat, and those of the data they meet in."""

    holdout: float = Field(
        0.1, gt=0, lt=1, description="Share of the training data held out when no dev data is given."
    )


class EnsembleOptions(BaseModel):
    """Of tasks whose outputs can be averaged."""

    ensemble: int = Field(
        1,
        ge=1,
        le=1000,
        description="Networks that are trained from different first weights, one after the other, and whose "
        "outputs are averaged; they are saved together.",
    )


ConfigType = TypeVar("ConfigType", bound=TaskConfig)


def defaults(**values: Any) -> Callable[[type[ConfigType]], type[ConfigType]]:
    """A class decorator that gives inherited options the defaults that suit a task.

    Bounds and descriptions stay with the option's one definition.

    Example:
        >>> @defaults(hidden_size=64)
        ... class SmallConfig(TaskConfig):
        ...     pass
        >>> SmallConfig().hidden_size, TaskConfig().hidden_size
        (64, 128)
    """

    def change(config: type[ConfigType]) -> type[ConfigType]:
        for name, value in values.items():
            config.model_fields[name].default = value
        config.model_rebuild(force=True)
        return config

    return change
