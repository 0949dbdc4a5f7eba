"""The tasks by name, and loading a model folder whatever its task."""

from __future__ import annotations

import importlib
from pathlib import Path

from unrolled.errors import ConfigError, ModelFolderError
from unrolled.tasks.base import Estimator, saved_task

# Module and class, imported on first use: a command that needs one task should not pay for all.
_TASKS = {
    "classify": ("unrolled.tasks.classify", "Classifier"),
    "tag": ("unrolled.tasks.tag", "Tagger"),
    "generate": ("unrolled.tasks.generate", "Generator"),
    "forecast": ("unrolled.tasks.forecast", "Forecaster"),
    "caption": ("unrolled.tasks.caption", "Captioner"),
    "translate": ("unrolled.tasks.translate", "Translator"),
}


def task_names() -> tuple[str, ...]:
    """The names that `estimator_class` takes."""
    return tuple(_TASKS)


def estimator_class(task: str) -> type[Estimator]:
    """The estimator of a task.

    Raises:
        ConfigError: there is no such task.

    Example:
        >>> estimator_class("classify").__name__
        'Classifier'
    """
    if task not in _TASKS:
        raise ConfigError(f"no task {task!r}; expected one of {', '.join(_TASKS)}")
    module, name = _TASKS[task]
    return getattr(importlib.import_module(module), name)


def load(folder: str | Path) -> Estimator:
    """Load a model folder written by ``estimator.save(folder)``, whatever its task.

    Raises:
        ModelFolderError: the folder is missing, truncated or corrupt, or its content does not fit.
        FormatVersionError: a newer release wrote it in a newer format.
    """
    task = saved_task(folder)
    if task not in _TASKS:
        raise ModelFolderError(
            f"{folder}: this release has no task {task!r}, only {', '.join(_TASKS)}; install a newer one"
        )
    return estimator_class(task).load(folder)
