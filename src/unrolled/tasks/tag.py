"""Many to many of equal length: a tag for every word of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_many_to_many
from unrolled.data.example import Example, Examples
from unrolled.data.images import formed
from unrolled.data.loading import load_with_layout
from unrolled.data.offset_spans import annotated_columns
from unrolled.data.token_columns import SavedLayout, TokenLayout, begins_tokens
from unrolled.data.vocabulary import SavedVocabulary, Vocabulary
from unrolled.data.wording import listed
from unrolled.models.base import SequenceModel
from unrolled.models.crf import best_path, marginals
from unrolled.models.ensemble import Average
from unrolled.models.many_to_many import ManyToMany
from unrolled.saving.schema import ENTRIES, Positive
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.frequent_tag import MostFrequentTag
from unrolled.tasks.baselines.steps import MajorityTag, StepLogistic
from unrolled.tasks.class_weights import balanced_weights
from unrolled.tasks.crf_loss import PathLikelihood
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.example_task import SHOWN
from unrolled.tasks.inference import outputs_in_order
from unrolled.tasks.inputs.kinds import fit_steps, steps_from_json, to_json
from unrolled.tasks.inputs.picture_scale import picture_form
from unrolled.tasks.inputs.saved import SavedKind
from unrolled.tasks.inputs.schema import InputSchema, WordsSchema
from unrolled.tasks.label_values import LabelValues, SavedLabels
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.scores import tag_scores
from unrolled.tasks.shares import Part
from unrolled.tasks.spans import are_span_tags
from unrolled.tasks.steps_task import StepsTask
from unrolled.tasks.tagging.config import TagConfig
from unrolled.tasks.tagging.given_tags import with_tag_names
from unrolled.tasks.tagging.pairs import are_spelled, check_pairs, cut
from unrolled.tasks.words import unseen_said
from unrolled.training.loss import CrossEntropy, Loss

_ALL_FRAMES = 1_000_000
"""Frames of a clip that are read at most: each has its tag."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    inputs: SavedKind
    tags: SavedVocabulary
    layout: SavedLayout | None
    weights: list[Positive] | None
    labels: SavedLabels | None


