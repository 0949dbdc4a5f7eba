"""Many to many of equal length: a tag for every word of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from torch import Tensor

from unrolled.data.buckets import BucketLoader, Encoded, collate_many_to_many
from unrolled.data.example import Examples
from unrolled.data.loading import load_with_layout
from unrolled.data.token_columns import TokenLayout, begins_tokens
from unrolled.data.vocabulary import Vocabulary
from unrolled.data.wording import listed
from unrolled.models.base import SequenceModel
from unrolled.models.crf import best_path
from unrolled.models.many_to_many import ManyToMany
from unrolled.tasks.base import Estimator, Scored
from unrolled.tasks.baselines.base import Baseline, PredictingBaseline
from unrolled.tasks.baselines.frequent_tag import MostFrequentTag
from unrolled.tasks.baselines.steps import MajorityTag, StepLogistic
from unrolled.tasks.crf_loss import PathLikelihood
from unrolled.tasks.given import given_examples
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.inference import outputs_in_order
from unrolled.tasks.scores import tag_scores
from unrolled.tasks.spans import are_span_tags
from unrolled.tasks.tagging.config import TagConfig
from unrolled.tasks.tagging.inputs import StepInputs
from unrolled.tasks.tagging.kinds import check_pairs, fit_inputs, inputs_from_json
from unrolled.tasks.words import unseen_said
from unrolled.training.loss import CrossEntropy, Loss

_SHOWN = 12


class Tagger(Estimator[Examples]):
    """Predict a tag for every word of a sentence, or for every step of a sequence of numbers.

    Data is a path (CoNLL-U, a word and its tag on each line, JSON lines, Parquet, a folder of one table a
    sequence), the name of built-in data, a DataFrame, or a list: of ``(words, tags)`` pairs to learn from, of
    lists of words to predict for. In place of the words may be an array of numbers ``(time, channels)``.

    Example:
        >>> sentences = [(["the", "cat", "runs"], ["D", "N", "V"]), (["a", "dog", "sits"], ["D", "N", "V"])]
        >>> tagger = Tagger(min_count=1, epochs=40, patience=None).fit(sentences, dev=sentences)
        >>> tagger.predict([["a", "cat", "sits"], []])
        [['D', 'N', 'V'], []]
    """

    task: ClassVar[str] = "tag"
    _counted = "sentences or sequences"
    Config = TagConfig

    effective: TagConfig
    _inputs: StepInputs
    _tags: Vocabulary
    _layout: TokenLayout | None

    def _reset(self) -> None:
        super()._reset()
        self._layout = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, in the order of the network's outputs."""
        self._require_fitted()
        return self._tags.symbols

    @property
    def marks_spans(self) -> bool:
        """Whether the tags mark spans, as ``B-PER I-PER O`` do."""
        return are_span_tags(self._tags.symbols)

    def predict(self, data: Any) -> list[list[str]]:
        """The tags of each sentence, as many as it has words.

        Raises:
            DataError: a sentence is not a list of words.
        """
        self._require_fitted()
        return self._predicted(self._encoded_inputs(self._read_later(data, labelled=False)))

    def file_ending(self, first: str) -> str | None:
        """As for any task; numbers that are no lists are in tables, and tokens a line in files."""
        if self._inputs.kind == "numbers":
            return None if first.lstrip().startswith("[") else super().file_ending(first) or ".csv"
        if self._layout is None:
            return super().file_ending(first)
        return ".conll" if begins_tokens(first, self._layout, self.tags) else None

    def _token_label(self, token: int) -> str:
        return self._inputs.symbol(token)

    def target_labels(self, targets: Tensor) -> list[str]:
        """The tag of every step."""
        return self._tags.decode(targets.tolist())

    def _predicted(self, items: list[Encoded]) -> list[list[str]]:
        # Sentences without words have no tags, and nothing that a network could read.
        spoken = [item for item in items if len(item)]
        read = best_path if self.effective.crf else _best_tags
        rows = iter(outputs_in_order(self.model, spoken, collate_many_to_many, read))
        return [self._tags.decode(next(rows).tolist()) if len(item) else [] for item in items]

    def _read(self, data: Any, *, labelled: bool) -> Examples:
        config = self.effective
        if isinstance(data, str | Path) or hasattr(data, "columns"):
            read = load_with_layout(
                data,
                word=config.word_column,
                tag=config.tag_column,
                tagged=labelled,
                known=self._layout,
                form=config.table_form(self._form),
            )
            examples = read.examples
            if labelled and self._layout is None:
                # Later files are read as the training data was.
                self._layout = read.layout
        else:
            examples = given_examples(data, labelled)
        for example in examples if labelled else ():
            check_pairs(example)
        return examples

    def _hold_out(self, data: Examples) -> tuple[Examples, Examples, str]:
        config = self.effective
        return hold_out(data, config.holdout, config.seed, lambda example: example.target)

    def _prepare(self, train: Examples) -> None:
        for note in train.notes:
            self._note(note)
        self._inputs = fit_inputs(train, self.effective)
        self._suit(self._inputs.kind, self._inputs.suited(self.effective))
        self._tags = Vocabulary.of_labels((tag for example in train for tag in example.target), "tag")
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
        return ManyToMany(self._inputs.layer(), self.effective, len(self._tags), crf=bool(self.effective.crf))

    def _encode(self, examples: Examples) -> list[Encoded]:
        return [
            Encoded(item.inputs, self._tags.encode(example.target, example.source))
            for example, item in zip(examples, self._encoded_inputs(examples), strict=True)
        ]

    def _encoded_inputs(self, examples: Examples) -> list[Encoded]:
        encoded = map(self._inputs.encode, examples)
        return [Encoded(each, np.zeros(len(next(iter(each.values()))), dtype=np.int64)) for each in encoded]

    def _loader(self, data: Examples, *, training: bool) -> BucketLoader:
        config, items = self.effective, self._encode(data)
        if training:
            return BucketLoader(
                items, collate_many_to_many, config.batch_size, seed=config.seed, shard=self._shard
            )
        return BucketLoader(items, collate_many_to_many, config.batch_size, shuffle=False, bucket=1)

    def _loss(self) -> Loss:
        reduction = self.effective.loss_reduction
        return PathLikelihood(reduction) if self.effective.crf else CrossEntropy(reduction)

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
            predicted = self._predicted(items)
            shown = tuple(
                {"input": self._inputs.shown(example), "expected": list(example.target), "predicted": tags}
                for example, tags in zip(data[:_SHOWN], predicted, strict=False)
            )
            scores = tag_scores(expected, predicted, self.marks_spans)
            return Scored(scores, sum(map(len, expected)), self._inputs.unit, shown)

        return score

    def _fit_baselines(self, train: Examples) -> Iterable[Baseline]:
        return self._inputs.baselines(train)

    def _score_baseline(self, baseline: Baseline, data: Examples) -> Mapping[str, float]:
        assert isinstance(baseline, PredictingBaseline)
        predicted = baseline.predict([self._inputs.steps(example) for example in data])
        return tag_scores([example.target for example in data], predicted, self.marks_spans)

    def _vocabularies(self) -> dict[str, Any]:
        return {
            "inputs": {"kind": self._inputs.kind} | self._inputs.to_json(),
            "tags": self._tags.to_dict(),
            "layout": None if self._layout is None else self._layout.to_json(),
        }

    def _restore(self, vocabularies: Mapping[str, Any]) -> None:
        self._inputs = inputs_from_json(vocabularies["inputs"], self.effective)
        self._tags = Vocabulary.from_dict(vocabularies["tags"])
        layout = vocabularies["layout"]
        self._layout = None if layout is None else TokenLayout.from_json(layout)

    @classmethod
    def _baseline_kinds(cls) -> tuple[type[Baseline], ...]:
        return MostFrequentTag, MajorityTag, StepLogistic


def _best_tags(scores: Tensor, lengths: Tensor) -> Tensor:
    """The tag with the highest score at every step, ``(batch, time)``."""
    return scores.argmax(-1)
