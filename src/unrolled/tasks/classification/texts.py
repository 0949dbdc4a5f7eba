"""Texts as what a classifier reads: words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import UNKNOWN, Vocabulary, is_spaceless, split_words
from unrolled.models.inputs import InputLayer, TokenInput
from unrolled.tasks.baselines.linear import BagOfWordsLogistic, BagOfWordsRidge
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs

_LOOKED_AT = 1000


class TextInputs(Inputs):
    """Texts, cut into words."""

    kind = "text"
    linear = BagOfWordsLogistic, BagOfWordsRidge

    def __init__(self, vocabulary: Vocabulary, config: ClassifyConfig) -> None:
        self.vocabulary = vocabulary
        self.lowercase = config.lowercase

    @classmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Collect the words."""
        empty = cls(Vocabulary.build([]), config)
        tokens = empty.simple(examples)
        fitted = cls(Vocabulary.build(tokens, min_count=config.min_count, kind="word"), config)
        if is_spaceless("".join(example.inputs for example in examples[:_LOOKED_AT])):
            fitted.notes = ("The texts are in a script without spaces and are read by characters.",)
        return fitted

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The numbers of the tokens; a text without any is one unknown token."""
        return [{"tokens": self.vocabulary.encode(tokens or [UNKNOWN])} for tokens in self.simple(examples)]

    def layer(self, config: ClassifyConfig) -> InputLayer:
        """An embedding."""
        return TokenInput(
            len(self.vocabulary), config.embedding_size, config.input_dropout, config.unknown_dropout
        )

    def simple(self, examples: Sequence[Example]) -> list[list[str]]:
        """The tokens of each text."""
        return [self._tokens(example) for example in examples]

    def _tokens(self, example: Example) -> list[str]:
        if not isinstance(example.inputs, str):
            raise example.source.error("expected text as in training, got a sequence of numbers")
        return split_words(example.inputs, self.lowercase)

    def shown(self, example: Example) -> str:
        """The text's beginning."""
        return example.inputs if len(example.inputs) <= 200 else example.inputs[:199] + "…"

    def suited(self) -> dict[str, Any]:
        """The defaults."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocabulary": self.vocabulary.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: ClassifyConfig) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]), config)
