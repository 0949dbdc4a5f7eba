"""What one target for a whole sequence is learned from: the forms in which both are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from unrolled.data.captions import condition
from unrolled.data.example import Example, Examples
from unrolled.data.images import formed, is_picture
from unrolled.data.loading import load_labelled
from unrolled.data.media import MediaForms
from unrolled.data.number_lists import number_sequence
from unrolled.data.sound import Recording
from unrolled.data.targets import TargetKind, as_targets, is_missing_target, split_labels
from unrolled.data.text_pairs import TextPair, is_pair_of_texts, pair_of
from unrolled.errors import ConfigError
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.label_sets import given_sets
from unrolled.tasks.given_inputs import GivenForm
from unrolled.tasks.inputs.files import from_file
from unrolled.tasks.inputs.numbers import NumberKind
from unrolled.tasks.inputs.picture_scale import picture_form
from unrolled.tasks.inputs.pictures import PictureKind
from unrolled.tasks.inputs.several import split
from unrolled.tasks.label_values import LabelValues
from unrolled.tasks.shares import Part
from unrolled.tasks.steps_task import StepsTask
from unrolled.tasks.target_column import require_classes, target_column

_TARGETS: dict[str, TargetKind] = {
    "auto": "auto",
    "classes": "class",
    "labels": "labels",
    "numbers": "number",
}


class TargetReading(StepsTask[ClassifyConfig]):
    """A task that reads sequences with one target each, or several labels."""

    def _reset(self) -> None:
        super()._reset()
        self._labels: LabelValues | None = None
        self._sets: str | None = None

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

    def file_ending(self, first: str) -> str | None:
        """As for any task; numbers that are no lists are in tables, objects with an input are inputs."""
        if self.effective.feature_columns and first.lstrip().startswith("{") and '"input"' in first:
            return None
        if isinstance(self._inputs, NumberKind) and not first.lstrip().startswith("["):
            return ".ts" if first.startswith(("@", "#", "%")) else super().file_ending(first) or ".csv"
        return super().file_ending(first)

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

    def _forms(self) -> MediaForms:
        config = self.effective
        return MediaForms(picture_form(config.image_size, config.colour, config.frames))

    def _symbols_of(self, example: Example) -> tuple[str, ...]:
        if isinstance(example.target, tuple):
            return example.target
        return (example.target,) if isinstance(example.target, str) else ()


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
