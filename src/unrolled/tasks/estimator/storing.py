"""A fitted model as a folder, and back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import torch

from unrolled.data.table_form import FoundForm
from unrolled.errors import ModelFolderError
from unrolled.models.cell import require_programs, require_saveable
from unrolled.saving import hub
from unrolled.saving.folder import content_fits, read_folder, write_folder
from unrolled.saving.weights import require_alike
from unrolled.tasks.baselines.loading import loaded_baselines
from unrolled.tasks.card import model_card
from unrolled.tasks.estimator.fitted import OPTIMIZER, Fitted
from unrolled.tasks.evaluation import Evaluation, SavedEvaluation
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.hub_card import front_matter
from unrolled.tasks.saved import SavedConfig, require_layers
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data
from unrolled.training.history import History

_INPUTS = "inputs.safetensors"
"""The weights of the networks that make what the model's own reads."""


class Storing(Fitted[Data, Configuration]):
    """The model folder, and the Hugging Face Hub."""

    def save(
        self, folder: str | Path, evaluation: Evaluation | None = None, *, optimizer: bool = True
    ) -> None:
        """Write the model folder, whole or not at all.

        Args:
            folder: replaced when it is a model folder already.
            evaluation: the scores that the card shows; by default those on the dev data.
            optimizer: whether to keep what it takes to train on, which is as large as the weights, or twice.

        Raises:
            ConfigError: the cell is not fused, so that its step is code, which is not saved.
            StorageError: the disk would not take it; a model that was there before is untouched.
        """
        self._write(folder, evaluation, optimizer=optimizer)

    def push(
        self,
        place: str,
        *,
        private: bool = False,
        language: str | None = None,
        message: str = "Upload a model of unrolled",
    ) -> str:
        """Put the model on the Hugging Face Hub, from where ``unrolled.load("hf://user/name")`` has it.

        Args:
            place: ``user/name``; the repository is made if it is not there.
            private: whether a new repository is seen by its owner alone.
            language: of the model's texts, by its code such as ``en``, for the card.
            message: what the commit says.

        Returns:
            The repository's address.

        Raises:
            ConfigError: that is no name of a repository; or the cell is not fused, and cannot be saved.
            StorageError: the Hub does not take it, or cannot be reached.
        """
        with TemporaryDirectory() as home:
            folder = Path(home) / "model"
            self._write(folder, None, optimizer=False, language=language)
            return hub.push(folder, place, private=private, message=message)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a folder written by `save`, or a model of the Hub, ``hf://user/name``.

        Raises:
            ModelFolderError: the folder is missing, truncated, corrupt, or of another task or state of the
                code.
            FormatVersionError: a newer release wrote it in a newer format.
        """
        saved = read_folder(folder)
        settings = saved.conforming("config.json", SavedConfig)
        if settings["task"] != cls.task:
            raise ModelFolderError(
                f"{folder}: expected a model of the task {cls.task!r}, got {settings['task']!r:.60}; "
                "unrolled.load(folder) takes any"
            )
        vocabularies = saved.conforming("vocabulary.json", cls.Saved)
        evaluation = saved.conforming("evaluation.json", SavedEvaluation)
        history = saved.conforming("history.json", History)
        values = saved.conforming("baselines.json", dict[str, dict[str, Any]])
        weights = saved.tensors["model.safetensors"]
        with content_fits(folder):
            require_programs(settings["options"])
            estimator = cls(**settings["options"])
            estimator._notices = list(settings["notices"])
            estimator._trained_on = tuple(settings.get("trained_on", (None, None)))
            table = settings["table"]
            estimator._form = None if table is None else FoundForm.from_json(table)
            given = settings["given"]
            estimator._given_form = None if given is None else GivenForm.from_json(given)
            estimator._restore(vocabularies)
            # Not by get: what is listed but lacks its file is an error, and none of those that get expects.
            beside = saved.tensors[_INPUTS] if _INPUTS in saved.tensors else {}  # noqa: SIM401
            estimator._load_input_networks(beside)
            estimator._history = history
            estimator._optimizer = saved.tensors  # read when it is asked for
            estimator._dev_evaluation = Evaluation.from_json(evaluation)
            estimator._baselines = loaded_baselines(
                cls._baseline_kinds(), values, saved.tensors["baselines.safetensors"], folder
            )
            require_layers(estimator.effective, weights)
            with torch.device("meta"):  # what sizes claim takes no memory there
                require_alike(weights, estimator.fresh_model().state_dict())
            model = estimator.fresh_model()
            model.load_state_dict(dict(weights))
            estimator._model = model.eval()
        return estimator

    def _write(
        self,
        folder: str | Path,
        evaluation: Evaluation | None,
        *,
        optimizer: bool,
        language: str | None = None,
    ) -> None:
        self._require_fitted()
        require_saveable(self.effective)
        shown = evaluation or self.dev_evaluation
        assert self.history is not None
        assert shown is not None
        known = self.optimizer_state() if optimizer else {}
        beside = {
            f"{name}.{weight}": tensor
            for name, network in self.input_networks().items()
            for weight, tensor in network.state_dict().items()
        }
        states = {name: baseline.state() for name, baseline in self._baselines.items()}
        write_folder(
            folder,
            files={
                "config.json": {
                    "task": self.task,
                    "options": self.effective.model_dump(mode="json"),
                    "notices": self.notices,
                    "trained_on": self.trained_on,
                    "table": None if self._form is None else self._form.to_json(),
                    "given": None if self._given_form is None else self._given_form.to_json(),
                },
                "vocabulary.json": self._vocabularies(),
                "baselines.json": {name: dict(state.values) for name, state in states.items()},
                "history.json": self.history.model_dump(mode="json"),
                "evaluation.json": shown.to_json(),
                "README.md": model_card(
                    self.task,
                    self.effective,
                    self.notices,
                    shown,
                    front_matter(self.task, self.hub_task, self.effective, shown, language),
                ),
            },
            tensors={
                "model.safetensors": self.model.state_dict(),
                "baselines.safetensors": {
                    f"{name}/{key}": tensor
                    for name, state in states.items()
                    for key, tensor in state.tensors.items()
                },
                **({_INPUTS: beside} if beside else {}),
                **({OPTIMIZER: known} if known else {}),
            },
        )

    def _save_run(self, run_folder: str | Path | None) -> None:
        """Save the model of this run, where it has a folder; of several processes the first does."""
        if run_folder is not None and self._shard[0] == 0:
            self.save(run_folder)
