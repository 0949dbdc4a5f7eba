"""Texts, cut into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import UNKNOWN, Vocabulary, is_spaceless, split_words
from unrolled.models.inputs import InputLayer
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import (
    BagOfWordsLogistic,
    BagOfWordsRidge,
    WordGramLogistic,
    WordGramRidge,
)
from unrolled.tasks.inputs.base import StepsKind, symbol_baselines
from unrolled.tasks.inputs.grams import direct_for, token_input
from unrolled.tasks.inputs.options import TextOptions
from unrolled.tasks.inputs.saved import SavedTokens
from unrolled.tasks.inputs.schema import InputSchema, TextSchema

_LOOKED_AT = 1000


class TextKind(StepsKind):
    """Texts, cut into words."""

    kind = "text"
    Saved = SavedTokens
    unit = "words"
    whole = "text"
    simple_classifiers = BagOfWordsLogistic, WordGramLogistic
    simple_regressors = BagOfWordsRidge, WordGramRidge
    streams = True
    symbols = ("tokens", 2)

    def __init__(self, vocabulary: Vocabulary, config: TextOptions) -> None:
        self.vocabulary = vocabulary
        self.lowercase = config.lowercase

    @classmethod
    def fit(cls, examples: Examples, config: TextOptions) -> Self:
        """Collect the words."""
        empty = cls(Vocabulary.build([]), config)
        tokens = empty.summaries(examples)
        if not any(tokens):
            raise examples[0].source.error(f"expected texts, got {len(tokens):,} without a word in them")
        fitted = cls(Vocabulary.build(tokens, min_count=config.min_count, kind="word"), config)
        if is_spaceless("".join(example.inputs for example in examples[:_LOOKED_AT])):
            fitted.notes = ("The texts are in a script without spaces and are read by characters.",)
        return fitted

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The numbers of the tokens; a text without any is one unknown token."""
        return [{"tokens": self.vocabulary.encode(self.steps(example) or [UNKNOWN])} for example in examples]

    def layer(self, config: TextOptions) -> InputLayer:
        """An embedding, and beside it words in a row where that is asked for."""
        return token_input(len(self.vocabulary), config)

    def summaries(self, examples: Sequence[Example]) -> list[list[str]]:
        """The words of each text."""
        return [self.steps(example) for example in examples]

    def steps(self, example: Example) -> list[str]:
        """The words."""
        if not isinstance(example.inputs, str):
            raise example.source.error("expected text as in training, got a sequence of numbers")
        return split_words(example.inputs, self.lowercase)

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of every word."""
        return symbol_baselines(self.summaries(train), [example.target for example in train])

    def label(self, token: int) -> str:
        """The word."""
        return self.vocabulary.decode([token])[0]

    def shown(self, example: Example) -> str:
        """The text's beginning."""
        return example.inputs if len(example.inputs) <= 200 else example.inputs[:199] + "…"

    def suited(self, examples: Examples, config: TextOptions) -> dict[str, Any]:
        """A direct connection, where a task has one."""
        return {} if self.symbols is None else direct_for(config)

    def schema(self) -> InputSchema:
        """A text."""
        return TextSchema()

    def to_json(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocabulary": self.vocabulary.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: TextOptions) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]), config)
