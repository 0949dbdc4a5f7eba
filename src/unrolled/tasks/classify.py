"""Many to one: a label, several labels, or a number, for a whole sequence."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NotRequired, Self, cast

import numpy as np
import torch
from pydantic import Field, with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_many_to_one
from unrolled.data.captions import condition
from unrolled.data.example import Example, Examples
from unrolled.data.images import formed, is_picture
from unrolled.data.loading import load_labelled
from unrolled.data.media import MediaForms
from unrolled.data.number_lists import number_sequence
from unrolled.data.sound import Recording
from unrolled.data.targets import TargetKind, as_targets, is_missing_target, split_labels
from unrolled.data.text_pairs import TextPair, is_pair_of_texts, pair_of
from unrolled.data.vocabulary import Vocabulary
from unrolled.data.wording import listed
from unrolled.errors import ConfigError, DataError
from unrolled.models.base import SequenceModel
from unrolled.models.direct import HALF, SHARES, DirectConnection, mixed
from unrolled.models.ensemble import Average, networks_of
from unrolled.models.many_to_one import ManyToOne
from unrolled.models.pair_to_one import PairToOne
from unrolled.saving.schema import ENTRIES, Positive, Size
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.majority import MajorityClass, MeanNumber
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.direct import fitted_direct
from unrolled.tasks.classification.label_sets import COLLECTIONS, INDICATOR, given_sets, in_form
from unrolled.tasks.classification.targets import (
    ClassTargets,
    LabelTargets,
    NamedTargets,
    SavedNames,
    SavedNumber,
    Targets,
    fit_targets,
    targets_from_json,
)
from unrolled.tasks.continuing import add_labels
from unrolled.tasks.details import most_wrong
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.example_task import SHOWN
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.hub_card import CLASSIFICATION
from unrolled.tasks.inference import outputs_in_order
from unrolled.tasks.inputs.files import from_file
from unrolled.tasks.inputs.kinds import fit_steps, simple_methods, steps_from_json, to_json
from unrolled.tasks.inputs.numbers import NumberKind
from unrolled.tasks.inputs.picture_scale import picture_form
from unrolled.tasks.inputs.pictures import PictureKind
from unrolled.tasks.inputs.saved import SavedKind
from unrolled.tasks.inputs.several import split
from unrolled.tasks.label_values import LabelValues, SavedLabels
from unrolled.tasks.metrics import ALONE
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.shares import Part
from unrolled.tasks.steps_task import StepsTask
from unrolled.tasks.target_column import require_classes, target_column
from unrolled.tasks.words import unseen_said
from unrolled.training.loss import Loss

_TARGETS: dict[str, TargetKind] = {
    "auto": "auto",
    "classes": "class",
    "labels": "labels",
    "numbers": "number",
}


@with_config(ENTRIES)
class _Saved(TypedDict):
    inputs: SavedKind
    targets: Annotated[SavedNames | SavedNumber, Field(discriminator="kind")]
    weights: list[Positive] | None
    labels: SavedLabels | None
    sets: Annotated[str, Field(pattern=INDICATOR)] | None
    direct: NotRequired[Size | None]


class OneTarget(StepsTask[ClassifyConfig]):
    """What predicts one target for a whole sequence."""

    Saved = _Saved
    collate = staticmethod(collate_many_to_one)

    _targets: Targets

    def _reset(self) -> None:
        super()._reset()
        self._weights: list[float] | None = None
        self._labels: LabelValues | None = None
        self._sets: str | None = None
        self._places: int | None = None

    def predict(self, data: Any = None, **options: Any) -> Any:
        """The most probable label, the labels, or the number, of each sequence.

        Args:
            data: the sequences, in any form that `fit` takes.
            options: of the prediction.

        Returns:
            Labels as they came; an array where `fit` was given ``X`` and ``y``, else a list. Where there may
            be several labels, those that are more likely there than not.

        Raises:
            DataError: an input is not of the kind seen in training.
        """
        values = super().predict(data, **options)
        if isinstance(self._targets, LabelTargets):
            return in_form(values, self._sets or "list", self._restored(self._targets.vocabulary.symbols))
        if self._given_form is None:
            return values
        return np.array(values) if self._labels is None else self._labels.array(values)

    def score(self, X: Any, y: Any = None) -> float:
        """The accuracy, of several labels that of all together, of numbers the variance explained (R2).

        Args:
            X: as for `evaluate`.
            y: as for `evaluate`.
        """
        return self.evaluate(X, y, baselines=False).scores[self._targets.scored]

    @property
    def _kind(self) -> Literal["classifier", "regressor"]:
        return "regressor" if self.config.target == "numbers" else "classifier"

    def _targets_given(self, y: Any, *, fitting: bool) -> list[Any]:
        several = given_sets(y) if self.effective.target in ("auto", "labels") else None
        if several is not None:
            found, labels, form = several
            if fitting:
                self._labels, self._sets = labels, form
                self._effective = self.effective.model_copy(update={"target": "labels"})
            return found
        if self._target_kind == "labels":
            return list(y)
        column = target_column(y)
        if self._kind == "classifier":
            require_classes(column)
            if fitting:
                self._labels = LabelValues.of_array(column)
                # Who gives y means classes by it, however many whole numbers there are.
                self._effective = self.effective.model_copy(update={"target": "classes"})
        return (column.astype(str) if column.dtype.kind in "mM" else column).tolist()

    def _sequences(self, X: Any, *, fitting: bool) -> list[Any]:
        if self.effective.feature_columns and hasattr(X, "columns"):  # a sequence and values beside it
            self._given_form = self._given_form or GivenForm()
            return X.to_dict("records")
        return super()._sequences(X, fitting=fitting)

    def _outputs(self, data: Any) -> list[Tensor]:
        self._require_fitted()
        return self._run(self._encode(self._read_inputs(data)), self.Options())

    @property
    def hub_task(self) -> str | None:
        """By what is read."""
        return CLASSIFICATION.get(self._inputs.kind)

    def file_ending(self, first: str) -> str | None:
        """As for any task; numbers that are no lists are in tables, objects with an input are inputs."""
        if self.effective.feature_columns and first.lstrip().startswith("{") and '"input"' in first:
            return None
        if isinstance(self._inputs, NumberKind) and not first.lstrip().startswith("["):
            return ".ts" if first.startswith(("@", "#", "%")) else super().file_ending(first) or ".csv"
        return super().file_ending(first)

    def target_labels(self, targets: Tensor) -> list[str]:
        """The class or the number that a sequence is labelled with."""
        return [self._targets.label(targets)]

    def _run(self, items: list[Encoded], options: Any) -> list[Tensor]:
        return outputs_in_order(self.model, items, collate_many_to_one)

    def _decode(self, outputs: Sequence[Any], data: Examples, options: Any) -> list[Prediction]:
        made = self._targets.predictions([torch.as_tensor(each) for each in outputs])
        if self._labels is None or not isinstance(self._targets, NamedTargets):
            return made
        if isinstance(self._targets, LabelTargets):
            return [replace(each, value=list(self._restored(each.value))) for each in made]
        values = self._labels.restored([each.value for each in made])
        return [replace(each, value=value) for each, value in zip(made, values, strict=True)]

    def _restored(self, names: Sequence[str]) -> list[Any]:
        """Labels as they came."""
        return list(names if self._labels is None else self._labels.restored(names))

    @property
    def between(self) -> str:
        """What stands between several labels where they are written as one text."""
        return self.effective.label_separator or "; "

    def _load(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        examples = load_labelled(
            data,
            text=config.text_column,
            values=config.values_column,
            pair=config.pair_column,
            sequence=config.sequence_column,
            time=config.time_column,
            label=config.label_columns or config.label_column,
            label_pattern=config.label_pattern,
            group=config.group_column,
            **({"beside": config.feature_columns} if config.feature_columns else {}),
            form=config.table_form(self._form),
            targets=self._target_kind,
            labelled=labelled,
            forms=self._forms(),
        )
        if labelled and self._model is None and self._labels is None and hasattr(data, "columns"):
            self._labels = _labels_of(data, examples)
        return examples

    @property
    def _target_kind(self) -> TargetKind:
        config = self.effective
        several = config.label_separator is not None or bool(config.label_columns)
        if several and config.target not in ("auto", "labels"):
            option = "label_separator" if config.label_separator is not None else "label_columns"
            raise ConfigError(
                f"{option}: expected several labels as targets, got target {config.target!r}; leave one out"
            )
        return "labels" if several else _TARGETS[config.target]

    def _given(self, example: Example, *, labelled: bool) -> Example:
        if self.effective.feature_columns:
            example = split(example, self.effective.feature_columns)
            example = replace(example, beside=condition(example.beside, example.source))
        given = example.inputs
        if self._model is not None and isinstance(self._inputs, PictureKind):
            given = _as_path(given)
        kind = None if self._model is None else self._inputs.kind
        inputs = _sequence(replace(example, inputs=given), self._forms(), kind)
        if not isinstance(inputs, str | TextPair | Recording) and not is_picture(inputs) and not len(inputs):
            raise example.source.error("expected a sequence of one step at least, got none")
        return replace(example, inputs=inputs)

    def _settled(self, examples: Examples, *, labelled: bool, part: Part) -> Examples:
        separator = self.effective.label_separator
        if labelled and separator is not None:
            examples = split_labels(examples, separator)
        columns = self.effective.feature_columns
        for example in examples if columns else ():
            if example.beside is None:
                raise example.source.error(
                    f"expected the columns {', '.join(columns)} beside the sequence, got none",
                    remedy="give a table with them, or leave feature_columns out",
                )
        return examples

    def _all_given(self, examples: Examples, *, labelled: bool) -> Examples:
        if labelled and self._model is None and self._labels is None:
            given = [each.target for each in examples]
            several = given_sets(given)
            if several is not None:
                _, self._labels, self._sets = several
            elif self._target_kind != "labels":
                self._labels = LabelValues.of_list(given)
        pictures = formed(examples, self._forms().picture)
        return as_targets(pictures, self._target_kind, labelled)

    def _unseen_labels(self, data: Examples) -> list[str]:
        return list(dict.fromkeys(label for each in data for label in self._targets.unseen(each.target)))

    def _add_labels(self, labels: Sequence[str]) -> None:
        assert isinstance(self._targets, NamedTargets)
        self._targets = self._targets.extended(labels)
        if self._weights is not None:  # what a class weighs that is as frequent as the mean
            self._weights = [*self._weights, *[1.0] * len(labels)]
        if self._labels is not None:
            self._labels = self._labels.extended(labels)

    def _forms(self) -> MediaForms:
        config = self.effective
        return MediaForms(picture_form(config.image_size, config.colour, config.frames))

    def _symbols_of(self, example: Example) -> tuple[str, ...]:
        if isinstance(example.target, tuple):
            return example.target
        return (example.target,) if isinstance(example.target, str) else ()

    def _prepare(self, train: Examples) -> None:
        self._inputs = fit_steps(train, self.effective)
        for note in (*train.notes, *self._inputs.notes):
            self._note(note)
        self._suit(
            self._inputs.described, self._inputs.settled() | self._inputs.suited(train, self.effective)
        )
        self._targets = fit_targets(train)
        if isinstance(self._targets, NamedTargets) and self._labels is not None and self._orders_labels:
            # In the order of their values, or of an array's columns.
            self._targets = type(self._targets)(Vocabulary(self._labels.names, "label"))
        if isinstance(self._targets, ClassTargets) and self._targets.output_size < 2:
            raise DataError(
                f"expected sequences of two classes or more, got {train[0].target!r} alone",
                path=train[0].source.path,
                remedy="name another column by --label-column, or add examples of other classes",
            )
        if isinstance(self._targets, LabelTargets) and not self._targets.output_size:
            raise DataError("expected labels, got none in any row", path=train[0].source.path)
        if self.effective.direct and self._inputs.symbols is None:
            raise ConfigError(
                f"direct: expected texts, or strings that differ in length, got {self._inputs.described}; "
                "leave direct out"
            )
        if self.effective.class_weight is not None:
            if not isinstance(self._targets, NamedTargets):
                raise ConfigError(
                    "class_weight: expected classes, got numbers as targets; leave class_weight out, or set "
                    "target to classes"
                )
            self._weights = self._targets.balanced([each.target for each in train])
        if self.effective.target == "auto":
            self._decide(_guess(self._targets), target=self._targets.kind)

    @property
    def _orders_labels(self) -> bool:
        """Whether the labels came in an order of their own."""
        assert self._labels is not None
        return self._labels.dtype is not None or (self._sets is not None and self._sets not in COLLECTIONS)

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        roles = self._form.roles if self._form else {}
        columns = [repr(roles[role]) for role in ("inputs", "pair") if role in roles]
        column = roles.get("target") or train[0].source.column
        targets: Targets = self._targets
        found = "numbers"
        if isinstance(targets, NamedTargets):
            names = targets.vocabulary.symbols
            found = f"{len(names)} {targets.kind} ({listed(names)})"
        if isinstance(targets, LabelTargets):
            mean = sum(len(each.target) for each in train) / len(train)
            none = sum(not each.target for each in train)
            found = f"any of {found}, {mean:.3g} a row on average"
            found += f", none in {none:,} rows" if none else ""
        return [
            self._inputs.described
            + (f" in column{'s' * (len(columns) > 1)} {' and '.join(columns)}" if columns else "")
            + f" to {found}"
            + (f", labels in column {column!r}" if column else ""),
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> SequenceModel:
        config = self.effective
        kind, outputs = PairToOne if self._inputs.pairs else ManyToOne, self._targets.output_size
        network = kind(self._inputs.layer(config), config, outputs, config.pooling, config.skip)
        if self._places is not None:
            assert self._inputs.symbols is not None
            network.connect(DirectConnection(*self._inputs.symbols, self._places, outputs))
        return network

    def _train(
        self,
        training: Examples,
        held_out: Examples,
        name: str,
        run_folder: str | Path | None,
        resume: bool,
        progress: bool,
        known: Mapping[str, Tensor] | None = None,
    ) -> None:
        if self.effective.direct and self._places is None:
            made = fitted_direct(self._inputs, self._targets, training, self._weights)
            self._places = made.places
            for network in networks_of(self.model):
                cast(ManyToOne, network).connect(copy.deepcopy(made))
        super()._train(training, held_out, name, run_folder, resume, progress, known)
        if self._places is not None:
            self._weigh(held_out, name)

    def _training_scorer(self, held_out: Examples) -> tuple[Callable[[], Scored], str, Literal["min", "max"]]:
        if self._places is None:
            return super()._training_scorer(held_out)
        items, scored = self._scoring(held_out)
        monitor, best = self.monitored
        alone = f"{monitor}{ALONE}"
        said = self._run_sharing(1.0, items)

        def score() -> Scored:
            outputs = self._run_sharing(0.0, items)
            self._share_outputs(HALF)
            found = scored([mixed(HALF, *both) for both in zip(outputs, said, strict=True)])
            return replace(found, scores={**found.scores, alone: scored(outputs).scores[monitor]})

        # The linear model is there from the first epoch on; what becomes better is the network.
        return score, alone, best

    def _weigh(self, held_out: Examples, name: str) -> None:
        """Give the direct connection the share of the outputs that makes the loss on other data least."""
        known = [each for each in held_out if not self._targets.unseen(each.target)]
        if not known:
            return
        items = self._encode(known)
        alone, said = (torch.stack(self._run_sharing(share, items)) for share in (0.0, 1.0))
        # Of the inputs a step is enough here: side by side, long texts would fill the memory.
        short = [
            Encoded({name: array[:1] for name, array in each.inputs.items()}, each.target) for each in items
        ]
        batch, loss = collate_many_to_one(short), self._loss()
        losses = {share: loss(mixed(share, alone, said), batch).total for share in SHARES}
        share = min(losses, key=lambda each: float(losses[each]))
        self._share_outputs(share)
        self._note(
            f"{share:.0%} of the outputs are the direct connection's, a linear model of {self._inputs.unit} "
            f"in a row: so the loss on the {name} is least."
        )

    def _run_sharing(self, share: float, items: list[Encoded]) -> list[Tensor]:
        """The outputs where the direct connection has such a share of them."""
        self._share_outputs(share)
        return self._run(items, None)

    def _share_outputs(self, share: float) -> None:
        for each in self._connections():
            each.share.fill_(share)

    @contextmanager
    def network_alone(self) -> Iterator[str]:
        """Within it the direct connection has no part in the answers."""
        connections = self._connections()
        shares = [each.share.clone() for each in connections]
        self._share_outputs(0.0)
        try:
            yield "its direct connection" if any(map(float, shares)) else ""
        finally:
            for each, share in zip(connections, shares, strict=True):
                each.share.copy_(share)

    def _connections(self) -> list[DirectConnection]:
        networks = [network for network in networks_of(self.model) if isinstance(network, ManyToOne)]
        return [network.direct for network in networks if network.direct is not None]

    def _encode(self, data: Sequence[Example]) -> list[Encoded]:
        return [
            Encoded(
                inputs,
                self._targets.placeholder() if example.target is None else self._targets.encode(example),
            )
            for inputs, example in zip(self._inputs.encode(data), data, strict=True)
        ]

    def _averaged(self) -> Average:
        return self._targets.averaged

    def _loss(self) -> Loss:
        return self._targets.loss(self._weights)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Accuracy, F1 of several labels, or RMSE for numbers."""
        return self._targets.monitored

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        items, scored = self._scoring(data)
        return lambda: scored(self._run(items, None))

    def _scoring(self, data: Examples) -> tuple[list[Encoded], Callable[[list[Tensor]], Scored]]:
        """What the network reads of data, and what scores the outputs for it."""
        expected = [example.target for example in data]
        # What training has not seen cannot be predicted: it is scored as an error, whatever comes out.
        unseen = [self._targets.unseen(target) for target in expected]
        self._note_once(unseen_said(chain.from_iterable(unseen), len(data), "label", "sequences"))
        items = self._encode(
            [replace(item, target=None) if new else item for item, new in zip(data, unseen, strict=True)]
        )

        def scored(outputs: list[Tensor]) -> Scored:
            predicted = self._targets.decode(outputs)
            bad = self._targets.wrongness(expected, predicted, outputs)

            def shown(row: int) -> dict[str, Any]:
                said = {"input": self._inputs.shown(data[row])}
                return said | {"expected": _plain(expected[row]), "predicted": _plain(predicted[row])}

            return Scored(
                self._targets.scores(expected, predicted),
                len(data),
                "sequences",
                tuple(shown(row) for row in range(min(SHOWN, len(data)))),
                details={
                    **self._targets.details(expected, predicted, outputs),
                    "wrong": [
                        shown(row) | {self._targets.badness: float(bad[row])} for row in most_wrong(bad)
                    ],
                },
            )

        return items, scored

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        inputs = self._inputs.summaries(train)
        targets = [example.target for example in train]
        classes = isinstance(self._targets, NamedTargets)
        yield MajorityClass.fit(targets) if classes else MeanNumber.fit(targets)
        if classes and len(set(targets)) < 2:  # of what is trained on with, where nothing tells them apart
            return
        kind = self._inputs
        for method in kind.simple_classifiers if classes else kind.simple_regressors:
            yield method.fit(inputs, targets)

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        assert isinstance(baseline, PredictingBaseline)
        predicted = baseline.predict(self._inputs.summaries(data))
        return self._targets.scores([example.target for example in data], predicted)

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "inputs": to_json(self._inputs),
            "targets": {"kind": self._targets.kind} | self._targets.to_json(),
            "weights": self._weights,
            "labels": None if self._labels is None else self._labels.to_json(),
            "sets": self._sets,
            "direct": self._places,
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = steps_from_json(vocabularies["inputs"], self.effective)
        self._targets = targets_from_json(vocabularies["targets"])
        self._weights = vocabularies["weights"]
        self._sets = vocabularies["sets"]
        self._places = vocabularies.get("direct")
        labels = vocabularies["labels"]
        self._labels = None if labels is None else LabelValues.from_json(labels)

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return MajorityClass, MeanNumber, *simple_methods()


