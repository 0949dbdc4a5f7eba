"""Two texts that are read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.text_pairs import TextPair
from unrolled.data.vocabulary import UNKNOWN, Vocabulary, split_words
from unrolled.errors import ConfigError
from unrolled.models.inputs import InputLayer, MarkedInput, TokenInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.inputs.base import symbol_baselines
from unrolled.tasks.inputs.options import TextOptions
from unrolled.tasks.inputs.schema import InputSchema, PairSchema
from unrolled.tasks.inputs.text import TextKind

SECOND, SHARED = 1, 2
"""What the mark of a word adds up: that it is of the second text, and that the other text has it too."""
MARKS = 4
_MARK_SIZE = 8


class PairKind(TextKind):
    """Two texts, cut into words and read one after the other, with a mark on every word.

    The mark tells the network which of the texts a word is of, and whether the other has it too, which few
    examples alone do not teach (Chen et al. 2017, "Reading Wikipedia to Answer Open-Domain Questions", exact
    match).
    """

    kind = "pair"
    whole = "pair of texts"
    streams = False
    pairs = True
    symbols = None  # the same word says another thing in each

    @property
    def described(self) -> str:
        """Two texts."""
        return "pairs of texts"

    @classmethod
    def fit(cls, examples: Examples, config: TextOptions) -> Self:
        """Collect the words of both."""
        if getattr(config, "unit", None) == "characters":
            raise ConfigError("unit: expected words for pairs of texts, got characters; leave unit out")
        empty = cls(Vocabulary.build([]), config)
        tokens = [empty.steps(example) for example in examples]
        if not any(word != UNKNOWN for row in tokens for word in row):
            raise examples[0].source.error(f"expected texts, got {len(tokens):,} pairs without a word")
        return cls(Vocabulary.build(tokens, min_count=config.min_count, kind="word"), config)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The numbers of the words of both texts, ``tokens``, and their ``marks``, ``(time,)`` each."""
        rows = []
        for example in examples:
            both = self._words(example)
            marks = [
                place * SECOND + (word in other) * SHARED
                for place, (words, other) in enumerate(zip(both, map(set, both[::-1]), strict=True))
                for word in words
            ]
            tokens = self.vocabulary.encode([word for words in both for word in words])
            rows.append({"tokens": tokens, "marks": np.array(marks, dtype=np.int64)})
        return rows

    def _words(self, example: Example) -> tuple[list[str], list[str]]:
        """The words of each text; of one without any an unknown word."""
        if not isinstance(example.inputs, TextPair):
            raise example.source.error(f"expected two texts as in training, got {example.inputs!r:.60}")
        first, second = (
            split_words(text, self.lowercase) or [UNKNOWN]
            for text in (example.inputs.first, example.inputs.second)
        )
        return first, second

    def layer(self, config: TextOptions) -> InputLayer:
        """An embedding, with one of the marks beside it."""
        words = TokenInput(
            len(self.vocabulary), config.embedding_size, config.input_dropout, config.unknown_dropout
        )
        return MarkedInput(words, MARKS, _MARK_SIZE)

    def steps(self, example: Example) -> list[str]:
        """The words of both, one after the other."""
        first, second = self._words(example)
        return [*first, *second]

    def summaries(self, examples: Sequence[Example]) -> list[list[str]]:
        """For each pair the words, each with the texts that have it, and how many they share."""
        rows = []
        for example in examples:
            first, second = self._words(example)
            one, other = set(first), set(second)
            share = round(10 * len(one & other) / len(one | other))
            rows.append(
                [f"{'both' if word in other else 'first'}:{word}" for word in first]
                + [f"second:{word}" for word in second if word not in one]
                + [f"shared:{tenth}" for tenth in range(share + 1)]
            )
        return rows

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of every word."""
        return symbol_baselines([self.steps(each) for each in train], [each.target for each in train])

    def shown(self, example: Example) -> str:
        """The texts' beginnings."""
        texts = (example.inputs.first, example.inputs.second)
        return " · ".join(TextKind.shown(self, replace(example, inputs=text)) for text in texts)

    def schema(self) -> InputSchema:
        """Two texts."""
        return PairSchema()

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: TextOptions) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]), config)