class Tagger(StepsTask[TagConfig]):
    """Predict a tag for every word of a sentence, or for every step of a sequence of numbers.

    Data is a path (CoNLL-U, a word and its tag on each line, JSON lines, Parquet, a table with a row a step,
    a folder of one table a sequence), the name of built-in data, a DataFrame, or a list: of ``(words, tags)``
    pairs to learn from, or of texts with spans of their characters,
    ``(text, {"entities": [(0, 3, "PER")]})``; of lists of words to predict for. In place of the words may be
    an array of numbers ``(time, channels)``.

    Example:
        >>> sentences = [(["the", "cat", "runs"], ["D", "N", "V"]), (["a", "dog", "sits"], ["D", "N", "V"])]
        >>> tagger = Tagger(min_count=1, epochs=40, patience=None).fit(sentences, dev=sentences)
        >>> tagger.predict([["a", "cat", "sits"], []])
        [['D', 'N', 'V'], []]
    """

    task: ClassVar[str] = "tag"
    Saved = _Saved
    _counted = "sentences or sequences"
    Config = TagConfig
    collate = staticmethod(collate_many_to_many)

    _tags: Vocabulary
    _layout: TokenLayout | None

    def _reset(self) -> None:
        super()._reset()
        self._layout = None
        self._weights: list[float] | None = None
        self._labels: LabelValues | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The names of the tags, in the order of the network's outputs."""
        self._require_fitted()
        return self._tags.symbols

    @property
    def classes_(self) -> np.ndarray:
        """The tags as they came, in the order of the network's outputs."""
        values = self._labels or LabelValues({})
        return values.array(values.restored(self.tags))

    @staticmethod
    def _is_pair(entry: Any) -> bool:
        # Two words of a sentence are none.
        return isinstance(entry, tuple) and len(entry) == 2 and not np.isscalar(entry[1])

    @property
    def marks_spans(self) -> bool:
        """Whether the tags mark spans, as ``B-PER I-PER O`` do."""
        return are_span_tags(self._tags.symbols)

    def input_schema(self) -> InputSchema:
        """That of the kind of input seen in training; texts are cut as those were."""
        schema = super().input_schema()
        if not isinstance(schema, WordsSchema):
            return schema
        return schema.model_copy(update={"marks": bool(self.effective.marks)})

    @property
    def hub_task(self) -> str | None:
        """Whatever is tagged."""
        return "token-classification"

    def file_ending(self, first: str) -> str | None:
        """As for any task; numbers that are no lists are in tables, and tokens a line in files."""
        if self._inputs.kind == "numbers":
            return None if first.lstrip().startswith("[") else super().file_ending(first) or ".csv"
        if self._layout is None:
            return super().file_ending(first)
        return ".conll" if begins_tokens(first, self._layout, self.tags) else None

    def target_labels(self, targets: Tensor) -> list[str]:
        """The tag of every step."""
        return self._tags.decode(targets.tolist())

    def predict_proba(self, X: Any) -> list[np.ndarray]:
        """The probability of every tag at every step, ``(time, tags)`` each; columns as `classes_`.

        With a CRF these are its marginals, so the most probable tag of a step need not be that of the best
        path, which `predict` gives.

        Args:
            X: as for `predict`.

        Raises:
            DataError: an input is not of the kind seen in training.
        """
        self._require_fitted()
        items = self._encode(self._read_inputs(X))
        found = self._outputs(items, self._chances, torch.zeros(0, len(self._tags), dtype=torch.float64))
        return [chances.numpy() for chances in found]

    def _run(self, items: list[Encoded], options: Any) -> list[Tensor]:
        """The numbers of the best tags ``(time,)``."""
        return self._outputs(items, self._kept, torch.zeros(0, dtype=torch.int64))

    def _outputs(
        self, items: list[Encoded], read: Callable[[Tensor, Tensor], Tensor], nothing: Tensor
    ) -> list[Tensor]:
        """What is read of each sentence's outputs; of one without words, which none can read, nothing."""
        spoken = [item for item in items if len(item)]
        rows = iter(outputs_in_order(self.model, spoken, collate_many_to_many, read))
        return [next(rows) if len(item) else nothing for item in items]

    def _chances(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        scores = outputs.double()
        return marginals(scores, lengths) if self.effective.crf else scores.softmax(-1)

    def _kept(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Of a batch's outputs the best tags alone, which are a small part of them."""
        return best_path(outputs, lengths) if self.effective.crf else outputs.argmax(-1)

    def _decode(self, outputs: Sequence[Any], data: Examples, options: Any) -> list[Prediction]:
        named = self._named(outputs)
        return [Prediction(tags if self._labels is None else self._labels.restored(tags)) for tags in named]

    def _named(self, outputs: Sequence[Any]) -> list[list[str]]:
        """The names of the best tags of each sentence."""
        return [self._tags.decode(tags.tolist()) for tags in map(self._best, outputs)]

    def _best(self, outputs: Any) -> Tensor:
        """The best tags ``(time,)`` of one sentence, from the network's outputs or from these already."""
        found = torch.as_tensor(outputs)
        if found.dim() < 2:
            return found
        if not self.effective.crf:
            return found.argmax(-1)
        return best_path(found[None], torch.tensor([len(found)]))[0]

    def _read(self, data: Any, *, labelled: bool, part: Part = "test") -> Examples:
        columns = annotated_columns(data)
        if columns is not None:
            import pandas as pd  # which takes a second

            data = pd.DataFrame(columns)
        return super()._read(data, labelled=labelled, part=part)

    def _load(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        read = load_with_layout(
            data,
            word=config.word_column,
            tag=config.tag_column,
            sequence=config.sequence_column,
            time=config.time_column,
            marks=config.marks,
            tagged=labelled,
            known=self._layout,
            form=config.table_form(self._form),
        )
        if labelled and self._layout is None:
            # Later files are read as the training data was.
            self._layout = read.layout
        return read.examples

    def _all_given(self, examples: Examples, *, labelled: bool) -> Examples:
        if not labelled:
            return examples
        named, labels = with_tag_names(examples)
        if self._model is None and self._labels is None:
            self._labels = labels
        return named

    def _settled(self, examples: Examples, *, labelled: bool, part: Part) -> Examples:
        config = self.effective
        if part == "train" and self._model is None and config.unit is None and are_spelled(examples):
            self._decide(
                "Every string has as many characters in its tags: each character has one; set unit to words "
                "to change that.",
                unit="characters",
            )
        of_spans = examples.form is not None and "spans" in examples.form.roles
        if part == "train" and self._model is None and config.marks is None and of_spans:
            self._decide("Marks are cut off the words of texts, here and later.", marks=True)
        used = self.effective
        items = tuple(cut(example, used.unit, bool(used.marks)) for example in examples)
        form = picture_form(config.image_size, config.colour, _ALL_FRAMES)
        examples = formed(replace(examples, items=items), form)
        for example in examples if labelled else ():
            check_pairs(example)
        return examples

    def _symbols_of(self, example: Example) -> Iterable[str]:
        return example.target

    def _unseen_labels(self, data: Examples) -> list[str]:
        return list(dict.fromkeys(tag for each in data for tag in each.target if tag not in self._tags))

    def _add_labels(self, labels: Sequence[str]) -> None:
        self._tags = Vocabulary([*self._tags.symbols, *labels], "tag")
        if self._weights is not None:  # what a tag weighs that is as frequent as the mean
            self._weights = [*self._weights, *[1.0] * len(labels)]
        if self._labels is not None:
            self._labels = self._labels.extended(labels)

    def _prepare(self, train: Examples) -> None:
        for note in train.notes:
            self._note(note)
        self._inputs = fit_steps(train, self.effective)
        for note in self._inputs.notes:
            self._note(note)
        self._suit(
            self._inputs.described, self._inputs.settled() | self._inputs.suited(train, self.effective)
        )
        self._tags = Vocabulary.of_labels((tag for example in train for tag in example.target), "tag")
        if self.effective.class_weight is not None:
            tags = (tag for example in train for tag in example.target)
            self._weights = balanced_weights(tags, self._tags)
            if self.effective.crf is None:
                self._decide("Tags are weighed one by one, so there is no CRF.", crf=False)
        if self.effective.crf is None:
            marks = self.marks_spans
            self._decide(
                "The tags mark spans, so a CRF scores pairs of them; set crf to change that."
                if marks
                else "The tags mark no spans, so there is no CRF; set crf to change that.",
                crf=marks,
            )

    def _readings(self, train: Examples, held_out: Examples) -> list[str]:
        where = [] if self._layout is None else [self._layout.described()]
        marks = " that mark spans" if self.marks_spans else ""
        return [
            f"{self._inputs.unit} to tags",
            *where,
            f"{len(self._tags)} tags{marks} ({listed(self._tags.symbols)})",
            *super()._readings(train, held_out),
        ]

    def _build_model(self) -> SequenceModel:
        return ManyToMany(
            self._inputs.layer(self.effective), self.effective, len(self._tags), crf=bool(self.effective.crf)
        )

    def _encode(self, data: Examples) -> list[Encoded]:
        return [
            Encoded(item.inputs, self._tags.encode(example.target, example.source))
            if example.target is not None
            else item
            for example, item in zip(data, self._encoded_inputs(data), strict=True)
        ]

    def _encoded_inputs(self, data: Examples) -> list[Encoded]:
        items = []
        for example, arrays in zip(data, self._inputs.encode(data), strict=True):
            # A network reads something of an empty string, but it has no tags.
            kept = arrays if len(example.inputs) else {name: values[:0] for name, values in arrays.items()}
            items.append(Encoded(kept, np.zeros(len(next(iter(kept.values()))), dtype=np.int64)))
        return items

    def _averaged(self) -> Average:
        return "outputs" if self.effective.crf else "probabilities"  # a CRF's potentials are those of pairs

    def _loss(self) -> Loss:
        reduction = self.effective.loss_reduction
        return (
            PathLikelihood(reduction)
            if self.effective.crf
            else CrossEntropy(reduction, weights=self._weights)
        )

    @property
    def monitored(self) -> tuple[str, Literal["min", "max"]]:
        """Accuracy, or the spans' F1 where the tags mark spans."""
        return ("span F1" if self.marks_spans else "accuracy"), "max"

    def _scorer(self, data: Examples) -> Callable[[], Scored]:
        items = self._encoded_inputs(data)
        expected = [example.target for example in data]
        unseen = (tag for tags in expected for tag in tags if tag not in self._tags)
        self._note_once(unseen_said(unseen, sum(map(len, expected)), "tag", self._inputs.unit))

        def score() -> Scored:
            predicted = self._named(self._run(items, None))
            shown = tuple(
                {
                    "input": list(map(_shown, self._inputs.steps(example))),
                    "expected": list(example.target),
                    "predicted": tags,
                }
                for example, tags in zip(data[:SHOWN], predicted, strict=False)
            )
            scores = tag_scores(expected, predicted, self.marks_spans)
            return Scored(scores, sum(map(len, expected)), self._inputs.unit, shown)

        return score

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        return self._inputs.step_baselines(train)

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        assert isinstance(baseline, PredictingBaseline)
        predicted = baseline.predict([self._inputs.steps(example) for example in data])
        return tag_scores([example.target for example in data], predicted, self.marks_spans)

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "inputs": to_json(self._inputs),
            "tags": self._tags.to_dict(),
            "layout": None if self._layout is None else self._layout.to_json(),
            "weights": self._weights,
            "labels": None if self._labels is None else self._labels.to_json(),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = steps_from_json(vocabularies["inputs"], self.effective)
        self._tags = Vocabulary.from_dict(vocabularies["tags"])
        self._weights = vocabularies["weights"]
        layout = vocabularies["layout"]
        self._layout = None if layout is None else TokenLayout.from_json(layout)
        labels = vocabularies["labels"]
        self._labels = None if labels is None else LabelValues.from_json(labels)

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return MostFrequentTag, MajorityTag, StepLogistic


def _shown(step: Any) -> str:
    """A word, or the numbers of a step."""
    return step if isinstance(step, str) else " ".join(f"{number:.3g}" for number in step)
