"""The estimator that every task is: fit, evaluate, predict, save, load."""

from __future__ import annotations

import copy
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, cast

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor

from unrolled.data.batches import Batch, Loader
from unrolled.data.buckets import Encoded
from unrolled.data.parts import Parts, parts_of
from unrolled.data.piped import table_ending
from unrolled.data.table_form import FoundForm
from unrolled.errors import ConfigError, DataError, ModelFolderError
from unrolled.models.base import SequenceModel
from unrolled.models.cell import require_programs, require_saveable
from unrolled.models.ensemble import Average, Ensemble
from unrolled.saving import hub
from unrolled.saving.folder import content_fits, read_folder, settle, write_folder
from unrolled.saving.lock import only_run
from unrolled.saving.run import require_free
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.loading import loaded_baselines
from unrolled.tasks.card import describe_network, model_card
from unrolled.tasks.cross_validation import CrossValidation
from unrolled.tasks.ensembles import built_together
from unrolled.tasks.evaluation import Evaluation, SavedEvaluation
from unrolled.tasks.given import AlreadyRead, is_further_data
from unrolled.tasks.given_inputs import GivenForm, plain
from unrolled.tasks.hub_card import front_matter
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.options import validated
from unrolled.tasks.prediction import Answer, Prediction, PredictOptions
from unrolled.tasks.saved import SavedConfig, require_layers, require_weights
from unrolled.tasks.scikit import Configuration, ScikitContract
from unrolled.tasks.streaming import TaskStream
from unrolled.training.callback import Callback
from unrolled.training.history import History
from unrolled.training.loss import Loss
from unrolled.training.part_of_epoch import PartOfEpoch
from unrolled.training.processes import decided_by_the_first

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrolled.diagnosis import Verdict
    from unrolled.tasks.config import TaskConfig
    from unrolled.tasks.continuing import NewLabels
    from unrolled.tasks.tuning.search import Tuning
    from unrolled.training.live import Seen

Data = TypeVar("Data")
Part = Literal["train", "valid", "test"]
"""What data is read for, which decides where it is divided itself."""

