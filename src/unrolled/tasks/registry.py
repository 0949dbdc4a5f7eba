"""The tasks by name, and loading a model folder whatever its task.

Modules are imported on first use: a command that needs one task should not pay for all, and one that needs a
task's options alone, such as its help, not for torch.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from unrolled.errors import ConfigError, ModelFolderError
from unrolled.saving.folder import read_folder

if TYPE_CHECKING:
    from pydantic import BaseModel

    from unrolled.tasks.base import Estimator
    from unrolled.tasks.config import TaskConfig


class _Named(TypedDict):
    """As much of ``config.json`` as says whose it is."""

    task: str


@dataclass(frozen=True, slots=True)
class _Task:
    """Where a task is written down.

    Attributes:
        estimator: module and class of the estimator, under ``unrolled.tasks``.
        config: those of its options; a module without torch.
        about: what the task does, in a sentence.
        options: those of the options of its predictions, likewise; empty where it has none.
        converses: whether its models can hold a conversation.
        scoring: module and class of the options of scoring its models; empty where there are none.
    """

    estimator: str
    config: str
    about: str
    options: str = ""
    converses: bool = False
    scoring: str = ""


_TASKS = {
    "classify": _Task(
        "classify:Classifier",
        "classification.config:ClassifyConfig",
        "Predict a label, or a number, for a text, a sequence of numbers, a recording, an image or a clip.",
    ),
    "regress": _Task(
        "regress:Regressor",
        "classification.config:RegressConfig",
        "Predict a number for a text, a sequence of numbers, a recording, an image or a clip.",
    ),
    "tag": _Task(
        "tag:Tagger",
        "tagging.config:TagConfig",
        "Predict a tag for every word of a sentence, or for every step of a sequence of numbers.",
    ),
    "generate": _Task(
        "generate:Generator",
        "generation.config:GenerateConfig",
        "Write text, or sets of notes, as in the training data: one input and one output a step, fed back.",
        "generation.config:WritingConfig",
    ),
    "forecast": _Task(
        "forecast:Forecaster",
        "forecasting.config:ForecastConfig",
        "Forecast series of numbers: one model for all series, one or several steps ahead, with quantiles.",
        "forecasting.config:ForecastOptions",
        scoring="forecasting.config:ScoringOptions",
    ),
    "caption": _Task(
        "caption:Captioner",
        "captioning.config:CaptionConfig",
        "Write a text for an image, a vector, or a few classes and numbers.",
        "captioning.config:CaptioningConfig",
    ),
    "translate": _Task(
        "translate:Translator",
        "translation.config:TranslateConfig",
        "Write a text for a text: a translation, an answer, a summary, a pronunciation, a sorted list.",
        "writing.search:SearchConfig",
        converses=True,
    ),
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
    return _imported(_task(task).estimator)


def config_class(task: str) -> type[TaskConfig]:
    """The options of a task: the estimator's ``Config``, without importing torch.

    Raises:
        ConfigError: there is no such task.

    Example:
        >>> config_class("classify").__name__
        'ClassifyConfig'
    """
    return _imported(_task(task).config)


def about(task: str) -> str:
    """What a task does, in a sentence.

    Raises:
        ConfigError: there is no such task.
    """
    return _task(task).about


def options_classes(*, converses: bool = False) -> dict[str, type[BaseModel]]:
    """The options of the predictions of each task that has some, without importing torch.

    Args:
        converses: of those tasks alone whose models can hold a conversation.
    """
    return {
        name: _imported(task.options)
        for name, task in _TASKS.items()
        if task.options and (task.converses or not converses)
    }


def scoring_classes() -> dict[str, type[BaseModel]]:
    """The options of scoring the models of each task that has some, without importing torch."""
    return {name: _imported(task.scoring) for name, task in _TASKS.items() if task.scoring}


def saved_task(folder: str | Path) -> str:
    """The task of the model in ``folder``.

    Raises:
        ModelFolderError: the folder is missing, truncated or corrupt, or its task is unknown.
        FormatVersionError: a newer release wrote it in a newer format.
    """
    saved = read_folder(folder)
    task = saved.conforming("config.json", _Named)["task"]
    if task not in _TASKS:
        raise ModelFolderError(
            f"{folder}: this release has no task {task!a:.60}, only {', '.join(_TASKS)}; install a newer one"
        )
    return task


def load(folder: str | Path) -> Estimator:
    """Load a model folder written by ``estimator.save(folder)``, or ``hf://user/name``, whatever its task.

    Raises:
        ModelFolderError: the folder is missing, truncated or corrupt, or its content does not fit.
        FormatVersionError: a newer release wrote it in a newer format.
    """
    return estimator_class(saved_task(folder)).load(folder)


def _task(name: str) -> _Task:
    if name not in _TASKS:
        raise ConfigError(f"no task {name!r}; expected one of {', '.join(_TASKS)}")
    return _TASKS[name]


def _imported(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(f"unrolled.tasks.{module}"), name)
