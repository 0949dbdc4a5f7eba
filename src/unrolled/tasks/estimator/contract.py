"""What a task fills in: the steps of which everything else that an estimator does is built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Literal

from pydantic import BaseModel
from torch import Tensor, nn

from unrolled.data.buckets import Encoded
from unrolled.errors import ConfigError, DataError
from unrolled.models.base import SequenceModel
from unrolled.models.ensemble import Average
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.prediction import Prediction, PredictOptions
from unrolled.tasks.scikit import Configuration, ScikitContract
from unrolled.tasks.shares import Data, Part, Shares
from unrolled.tasks.streaming import TaskStream


class TaskSteps(ScikitContract[Configuration], ABC, Generic[Data, Configuration]):
    """The steps of a task, and what it says of itself.

    ``Data`` is the form in which the task holds what it read: a list of examples, a corpus, series;
    ``Configuration`` is the class of its options.
    """

    task: ClassVar[str]
    _takes_parts: ClassVar[bool] = True
    """Whether data that is divided itself (`unrolled.data.parts`) is taken part by part."""
    Saved: ClassVar[Any] = dict[str, Any]
    """What ``vocabulary.json`` must hold, as `unrolled.saving.schema.conforming` takes it."""
    Options: ClassVar[type[BaseModel]] = PredictOptions
    """The options of a prediction."""
    Scoring: ClassVar[type[BaseModel]] = PredictOptions
    """The options of an evaluation."""
    predicts_alone: ClassVar[bool] = False
    """Whether a model can go on from where its training data ended, given nothing."""
    starts_anew: ClassVar[bool] = True
    """Whether `fresh_model` is the network that training began with, once loaded too."""
    _counted: ClassVar[str] = "examples"
    """What a task's data is counted in, for a person."""

    # The steps of a task, in the order in which they run.

    @abstractmethod
    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Data:
        """Read a path, a built-in name or Python objects.

        Args:
            data: as a user names it.
            labelled: whether the targets must be there.
            part: what it is read for: to be trained on, to choose the best epoch by, or anything later.
        """

    @abstractmethod
    def _hold_out(self, data: Data, *, keep_apart: bool) -> Shares[Data]:
        """Split off ``effective.holdout`` of the data.

        Args:
            data: what is to be trained on.
            keep_apart: whether a further share may be kept for the final scores.
        """

    @abstractmethod
    def _prepare(self, train: Data) -> None:
        """Learn vocabularies, label sets and scales from the training data; settle guesses by `_decide`."""

    @abstractmethod
    def _build_model(self) -> SequenceModel:
        """A fresh network for ``effective`` and what `_prepare` learnt."""

    def _begin_training(self, train: Data) -> None:
        """Fit what stands in the network and is not trained; the network is built by now."""

    def _end_training(self, held_out: Data, name: str) -> None:
        """Settle what only data that training has not seen can say; ``name`` is what it is called."""

    def _averaged(self) -> Average:
        """What is averaged where there are several networks."""
        return "outputs"

    @abstractmethod
    def _loader(self, data: Data, *, training: bool) -> Any:
        """Encode once, and batch: for training shuffled, and only the share ``_shard`` of each batch.

        ``_shard`` is this process's number and how many processes train together.
        """

    @abstractmethod
    def _loss(self) -> Any:
        """The loss that training minimises."""

    @property
    @abstractmethod
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """The dev score that early stopping watches, and the direction that is better."""

    @abstractmethod
    def _scorer(self, data: Data) -> Callable[[], Scored]:
        """A function that scores the model's present weights on ``data``, which is encoded here, once."""

    @abstractmethod
    def _fit_baselines(self, train: Data) -> Iterable[Baseline]:
        """The baselines, fitted on the training data."""

    @abstractmethod
    def _score_baseline(self, baseline: Baseline, data: Data) -> Mapping[str, float]:
        """A baseline's scores on ``data``, under the same names as the model's."""

    @abstractmethod
    def _vocabularies(self) -> dict[str, Any]:
        """What `_prepare` learnt, as plain JSON values: saved as ``vocabulary.json``."""

    @abstractmethod
    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        """The inverse of `_vocabularies`."""

    @classmethod
    @abstractmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        """The classes that `_fit_baselines` may return, to load them again."""

    def input_networks(self) -> Mapping[str, nn.Module]:
        """The networks that make what the task's own reads, which are not trained, by name."""
        return {}

    def _load_input_networks(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the saved weights of `input_networks`, after `_restore`; named ``network.weight``."""

    # What a model takes and gives: what a command, a service or an export asks of every task alike.

    @abstractmethod
    def input_schema(self) -> InputSchema:
        """What is handed over for a prediction.

        Raises:
            ConfigError: neither `fit` nor `load` came first.
        """

    @abstractmethod
    def _encode(self, data: Data) -> list[Encoded]:
        """What the network reads, and where there are targets those."""

    @abstractmethod
    def _run(self, items: list[Encoded], options: Any) -> Sequence[Any]:
        """What comes out for each item: the network's outputs, or the symbols that it wrote."""

    @abstractmethod
    def _decode(self, outputs: Sequence[Any], data: Data, options: Any) -> list[Prediction]:
        """What the outputs for ``data`` mean."""

    @abstractmethod
    def stream(self, **options: Any) -> TaskStream:
        """The model step by step, its state as argument and result.

        Args:
            options: those of the task's ``Options``.

        Raises:
            ConfigError: the model has to see a whole input first; an option is unknown, or does not fit.
        """

    @property
    def hub_task(self) -> str | None:
        """What the Hugging Face Hub calls such a model; None where it has no name for it."""
        return None

    # What is left to a task that has more to say.

    def _with_targets(self, X: Any, y: Any, *, fitting: bool) -> Any:
        """Inputs and what is to be predicted for each, as data that `_read` takes."""
        raise DataError(
            f"a {type(self).__name__} learns from its data alone, and got a y beside it",
            remedy="leave y out; dev data is given as dev=",
        )

    @staticmethod
    def _is_pair(entry: Any) -> bool:
        """Whether an entry of a list is an input and its target, rather than either alone."""
        return isinstance(entry, tuple) and len(entry) == 2

    def _readings(self, train: Data, held_out: Data) -> list[str]:
        """What the data was taken for, in phrases: the columns, the kind, the unit, how much there is."""
        return [f"{len(train):,} {self._counted} to train on, {len(held_out):,} to choose the best by"]  # type: ignore[arg-type]

    def _token_label(self, token: int) -> str:
        """What a token of the network's input stands for; a task with a vocabulary of inputs looks it up."""
        return str(token)

    def _to_score(self, data: Data, options: Any) -> Data:
        """The data as the options of an evaluation say that it is to be scored."""
        return data

    def _folds(self, data: Data, count: int) -> Iterable[tuple[Data, Data]]:
        """What to train on and what to score on, for each of ``count`` folds."""
        raise ConfigError(f"folds: the task {self.task!r} is scored on one held-out share alone")

    def _begin_fold(self, kept: Data) -> None:
        """Forget what `_read` has seen beyond the part to train on."""

    def _unseen_labels(self, data: Data) -> list[str]:
        """The classes or tags of data that the model does not know; none where there are no such things."""
        return []

    def _add_labels(self, labels: Sequence[str]) -> None:
        """Take up further classes or tags, after those that there are."""
        raise NotImplementedError

    def _went_on(self, data: Data) -> None:
        """Take up what data that was trained on says beyond the weights."""
