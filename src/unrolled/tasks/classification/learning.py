"""What is settled and learned for one target of a whole sequence, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_many_to_one
from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import Vocabulary
from unrolled.data.wording import listed
from unrolled.errors import ConfigError, DataError, ModelFolderError
from unrolled.models.base import SequenceModel
from unrolled.models.ensemble import Average
from unrolled.models.many_to_one import ManyToOne
from unrolled.models.pair_to_one import PairToOne
from unrolled.saving.schema import ENTRIES, Positive
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.majority import MajorityClass, MeanNumber
from unrolled.tasks.classification.label_sets import COLLECTIONS, INDICATOR
from unrolled.tasks.classification.reading import TargetReading
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
from unrolled.tasks.details import most_wrong
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.example_task import SHOWN
from unrolled.tasks.inference import outputs_in_order
from unrolled.tasks.inputs.kinds import fit_steps, simple_methods, steps_from_json, to_json
from unrolled.tasks.inputs.saved import SavedKind
from unrolled.tasks.label_values import LabelValues, SavedLabels
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.words import unseen_said
from unrolled.training.loss import Loss


@with_config(ENTRIES)
class SavedTarget(TypedDict):
    """What a model folder says of one target."""

    inputs: SavedKind
    targets: Annotated[SavedNames | SavedNumber, Field(discriminator="kind")]
    weights: list[Positive] | None
    labels: SavedLabels | None
    sets: Annotated[str, Field(pattern=INDICATOR)] | None


class TargetLearning(TargetReading):
    """A task with one target for a whole sequence: its network, its loss, its scores."""

    Saved = SavedTarget
    collate = staticmethod(collate_many_to_one)

    _targets: Targets

    def _reset(self) -> None:
        super()._reset()
        self._weights: list[float] | None = None

    def target_labels(self, targets: Tensor) -> list[str]:
        """The class or the number that a sequence is labelled with."""
        return [self._targets.label(targets)]

    def _unseen_labels(self, data: Examples) -> list[str]:
        return list(dict.fromkeys(label for each in data for label in self._targets.unseen(each.target)))

    def _add_labels(self, labels: Sequence[str]) -> None:
        assert isinstance(self._targets, NamedTargets)
        self._targets = self._targets.extended(labels)
        if self._weights is not None:  # what a class weighs that is as frequent as the mean
            self._weights = [*self._weights, *[1.0] * len(labels)]
        if self._labels is not None:
            self._labels = self._labels.extended(labels)

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
        return kind(self._inputs.layer(config), config, outputs, config.pooling, config.skip)

    def _averaged(self) -> Average:
        return self._targets.averaged

    def _loss(self) -> Loss:
        return self._targets.loss(self._weights)

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Accuracy, F1 of several labels, or RMSE for numbers."""
        return self._targets.monitored

    def _encode(self, data: Sequence[Example]) -> list[Encoded]:
        return [
            Encoded(
                inputs,
                self._targets.placeholder() if example.target is None else self._targets.encode(example),
            )
            for inputs, example in zip(self._inputs.encode(data), data, strict=True)
        ]

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
        expected = [example.target for example in data]
        if isinstance(expected[0], tuple) != isinstance(predicted[0], tuple):
            raise ModelFolderError(
                f"baselines.json: expected a {baseline.name!r} as for these examples, of one label each or "
                "of sets of labels, got the other; use the release that wrote it, or train again."
            )
        return self._targets.scores(expected, predicted)

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "inputs": to_json(self._inputs),
            "targets": {"kind": self._targets.kind} | self._targets.to_json(),
            "weights": self._weights,
            "labels": None if self._labels is None else self._labels.to_json(),
            "sets": self._sets,
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = steps_from_json(vocabularies["inputs"], self.effective)
        self._targets = targets_from_json(vocabularies["targets"])
        self._weights = vocabularies["weights"]
        self._sets = vocabularies["sets"]
        labels = vocabularies["labels"]
        self._labels = None if labels is None else LabelValues.from_json(labels)

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return MajorityClass, MeanNumber, *simple_methods()


def _plain(target: Any) -> Any:
    """A target as plain JSON."""
    return list(target) if isinstance(target, tuple) else target


def _guess(targets: Targets) -> str:
    if not isinstance(targets, NamedTargets):
        return "The labels are taken as numbers; set target to classes if they are names of classes."
    if isinstance(targets, LabelTargets):
        return "Each row may have several labels, of which each is predicted by itself."
    names = targets.vocabulary.symbols
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"The labels are taken as {len(names)} classes ({listed}); set target to numbers for regression."
