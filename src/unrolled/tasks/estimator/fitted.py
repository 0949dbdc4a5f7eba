"""What an estimator knows once it is fitted or loaded, and what it decided on the way."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from unrolled.data.table_form import FoundForm
from unrolled.errors import ModelFolderError
from unrolled.models.base import SequenceModel
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.ensembles import built_together
from unrolled.tasks.estimator.contract import TaskSteps
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.options import validated
from unrolled.tasks.scikit import Configuration
from unrolled.tasks.shares import Data
from unrolled.training.callback import Callback
from unrolled.training.history import History

if TYPE_CHECKING:
    from unrolled.diagnosis import Verdict
    from unrolled.training.live import Seen

_logger = logging.getLogger("unrolled")
OPTIMIZER = "optimizer.safetensors"
"""What a model folder calls what the optimiser knew of the weights."""


class Fitted(TaskSteps[Data, Configuration]):
    """A task with what it learned: its network, its options as used, its scores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._reset()

    def _reset(self) -> None:
        self._effective = self._config
        self._notices: list[str] = []
        self._understood = ""
        self._history: History | None = None
        self._dev_evaluation: Evaluation | None = None
        self._given_form: GivenForm | None = None
        self._callbacks: tuple[Callback, ...] = ()
        self._model: SequenceModel | None = None
        self._optimizer: Mapping[str, Mapping[str, Tensor]] = {}
        self._baselines: dict[str, Baseline] = {}
        self._shard = (0, 1)
        self._keep_apart = True
        self._share = 1.0
        self._seen: Seen | None = None
        self._verdict: Verdict | None = None
        self._trained_on: tuple[str | None, ...] = (None, None)
        self._form: FoundForm | None = None

    @property
    def effective(self) -> Configuration:
        """The options as used, with what was guessed from the data filled in; saved with the model."""
        return self._effective

    @property
    def notices(self) -> list[str]:
        """What the estimator decided on its own, in sentences for the user."""
        return self._notices

    @property
    def understood(self) -> str:
        """What the data of the last `fit` was taken for, in a line."""
        return self._understood

    @property
    def trained_on(self) -> tuple[str | None, ...]:
        """The paths or names of the data of `fit`, and of its dev data; None where they are none."""
        return self._trained_on

    @property
    def history(self) -> History | None:
        """The losses, scores and gradient norms of training, once fitted or loaded."""
        return self._history

    @property
    def verdict(self) -> Verdict | None:
        """What the judges of `unrolled.diagnosis` make of the last `fit`; None unless ``diagnose`` was on."""
        return self._verdict

    @property
    def dev_evaluation(self) -> Evaluation | None:
        """The scores on the dev data or the held-out share, beside the baselines'.

        Once loaded, those that the model was saved with; None before.
        """
        return self._dev_evaluation

    @property
    def model(self) -> SequenceModel:
        """The network.

        Raises:
            ConfigError: neither `fit` nor `load` came first.
        """
        self._require_fitted()
        assert self._model is not None
        return self._model

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.model.parameters()).device

    def fresh_model(self) -> SequenceModel:
        """The network as it is before training, with the first weights of the seed; of several, those."""

        def build(number: int) -> SequenceModel:
            with torch.random.fork_rng():
                torch.manual_seed((self.effective.seed + number) % 2**32)
                return self._build_model()

        return built_together(getattr(self.effective, "ensemble", 1), build, self._averaged())

    def optimizer_state(self) -> Mapping[str, Tensor]:
        """What the optimiser knew of the weights when they were kept; empty where that is not known."""
        try:
            return self._optimizer.get(OPTIMIZER, {})
        except ModelFolderError:  # a model is one without it, too
            return {}

    @property
    def unordered_baselines(self) -> tuple[str, ...]:
        """The names of the baselines that make nothing of the order of the steps."""
        return tuple(name for name, baseline in self._baselines.items() if baseline.unordered)

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def _require_fitted(self) -> None:
        if self._model is None:
            from unrolled.tasks.unfitted import UnfittedError

            raise UnfittedError(
                f"this {type(self).__name__} has no model yet; call fit(train) or load(folder) first"
            )

    def _decide(self, sentence: str, **options: Any) -> None:
        """Fill in options that the data settled, and tells the user."""
        decided = validated(self.Config, dict(self.effective) | options)
        self._effective = cast(Configuration, decided)
        self._note(sentence)

    def _suit(self, kind: str, options: Mapping[str, Any]) -> None:
        """Fill in what suits a kind of input, of the options that are this task's and were not asked for."""
        open_ones = self.Config.model_fields.keys() - self._asked_for()
        chosen = {name: value for name, value in options.items() if name in open_ones}
        if chosen:
            listed = ", ".join(_written(name, value) for name, value in chosen.items())
            self._decide(f"The inputs are {kind}, so by default: {listed}.", **chosen)

    def _go_through_often(self, batches: int, fewest: int) -> None:
        """Raise the epochs, where none were asked for, so that small data gives so many updates."""
        epochs = fewest // batches
        if "epochs" not in self.config.model_fields_set and epochs > self.effective.epochs:
            self._decide(f"The data is small: it is gone through up to {epochs} times.", epochs=epochs)

    def _note(self, sentence: str) -> None:
        """Tell the user what was decided without them, now and on the model's card."""
        self.notices.append(sentence)
        _logger.info(sentence)

    def _note_once(self, sentence: str) -> None:
        """As `_note`, unless there is nothing to say, or it has been said."""
        if sentence and sentence not in self.notices:
            self._note(sentence)


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {' × '.join(map(str, value)) if isinstance(value, tuple) else value}"