_logger = logging.getLogger("unrolled")
_OPTIMIZER = "optimizer.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Shares(Generic[Data]):
    """The shares of the training data.

    Attributes:
        train: what stays to be trained on.
        held_out: what the best epoch is chosen by.
        sentence: says so to the user.
        held_out_name: what the share is called beside its scores.
        kept_apart: a further share, for final scores that early stopping has not seen; None for none.
        kept_apart_name: what that is called.
        before_test: all but what is kept apart, for baselines that have nothing to tune; None: ``train``.
    """

    train: Data
    held_out: Data
    sentence: str
    held_out_name: str = "held-out share"
    kept_apart: Data | None = None
    kept_apart_name: str = "held-out share"
    before_test: Data | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one set of predictions.

    Attributes:
        scores: by name.
        count: the number of things scored.
        unit: what was counted.
        examples: a few predictions for a report, as plain JSON values.
        groups: further scores on parts of the data; see `Evaluation`.
        details: what a report shows beyond scores; see `Evaluation`.
    """

    scores: Mapping[str, float]
    count: int
    unit: str = "examples"
    examples: tuple[Mapping[str, Any], ...] = field(default=())
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Estimator(ScikitContract[Configuration], ABC, Generic[Data, Configuration]):
    """A task: learns from data, evaluates, predicts, and lives in a folder.

    `fit`, `evaluate`, `save` and `load` are the same for every task and built of the small abstract steps
    below; ``Data`` is the form in which the task holds what it read: a list of examples, a corpus, series;
    ``Configuration`` is the class of its options.

    Works as scikit-learn's estimators do: `fit(X, y)`, `predict(X)`, `score(X, y)`, parameters, cloning.
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

    def chosen_options(self, options: Mapping[str, Any]) -> Any:
        """The options of a prediction, checked; those left out are as usual for the task.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
        """
        return validated(self.Options, options)

    def _read_inputs(self, data: Any) -> Data:
        """Read what is to be predicted for."""
        return self._read_later(data, labelled=False)

    def encode(self, data: Any) -> list[Mapping[str, np.ndarray]]:
        """What the network reads of each input: arrays by name, their first axis the time.

        Args:
            data: as for `predict`.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        return [item.inputs for item in self._encode(self._read_inputs(data))]

    def decode(self, outputs: Sequence[Any], data: Any, **options: Any) -> list[Prediction]:
        """What a network's outputs for some inputs mean, wherever they were computed.

        Args:
            outputs: for each of what `encode` gave an array, without padding: of a network that answers at
                once its outputs, of one that writes the numbers of the symbols that were written.
            data: what was encoded.
            options: of the prediction.
        """
        self._require_fitted()
        return self._decode(outputs, self._read_inputs(data), self.chosen_options(options))

    @abstractmethod
    def stream(self, **options: Any) -> TaskStream:
        """The model step by step, its state as argument and result.

        Args:
            options: those of the task's ``Options``.

        Raises:
            ConfigError: the model has to see a whole input first; an option is unknown, or does not fit.
        """

    def predictions_of_each(self, inputs: Sequence[Any], **options: Any) -> list[list[Prediction]]:
        """What the model says of each of some inputs, computed together.

        Args:
            inputs: each as `input_schema` reads one.
            options: those of the task's ``Options``.

        Returns:
            For each input what `predictions` gives of it alone: for most tasks one prediction, for some a row
            a step, or one for each of the best.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input cannot be used.
        """
        self._require_fitted()
        chosen = self.chosen_options(options)
        reads = [self._read_inputs([each]) for each in inputs]
        items = [self._encode(read) for read in reads]
        if self.depends_on_place(**options):
            made = [self._run(each, chosen) for each in items]
        else:
            outputs = iter(self._run(list(chain.from_iterable(items)), chosen))
            made = [list(islice(outputs, len(each))) for each in items]
        return [self._decode(each, read, chosen) for each, read in zip(made, reads, strict=True)]

    def depends_on_place(self, **options: Any) -> bool:
        """Whether what is said of an input depends on its place among others, as where texts are drawn."""
        return False

    def predictions(self, data: Any = None, **options: Any) -> Iterator[Prediction]:
        """What the model says of each input, as it is made.

        Args:
            data: a path, a built-in name, or a list of inputs; None where a task can go on from nothing
                (`predicts_alone`).
            options: those of the task's ``Options``.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        chosen = self.chosen_options(options)
        if data is None and not self.predicts_alone:
            raise ConfigError(f"a model of the task {self.task!r} expects data to predict for, got None")
        read = self._read_inputs(data)
        return iter(self._decode(self._run(self._encode(read), chosen), read, chosen))

    def answers(self, data: Any = None, **options: Any) -> Iterator[Answer]:
        """Each of `predictions` beside the input that it is of.

        Args:
            data: as for `predictions`.
            options: as for `predictions`.
        """
        return (Answer(None, None, each) for each in self.predictions(data, **options))

    def predict(self, data: Any = None, **options: Any) -> list[Any]:
        """The value of each of `predictions`: for most tasks one for each input.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: an input is not of the kind seen in training.
        """
        return [each.value for each in self.predictions(data, **options)]

    def write_on(self, prompt: Any, **options: Any) -> Iterator[Any]:
        """What follows a prompt, a piece at a time as it is made, where a task goes on from its input.

        Raises:
            ConfigError: it does not; an option is unknown, or its value does not fit.
        """
        raise ConfigError(f"--prompt: a model of the task {self.task!r} takes DATA instead")

    def written_as(self, value: Any, suffix: str, options: Mapping[str, Any]) -> bytes | str:
        """What a file of this ending holds, made of a prediction's value.

        Raises:
            ConfigError: this task writes no such files.
        """
        raise ConfigError(f"a model of the task {self.task!r} writes no {suffix} files")

    def align(self, data: Any, **options: Any) -> Iterator[Any]:
        """What each symbol of a prediction was written from, where a task's network attends to its input.

        Raises:
            ConfigError: it does not.
        """
        raise ConfigError(f"a model of the task {self.task!r} writes nothing to align")

    def conversation(self, **options: Any) -> Any:
        """A talk, one reply after the other, where a task can hold one.

        Raises:
            ConfigError: it cannot.
        """
        raise ConfigError(f"a model of the task {self.task!r} cannot hold a conversation")

    # What is built of them.

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        dev: Any = None,
        run_folder: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        keep_apart: bool = True,
        progress: bool = False,
        callbacks: Sequence[Callback] = (),
        share: float = 1.0,
    ) -> Self:
        """Learn from data.

        Args:
            X: a path, the name of built-in data, or Python objects as the task describes; beside ``y`` the
                inputs alone: a list, an array ``(sequences, time)`` or ``(sequences, time, channels)``, a
                Series, a frame with a row or a level of its index for each.
            y: what is to be predicted for each input, where ``X`` does not hold it.
            dev: data for early stopping, in the forms of ``X``, or ``(X, y)``; without it a seeded share of
                the data is held out, and ``notices`` says so.
            run_folder: where checkpoints go, and the model, from its first epoch on always the best so far;
                neither is written without it.
            resume: continue from the last checkpoint in ``run_folder``.
            overwrite: replace the model or the checkpoint that ``run_folder`` holds.
            keep_apart: False where the finished model will be scored on other data: then no more of the data
                is held out than early stopping needs.
            progress: show a progress bar.
            callbacks: called in the course of training.
            share: of the batches of every epoch that is trained on, for a try.

        After an error the estimator is as it was before its first `fit`.

        Raises:
            ConfigError: ``run_folder`` holds a model or a checkpoint, and neither ``resume`` nor
                ``overwrite`` says what becomes of it, or another process trains into it; or the cell is not
                fused, and cannot be saved.
            DataError: the data cannot be used; names the file, row and column.
            DivergedError: the loss became NaN or infinite.
        """
        with _taken(run_folder, self.config, resume=resume, overwrite=overwrite):
            self._reset()
            self._keep_apart, self._share = keep_apart, share
            self._callbacks = tuple(callbacks)
            self._trained_on = tuple(str(each) if isinstance(each, str | Path) else None for each in (X, dev))
            try:
                train, dev = self._divided(*self._handed_over(X, y, dev))
                self._fit(train, dev, run_folder, resume=resume, progress=progress)
            except Exception:
                # A network left half-trained by an error must not pass for a fitted one.
                self._reset()
                raise
            finally:
                self._callbacks = ()
            self._save_run(run_folder)
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        dev: Any = None,
        run_folder: str | Path | None = None,
        new_labels: NewLabels = "refuse",
        resume: bool = False,
        overwrite: bool = False,
        progress: bool = False,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Go on training with new data: as many epochs as the options say, the best of them kept.

        Vocabularies and scales stay as they are, and so does what the optimiser knew; of each baseline the
        better on held-out data is kept, that from before or one of the new data. A model that is not fitted
        yet is fitted.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            dev: as for `fit`.
            run_folder: as for `fit`.
            new_labels: what becomes of classes and tags that the model has not seen: they are refused, or
                added, with room for them in the network.
            resume: as for `fit`.
            overwrite: as for `fit`.
            progress: as for `fit`.
            callbacks: as for `fit`.

        After an error the estimator is as it was.

        Raises:
            ConfigError: as for `fit`.
            DataError: the data cannot be used, or has labels that the model does not know.
            DivergedError: the loss became NaN or infinite.

        Example:
            >>> from unrolled import Classifier
            >>> first = [("good", "yes"), ("bad", "no")] * 4
            >>> then = [("so so", "perhaps"), ("good", "yes")] * 4
            >>> model = Classifier(hidden_size=4, epochs=1).fit(first, dev=first)
            >>> model.partial_fit(then, dev=then, new_labels="add").labels
            ('no', 'yes', 'perhaps')
        """
        how: Any = {"run_folder": run_folder, "resume": resume, "progress": progress, "callbacks": callbacks}
        if self._model is None:
            return self.fit(X, y, dev=dev, overwrite=overwrite, **how)
        from unrolled.tasks.continuing import trained_on

        with _taken(run_folder, self.effective, resume=resume, overwrite=overwrite):
            for name, value in vars(trained_on(self, X, y, dev, new_labels=new_labels, **how)).items():
                setattr(self, name, value)
            self._save_run(run_folder)
        return self

    def _unseen_labels(self, data: Data) -> list[str]:
        """The classes or tags of data that the model does not know; none where there are no such things."""
        return []

    def _add_labels(self, labels: Sequence[str]) -> None:
        """Take up further classes or tags, after those that there are."""
        raise NotImplementedError

    def _went_on(self, data: Data) -> None:
        """Take up what data that was trained on says beyond the weights."""

    def optimizer_state(self) -> Mapping[str, Tensor]:
        """What the optimiser knew of the weights when they were kept; empty where that is not known."""
        try:
            return self._optimizer.get(_OPTIMIZER, {})
        except ModelFolderError:  # a model is one without it, too
            return {}

    def _handed_over(self, X: Any, y: Any, dev: Any, *, fitting: bool = True) -> tuple[Any, Any]:
        """The data to train on and to choose the best epoch by, of what `fit` was given."""
        X, y, dev = plain(X), plain(y), plain(dev)
        if y is not None and dev is None and is_further_data(X, y, self._is_pair):
            y, dev = None, y
        if y is None:
            if self._needs_targets and hasattr(X, "dtype") and getattr(X, "ndim", 1) > 1:
                raise DataError(
                    f"this {type(self).__name__} requires y to be passed, but the target y is None",
                    remedy="call fit(X, y)",
                )
            return X, dev
        train = self._with_targets(X, y, fitting=fitting)
        if isinstance(dev, tuple) and len(dev) == 2:
            dev = self._with_targets(*dev, fitting=False)
        return train, dev

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

    def _fit(
        self, train: Any, dev: Any, run_folder: str | Path | None, *, resume: bool, progress: bool
    ) -> None:
        shares = self._take_in(train, dev)
        _logger.info(self.understood)
        self._model = self.fresh_model()
        # Before training, for the best model so far is saved with them.
        known = shares.train if shares.before_test is None else shares.before_test
        self._baselines = {baseline.name: baseline for baseline in self._fit_baselines(known)}
        self._train(shares.train, shares.held_out, shares.held_out_name, run_folder, resume, progress)
        self._dev_evaluation = (
            self._evaluation(shares.held_out, shares.held_out_name, baselines=True)
            if shares.kept_apart is None
            else self._evaluation(shares.kept_apart, shares.kept_apart_name, baselines=True)
        )
        self._conclude()

    def _conclude(self) -> None:
        """Say what the judges make of the training, where it was watched."""
        if self._seen is None:
            return
        from unrolled.tasks.evidence import verdict_of_training
        from unrolled.training.live import told

        self._verdict = verdict_of_training(self, self._seen)
        _logger.info(told(self._verdict, "Verdict"))

    def understand(self, train: Any, dev: Any = None) -> str:
        """What the data would be taken for in training, in a line; nothing is trained.

        Args:
            train: as for `fit`.
            dev: as for `fit`.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._reset()
        train, dev = self._divided(train, dev)
        try:
            self._take_in(train, dev)
            return self.understood
        finally:
            self._reset()

    def parts(self, data: Any) -> Parts | None:
        """Where the parts of data are that is divided itself; None where it is not, or is no path."""
        if not self._takes_parts or not isinstance(data, str | Path):
            return None
        return parts_of(Path(data))

    def _divided(self, train: Any, dev: Any) -> tuple[Any, Any]:
        """The parts to train on and to choose the best epoch by, of data that is divided itself."""
        parts = self.parts(train)
        if parts is None:
            return train, self._later_part(dev)
        if dev is None and parts.dev is not None:
            self._note(f"The data is divided itself: {parts.train} to train on, {parts.dev} to choose by.")
            return parts.train, parts.dev
        self._note(f"The data is divided itself: {parts.train} to train on.")
        return parts.train, self._later_part(dev)

    def _later_part(self, data: Any) -> Any:
        """What a model is scored on, of data that is divided itself."""
        parts = self.parts(data)
        return data if parts is None else parts.later

    def _take_in(self, train: Any, dev: Any) -> Shares[Data]:
        """Read the data and learn what comes before training: what to train on, and what to choose by."""
        was_read = isinstance(train, AlreadyRead)
        training: Data = train.data if was_read else self._read(train, labelled=True, part="train")
        # Later files are read as the training data was.
        self._form = getattr(training, "form", None)
        shares = self._hold_out(training, keep_apart=self._keep_apart) if dev is None else None
        if shares is not None:
            self._note(shares.sentence)
        self._prepare(training if shares is None else shares.train)
        if shares is None:
            # Dev data is read after what the training data settled, so that both are read alike.
            held_out = self._read_later(dev, labelled=True, part="valid")
            shares = Shares(training, held_out, "", _described(dev))
        self._understood = f"Understood: {'; '.join(self._readings(shares.train, shares.held_out))}."
        return shares

    def _read_later(self, data: Any, *, labelled: bool, part: Part = "test") -> Data:
        """Read data other than that to train on, and tell the user what had to be assumed anew."""
        read = self._read(plain(self._later_part(data)), labelled=labelled, part=part)
        for sentence in getattr(read, "notes", ()):
            if sentence not in self.notices:
                _logger.info(sentence)
        return read

    def _readings(self, train: Data, held_out: Data) -> list[str]:
        """What the data was taken for, in phrases: the columns, the kind, the unit, how much there is."""
        return [f"{len(train):,} {self._counted} to train on, {len(held_out):,} to choose the best by"]  # type: ignore[arg-type]

    def untrained(self, train: Any) -> Self:
        """Learn what comes before training: vocabularies, scales, and a network with its first weights.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._reset()
        read = self._read(self._divided(train, None)[0], labelled=True, part="train")
        self._form = getattr(read, "form", None)
        self._prepare(read)
        self._model = self.fresh_model().eval()
        return self

    def loader(self, data: Any) -> Loader:
        """The batches of ``data`` as the network reads them, in the order of the data.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        return self._loader(self._read(self._later_part(data), labelled=True), training=False)

    def first_batch(self, data: Any) -> Batch:
        """The first batch of ``data`` as the network reads it.

        Raises:
            DataError: the data cannot be used; names the file, row and column.
        """
        return next(iter(self.loader(data).batches(0)))

    def criterion(self) -> Loss:
        """The loss that training minimises."""
        self._require_fitted()
        return self._loss()

    def step_labels(self, inputs: Mapping[str, Tensor]) -> list[str]:
        """What each step of one sequence reads, in a few characters, for a drawing.

        Args:
            inputs: one row of a batch's inputs, each ``(time, ...)``.
        """
        steps = next(iter(inputs.values()))
        if steps.dim() > 2:  # the row of an image, or a frame
            return [str(number) for number in range(1, len(steps) + 1)]
        if steps.is_floating_point():
            return [f"{float(step[0]):.3g}" for step in steps]
        return [self._token_label(token) for token in steps.tolist()]

    def target_labels(self, targets: Tensor) -> list[str]:
        """What the outputs of one sequence are compared with, in a few characters each.

        Args:
            targets: one row of a batch's targets, ``(time, ...)`` or that of the whole sequence.
        """
        return self.step_labels({"targets": targets if targets.dim() else targets.unsqueeze(0)})

    def _token_label(self, token: int) -> str:
        """What a token of the network's input stands for; a task with a vocabulary of inputs looks it up."""
        return str(token)

    def fresh_model(self) -> SequenceModel:
        """The network as it is before training, with the first weights of the seed; of several, those."""

        def build(number: int) -> SequenceModel:
            with torch.random.fork_rng():
                torch.manual_seed((self.effective.seed + number) % 2**32)
                return self._build_model()

        return built_together(getattr(self.effective, "ensemble", 1), build, self._averaged())

    def _averaged(self) -> Average:
        """What is averaged where there are several networks."""
        return "outputs"

    def _train(
        self,
        training: Data,
        held_out: Data,
        name: str,
        run_folder: str | Path | None,
        resume: bool,
        progress: bool,
        known: Mapping[str, Tensor] | None = None,
    ) -> None:
        from unrolled.training.trainer import Trainer  # brings in accelerate, which takes a second to import

        used = self.effective
        _logger.info(
            f"{describe_network(used)}; {used.optimizer}, learning rate {used.learning_rate:g}, "
            f"at most {used.epochs} epochs, seed {used.seed}."
        )
        scorer = self._scorer(held_out)
        scored: Scored | None = None

        def score() -> Mapping[str, float]:
            nonlocal scored
            scored = scorer()
            return scored.scores

        def learn(folder: str | Path | None, known: Mapping[str, Tensor] | None) -> None:
            trainer = Trainer(
                self.model,
                self._loss(),
                self.effective,
                run_folder=None if folder is None else Path(folder),
                resume=resume,
                progress=progress,
                callbacks=self._callbacks,
                known=known,
            )

            def keep(history: History) -> None:
                assert scored is not None
                self._history = history
                self._optimizer = {_OPTIMIZER: trainer.optimizer_state}
                self._dev_evaluation = self._scores_alone(name, scored)
                self._save_run(folder)

            self._shard = trainer.accelerator.process_index, trainer.accelerator.num_processes
            loader = self._loader(training, training=True)
            if self._share < 1:
                loader = PartOfEpoch(loader, self._share)
            monitor, mode = self.monitored
            keeping = None if folder is None else keep
            self._history = trainer.fit(loader, score, monitor, mode, keep=keeping)
            self._seen = None if trainer.diagnosis is None else trainer.diagnosis.seen()
            self._optimizer = {_OPTIMIZER: trainer.optimizer_state}
            self.model.eval()
            if kept := self._history.kept():
                _logger.info(kept)

        if not isinstance(self.model, Ensemble):
            learn(run_folder, known)
            return
        together, first = self.model, None
        for number, member in enumerate(together.members):
            _logger.info(f"Network {number + 1} of {len(together.members)}.")
            self._model = cast(SequenceModel, member)
            self._effective = used.model_copy(update={"seed": (used.seed + number) % 2**32})
            learn(None, None)
            first = first or self._history
        # Whoever trains on does so without what each one's optimiser knew.
        self._model, self._effective, self._history, self._optimizer = together.eval(), used, first, {}

    def evaluate(self, X: Any, y: Any = None, *, baselines: bool = True, **options: Any) -> Evaluation:
        """Score the model, beside the baselines, on labelled data.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            baselines: whether to score them too.
            options: those of the task's ``Scoring``.

        Raises:
            ConfigError: there is no such option, or its value does not fit.
            DataError: the data cannot be used; names the file, row and column.
        """
        self._require_fitted()
        chosen = validated(self.Scoring, options)
        data = self._later_part(X)
        if y is not None:
            data = self._with_targets(plain(X), plain(y), fitting=False)
        read = self._to_score(self._read_later(data, labelled=True), chosen)
        return self._evaluation(read, _described(data), baselines)

    def _to_score(self, data: Data, options: Any) -> Data:
        """The data as the options of an evaluation say that it is to be scored."""
        return data

    def score(self, X: Any, y: Any = None) -> float:
        """The score that early stopping watches, made negative where less of it is better.

        Args:
            X: as for `evaluate`.
            y: as for `evaluate`.
        """
        name, mode = self.monitored
        value = self.evaluate(X, y, baselines=False).scores[name]
        return value if mode == "max" else -value

    def cross_validate(
        self, X: Any, y: Any = None, *, folds: int = 5, callbacks: Sequence[Callback] = ()
    ) -> CrossValidation:
        """Train as often as there are folds of the data, each time scored on the fold left out.

        Folds have about the same share of each class, and keep groups together; of series, each is the steps
        that follow those trained on. This estimator is left as it is.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            folds: how many.
            callbacks: as for `fit`.

        Raises:
            ConfigError: there are more folds than examples.
            DataError: the data cannot be used; names the file, row and column.
        """
        reader = self.__sklearn_clone__()
        train, _ = reader._divided(*reader._handed_over(X, y, None))
        data = reader._read(train, labelled=True, part="train")
        reader._form = getattr(data, "form", None)
        found = []
        for number, (kept, held_out) in enumerate(reader._folds(data, folds), start=1):
            name = f"fold {number} of {folds}"
            _logger.info(f"{name.capitalize()}.")
            one = copy.copy(reader)
            one._notices = list(reader._notices)
            one._keep_apart, one._callbacks = False, tuple(callbacks)
            one._begin_fold(kept)
            one._fit(AlreadyRead(kept), None, None, resume=False, progress=False)
            found.append(one._evaluation(held_out, name, baselines=True))
        return CrossValidation(tuple(found))

    def tune(
        self,
        X: Any,
        y: Any = None,
        *,
        trials: int = 20,
        folds: int = 3,
        seconds: float | None = None,
        space: Mapping[str, Any] | None = None,
    ) -> Tuning:
        """Search for better options by cross-validation, and train with the best of them on all the data.

        What does worse than the others did by the same epoch is given up. This estimator is left as it is.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            trials: how many choices of options are tried, this estimator's own being the first.
            folds: of the cross-validation of each.
            seconds: after which no further one is begun.
            space: for each option to search a list of values, or a pair of numbers to search between; by
                default the few that matter: learning rate, units, layers, dropout, cell and weight decay.

        Returns:
            The table of all tries, and the estimator trained with the best.

        Raises:
            ConfigError: the space, or the number of folds, does not fit.
            DataError: the data cannot be used; names the file, row and column.
            MissingDependencyError: ``unrolled[tune]`` is not installed.
            TrainingError: every try diverged.
        """
        from unrolled.tasks.tuning.search import clone_with, search

        found = search(self, X, y, trials=trials, folds=folds, seconds=seconds, space=space)
        return replace(found, estimator=clone_with(self, found.best_params).fit(X, y))

    def _folds(self, data: Data, count: int) -> Iterable[tuple[Data, Data]]:
        """What to train on and what to score on, for each of ``count`` folds."""
        raise ConfigError(f"folds: the task {self.task!r} is scored on one held-out share alone")

    def _begin_fold(self, kept: Data) -> None:
        """Forget what `_read` has seen beyond the part to train on."""

    def _evaluation(self, data: Data, name: str, baselines: bool) -> Evaluation:
        started = time.perf_counter()
        scored = self._scorer(data)()
        seconds = time.perf_counter() - started
        beside = {
            baseline.name: dict(self._score_baseline(baseline, data))
            for baseline in (self._baselines.values() if baselines else ())
        }
        return replace(self._scores_alone(name, scored), baselines=beside, seconds=seconds)

    def _scores_alone(self, name: str, scored: Scored) -> Evaluation:
        return Evaluation(
            self.task,
            name,
            dict(scored.scores),
            {},
            scored.count,
            scored.unit,
            examples=scored.examples,
            groups=scored.groups,
            details=scored.details,
        )

    def _save_run(self, run_folder: str | Path | None) -> None:
        """Save the model of this run, where it has a folder; of several processes the first does."""
        if run_folder is not None and self._shard[0] == 0:
            self.save(run_folder)

    @property
    def between(self) -> str:
        """What stands between the parts of a prediction, such as tags, where it is written as one text."""
        return " "

    def file_ending(self, first: str) -> str | None:
        """The ending of a file that begins with a line; None where each line is an input of its own."""
        return table_ending(first, self.effective.table_form(self._form))

    def predict_stream(self, inputs: Iterable[Any], chunk: int = 1) -> Iterator[Any]:
        """Predict for inputs as they come, ``chunk`` together: out before more is read."""
        remaining = iter(inputs)
        while taken := list(islice(remaining, chunk)):
            yield from self.predict(taken)

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
                **({_OPTIMIZER: known} if known else {}),
            },
        )

    @property
    def hub_task(self) -> str | None:
        """What the Hugging Face Hub calls such a model; None where it has no name for it."""
        return None

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
            estimator._history = history
            estimator._optimizer = saved.tensors  # read when it is asked for
            estimator._dev_evaluation = Evaluation.from_json(evaluation)
            estimator._baselines = loaded_baselines(
                cls._baseline_kinds(), values, saved.tensors["baselines.safetensors"], folder
            )
            require_layers(estimator.effective, weights)
            with torch.device("meta"):  # what sizes claim takes no memory there
                require_weights(estimator.fresh_model(), weights)
            model = estimator.fresh_model()
            model.load_state_dict(dict(weights))
            estimator._model = model.eval()
        return estimator

    @property
    def model(self) -> SequenceModel:
        """The network.

        Raises:
            ConfigError: neither `fit` nor `load` came first.
        """
        self._require_fitted()
        assert self._model is not None
        return self._model

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the losses and the scores of training.

        Args:
            ax: matplotlib's axes to draw on; a new figure by default.
        """
        from unrolled.tasks.plots import plot_history

        self._require_fitted()
        assert self.history is not None
        return plot_history(self.history, ax)

    def _repr_html_(self) -> str:
        from unrolled.layers.html_table import html_table

        rows = [
            (name, getattr(self.config, name))
            for name in self.Config.model_fields
            if name in self._asked_for()
        ]
        if self._model is None:
            return html_table(f"{type(self).__name__}, not fitted", rows)
        weights = sum(weight.numel() for weight in self._model.parameters())
        rows += [("network", describe_network(self.effective)), ("weights", f"{weights:,}")]
        shown = "" if self.dev_evaluation is None else self.dev_evaluation._repr_html_()
        return html_table(type(self).__name__, rows) + shown

    @property
    def unordered_baselines(self) -> tuple[str, ...]:
        """The names of the baselines that make nothing of the order of the steps."""
        return tuple(name for name, baseline in self._baselines.items() if baseline.unordered)

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.model.parameters()).device

    def _go_through_often(self, batches: int, fewest: int) -> None:
        """Raise the epochs, where none were asked for, so that small data gives so many updates."""
        epochs = fewest // batches
        if "epochs" not in self.config.model_fields_set and epochs > self.effective.epochs:
            self._decide(f"The data is small: it is gone through up to {epochs} times.", epochs=epochs)

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
            listed = ", ".join(f"{name} {_written(value)}" for name, value in chosen.items())
            self._decide(f"The inputs are {kind}, so by default: {listed}.", **chosen)

    def _note(self, sentence: str) -> None:
        """Tell the user what was decided without them, now and on the model's card."""
        self.notices.append(sentence)
        _logger.info(sentence)

    def _note_once(self, sentence: str) -> None:
        """As `_note`, unless there is nothing to say, or it has been said."""
        if sentence and sentence not in self.notices:
            self._note(sentence)

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def _require_fitted(self) -> None:
        if self._model is None:
            from unrolled.tasks.unfitted import UnfittedError

            raise UnfittedError(
                f"this {type(self).__name__} has no model yet; call fit(train) or load(folder) first"
            )


@contextmanager
def _taken(
    run_folder: str | Path | None, config: TaskConfig, *, resume: bool, overwrite: bool
) -> Iterator[None]:
    """Keep others out of a run's folder, where there is one, inside the `with`."""
    if resume and getattr(config, "ensemble", 1) > 1:
        raise ConfigError("resume: expected one network, got an ensemble, which keeps no checkpoints")
    if run_folder is None:
        if resume:
            raise ConfigError("resume=True needs run_folder, the folder that holds the checkpoints, got None")
        yield
        return
    require_saveable(config)
    folder = Path(run_folder)
    with ExitStack() as held:

        def take() -> None:
            held.enter_context(only_run(folder))
            settle(folder)
            require_free(folder, resume=resume, overwrite=overwrite)

        decided_by_the_first(config, take)
        yield


def _written(value: Any) -> str:
    return " × ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _described(data: Any) -> str:
    return str(data) if isinstance(data, str | Path) else "the given data"