class Classifier(OneTarget):
    """Predict a label, or a number, for a text, a sequence of numbers, a recording, an image or a clip.

    Data is a path (CSV, TSV, JSON lines, Parquet, ``.ts`` of the UCR/UEA archive, or a folder of files), the
    name of built-in data, a DataFrame, or a list: of ``(input, target)`` pairs to learn from, of inputs to
    predict for. An input is a text, an array of numbers ``(time,)`` or ``(time, channels)``, or the path of a
    file.

    Example:
        >>> reviews = [("a fine film", "good"), ("fine", "good"), ("a dull film", "bad"), ("so dull", "bad")]
        >>> classifier = Classifier(hidden_size=8, epochs=30).fit(reviews, dev=reviews)
        >>> classifier.predict(["fine", "dull"])
        ['good', 'bad']
        >>> classifier.labels
        ('bad', 'good')
    """

    task: ClassVar[str] = "classify"
    Config = ClassifyConfig

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes, in the order of `predict_proba`'s columns.

        Raises:
            ConfigError: not fitted, or fitted to numbers.
        """
        return self._named_targets().vocabulary.symbols

    def partial_fit(self, X: Any, y: Any = None, *, classes: Iterable[Any] = (), **how: Any) -> Self:
        """Go on training with new data; see `Estimator.partial_fit`.

        Args:
            X: as for `fit`.
            y: as for `fit`.
            classes: all there will ever be, as scikit-learn's first call takes them; for those that the model
                has not seen there is room from now on.
            how: as for `Estimator.partial_fit`.
        """
        super().partial_fit(X, y, **how)
        names = LabelValues.of_list(classes).names
        if unseen := [name for name in names if name not in self.labels]:
            add_labels(self, unseen)
        return self

    @property
    def classes_(self) -> np.ndarray:
        """The classes as they came, in the order of `predict_proba`'s columns.

        Raises:
            ConfigError: not fitted, or fitted to numbers.
        """
        values = self._labels or LabelValues({})
        return values.array(values.restored(self.labels))

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of every class for each sequence, ``(sequences, classes)``; columns as `classes_`.

        Of several labels, that of each by itself.

        Args:
            X: as for `predict`.

        Raises:
            ConfigError: fitted to numbers.
            DataError: an input is not of the kind seen in training.
        """
        return self._named_targets().probabilities(self._outputs(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """The network's score of every class, ``(sequences, classes)``; of two, by how much the second leads.

        Args:
            X: as for `predict`.

        Raises:
            ConfigError: fitted to numbers.
            DataError: an input is not of the kind seen in training.
        """
        targets = self._named_targets()
        scores = np.array([output.double().numpy() for output in self._outputs(X)])
        scores = scores.reshape(-1, targets.output_size)
        two = isinstance(targets, ClassTargets) and targets.output_size == 2
        return scores[:, 1] - scores[:, 0] if two else scores

    def _named_targets(self) -> NamedTargets:
        self._require_fitted()
        if not isinstance(self._targets, NamedTargets):
            raise ConfigError("this Classifier predicts numbers and has no classes; use predict")
        return self._targets


def _labels_of(frame: Any, examples: Examples) -> LabelValues | None:
    """The labels of a frame as they are in it; None where its examples have no column of them."""
    column = None if examples.form is None else examples.form.roles.get("target")
    if column is None or not isinstance(examples[0].target, str | tuple):
        return None
    if isinstance(examples[0].target, tuple):
        several = given_sets([each for each in frame[column].tolist() if not is_missing_target(each)])
        return None if several is None else several[1]
    values = LabelValues.of_list(frame[column].tolist())
    return values if set(values.names) >= {example.target for example in examples} else None


def _plain(target: Any) -> Any:
    """A target as plain JSON."""
    return list(target) if isinstance(target, tuple) else target


def _as_path(given: Any) -> Any:
    """A text given to what reads pictures names a file."""
    return Path(given) if isinstance(given, str) else given


def _sequence(example: Example, forms: MediaForms, kind: str | None) -> Any:
    """The text, the recording, the picture, or the numbers as ``(time, channels)``."""
    if isinstance(example.inputs, str | TextPair | Recording) or is_picture(example.inputs):
        return example.inputs
    if is_pair_of_texts(example.inputs) or isinstance(example.inputs, Mapping):
        return pair_of(example.inputs, example.source)
    if isinstance(example.inputs, Path | bytes):
        return from_file(example.inputs, example.source, forms, kind)
    return number_sequence(example.inputs, example.source, gaps=True)


def _guess(targets: Targets) -> str:
    if not isinstance(targets, NamedTargets):
        return "The labels are taken as numbers; set target to classes if they are names of classes."
    if isinstance(targets, LabelTargets):
        return "Each row may have several labels, of which each is predicted by itself."
    names = targets.vocabulary.symbols
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"The labels are taken as {len(names)} classes ({listed}); set target to numbers for regression."
