"""Many to one: a label, or a number, for a whole sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from unrolled.data.buckets import BucketLoader, Encoded, collate_many_to_one
from unrolled.data.example import Example, Examples
from unrolled.data.folders import media_file
from unrolled.data.images import formed, is_picture
from unrolled.data.labelled import TargetKind, as_targets
from unrolled.data.loading import load_labelled
from unrolled.data.media import MediaForms, decoded
from unrolled.data.number_lists import number_sequence
from unrolled.data.sound import Recording
from unrolled.data.text import existing_file
from unrolled.data.wording import listed
from unrolled.errors import ConfigError, DataError
from unrolled.models.base import SequenceModel
from unrolled.models.many_to_one import ManyToOne
from unrolled.tasks.base import Estimator, Scored
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.majority import MajorityClass, MeanNumber
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs
from unrolled.tasks.classification.kinds import fit_inputs, inputs_from_json, linear_baselines
from unrolled.tasks.classification.numbers import NumberInputs
from unrolled.tasks.classification.pictures import PictureInputs
from unrolled.tasks.classification.symbols import SymbolInputs
from unrolled.tasks.classification.targets import ClassTargets, Targets, fit_targets, targets_from_json
from unrolled.tasks.classification.texts import TextInputs
from unrolled.tasks.details import most_wrong
from unrolled.tasks.given import given_examples
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.inference import outputs_in_order
from unrolled.tasks.pictures import picture_form
from unrolled.tasks.words import unseen_said
from unrolled.training.loss import Loss

_TARGETS: dict[str, TargetKind] = {"auto": "auto", "classes": "class", "numbers": "number"}
_SHOWN = 12


class Classifier(Estimator[Examples]):
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

    effective: ClassifyConfig
    _inputs: Inputs
    _targets: Targets

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes, in the order of `predict_proba`'s columns.

        Raises:
            ConfigError: not fitted, or fitted to numbers.
        """
        return self._class_targets().vocabulary.symbols

    def predict(self, data: Any) -> list[Any]:
        """The most probable label, or the number, of each sequence.

        Raises:
            DataError: an input is not of the kind seen in training.
        """
        self._require_fitted()
        return self._targets.decode(self._outputs(self._read_later(data, labelled=False)))

    def predict_proba(self, data: Any) -> np.ndarray:
        """The probability of every class for each sequence, ``(sequences, classes)``; columns as in `labels`.

        Raises:
            ConfigError: fitted to numbers.
            DataError: an input is not of the kind seen in training.
        """
        targets = self._class_targets()
        return targets.probabilities(self._outputs(self._read_later(data, labelled=False)))

    def file_ending(self, first: str) -> str | None:
        """As for any task; sequences of numbers that are no lists are in tables."""
        if isinstance(self._inputs, NumberInputs) and not first.lstrip().startswith("["):
            return ".ts" if first.startswith(("@", "#", "%")) else super().file_ending(first) or ".csv"
        return super().file_ending(first)

    def _token_label(self, token: int) -> str:
        assert isinstance(self._inputs, TextInputs | SymbolInputs)
        return self._inputs.vocabulary.decode([token])[0]

    def target_labels(self, targets: Tensor) -> list[str]:
        """The class or the number that a sequence is labelled with."""
        return [self._targets.label(targets)]

    def _class_targets(self) -> ClassTargets:
        self._require_fitted()
        if not isinstance(self._targets, ClassTargets):
            raise ConfigError("this Classifier predicts numbers and has no classes; use predict")
        return self._targets

    def _outputs(self, examples: Examples) -> list[Any]:
        return outputs_in_order(self.model, self._encode(examples), collate_many_to_one)

    def _read(self, data: Any, *, labelled: bool) -> Examples:
        config, targets = self.effective, _TARGETS[self.effective.target]
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            return load_labelled(
                data,
                text=config.text_column,
                values=config.values_column,
                label=config.label_column,
                label_pattern=config.label_pattern,
                group=config.group_column,
                form=config.table_form(self._form),
                targets=targets,
                labelled=labelled,
                forms=self._forms(),
            )
        given = given_examples(data, labelled)
        if self._model is not None and isinstance(self._inputs, PictureInputs):
            given = [replace(item, inputs=_as_path(item.inputs)) for item in given]
        forms = self._forms()
        items = tuple(replace(item, inputs=_sequence(item, forms)) for item in given)
        return as_targets(formed(Examples(items), forms.picture), targets, labelled)

    def _forms(self) -> MediaForms:
        config = self.effective
        return MediaForms(picture_form(config.image_size, config.colour, config.frames))

    def _hold_out(self, data: Examples) -> tuple[Examples, Examples, str]:
        config = self.effective
        return hold_out(data, config.holdout, config.seed, _classes)

    def _prepare(self, train: Examples) -> None:
        self._inputs = fit_inputs(train, self.effective)
        for note in (*train.notes, *self._inputs.notes):
            self._note(note)
        self._suit(self._inputs.kind, self._inputs.suited())
        self._targets = fit_targets(train)
        if isinstance(self._targets, ClassTargets) and self._targets.output_size < 2:
            raise DataError(
                f"expected sequences of two classes or more, got {train[0].target!r} alone",
                path=train[0].source.path,
                remedy="name another column by --label-column, or add examples of other classes",
            )
        if self.effective.target == "auto":
            self._decide(_guess(self._targets), target=self._targets.kind)

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        roles = self._form.roles if self._form else {}
        inputs, column = roles.get("inputs"), roles.get("target") or train[0].source.column
        targets: Targets = self._targets
        found = "numbers"
        if isinstance(targets, ClassTargets):
            names = targets.vocabulary.symbols
            found = f"{len(names)} classes ({listed(names)})"
        return [
            self._inputs.kind
            + (f" in column {inputs!r}" if inputs else "")
            + f" to {found}"
            + (f", labels in column {column!r}" if column else ""),
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> SequenceModel:
        config = self.effective
        return ManyToOne(
            self._inputs.layer(config), config, self._targets.output_size, config.pooling, config.skip
        )

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items = self.effective, self._encode(data)
        if training:
            return BucketLoader(
                items, collate_many_to_one, config.batch_size, seed=config.seed, shard=self._shard
            )
        return BucketLoader(items, collate_many_to_one, config.batch_size, shuffle=False, bucket=1)

    def _encode(self, examples: Sequence[Example]) -> list[Encoded]:
        return [
            Encoded(
                inputs,
                self._targets.placeholder() if example.target is None else self._targets.encode(example),
            )
            for inputs, example in zip(self._inputs.encode(examples), examples, strict=True)
        ]

    def _loss(self) -> Loss:
        return self._targets.loss()

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Accuracy, or RMSE for numbers."""
        return self._targets.monitored

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        expected = [example.target for example in data]
        # What training has not seen cannot be predicted: it is scored as an error, whatever comes out.
        unseen = (target for target in expected if not self._targets.knows(target))
        self._note_once(unseen_said(unseen, len(data), "label", "sequences"))
        items = self._encode(
            [item if self._targets.knows(item.target) else replace(item, target=None) for item in data]
        )

        def score() -> Scored:
            outputs = outputs_in_order(self.model, items, collate_many_to_one)
            predicted = self._targets.decode(outputs)
            bad = self._targets.wrongness(expected, predicted, outputs)

            def shown(row: int) -> dict[str, Any]:
                said = {"input": self._inputs.shown(data[row])}
                return said | {"expected": expected[row], "predicted": predicted[row]}

            return Scored(
                self._targets.scores(expected, predicted),
                len(data),
                "sequences",
                tuple(shown(row) for row in range(min(_SHOWN, len(data)))),
                details={
                    **self._targets.details(expected, predicted, outputs),
                    "wrong": [
                        shown(row) | {self._targets.badness: float(bad[row])} for row in most_wrong(bad)
                    ],
                },
            )

        return score

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        inputs = self._inputs.simple(train)
        targets = [example.target for example in train]
        logistic, ridge = self._inputs.linear
        if not isinstance(self._targets, ClassTargets):
            yield MeanNumber.fit(targets)
            yield ridge.fit(inputs, targets)
            return
        yield MajorityClass.fit(targets)
        yield logistic.fit(inputs, targets)

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        assert isinstance(baseline, PredictingBaseline)
        predicted = baseline.predict(self._inputs.simple(data))
        return self._targets.scores([example.target for example in data], predicted)

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "inputs": {"kind": self._inputs.kind} | self._inputs.to_json(),
            "targets": {"kind": self._targets.kind} | self._targets.to_json(),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = inputs_from_json(vocabularies["inputs"], self.effective)
        self._targets = targets_from_json(vocabularies["targets"])

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return MajorityClass, MeanNumber, *linear_baselines()


def _as_path(given: Any) -> Any:
    """A text given to what reads pictures names a file."""
    return Path(given) if isinstance(given, str) else given


def _sequence(example: Example, forms: MediaForms) -> Any:
    """The text, the recording, the picture, or the numbers as ``(time, channels)``."""
    if isinstance(example.inputs, str | Recording) or is_picture(example.inputs):
        return example.inputs
    if isinstance(example.inputs, Path):
        return decoded(media_file(existing_file(example.inputs)), forms).arrays[0]
    return number_sequence(example.inputs, example.source)


def _classes(example: Example) -> tuple[str, ...]:
    """The labels that training must have seen; numbers need not be."""
    return (example.target,) if isinstance(example.target, str) else ()


def _guess(targets: Targets) -> str:
    if not isinstance(targets, ClassTargets):
        return "The labels are taken as numbers; set target to classes if they are names of classes."
    names = targets.vocabulary.symbols
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"The labels are taken as {len(names)} classes ({listed}); set target to numbers for regression."
