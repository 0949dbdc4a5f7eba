"""Strings of symbols without spaces, such as DNA: characters, or stretches of them (k-mers)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import UNKNOWN, Vocabulary, is_spaceless
from unrolled.models.inputs import InputLayer
from unrolled.models.positions import PositionInput
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.baselines.linear import (
    CharacterGramLogistic,
    CharacterGramRidge,
    PlacedLogistic,
    PlacedRidge,
)
from unrolled.tasks.epochs import epochs_for
from unrolled.tasks.inputs.base import StepsKind, symbol_baselines
from unrolled.tasks.inputs.grams import direct_for, grams_for, token_input
from unrolled.tasks.inputs.saved import SavedSymbols
from unrolled.tasks.inputs.schema import TextSchema

_LOOKED_AT = 1000
_MEAN_LENGTH, _ALPHABET = 20, 32
_PLACES = 1000
_GRAMS = 4


class SymbolKind(StepsKind):
    """Strings of symbols.

    Args:
        vocabulary: the k-mers of the training data.
        length: the symbols of each string of the training data; None where they differ.
        config: the options: `TextOptions`, and `SymbolOptions` where a task has them; one that gives every
            character a tag has none.
    """

    kind = "symbols"
    Saved = SavedSymbols
    unit = "characters"
    whole = "string"
    simple_classifiers = PlacedLogistic, CharacterGramLogistic
    simple_regressors = PlacedRidge, CharacterGramRidge

    def __init__(self, vocabulary: Vocabulary, length: int | None, config: Any) -> None:
        self.vocabulary = vocabulary
        self.length = length
        self.lowercase = config.lowercase
        self.kmer, self.stride = getattr(config, "kmer", 1), getattr(config, "stride", 1)
        self.symbols = ("tokens", _GRAMS) if length is None else None
        # With its place, a symbol means something else further on.
        self.streams = not getattr(config, "positions", False) and self.kmer == 1

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Collect the k-mers."""
        empty = cls(Vocabulary.build([]), None, config)
        tokens = [empty.steps(example) for example in examples]
        lengths = {len(each) for each in tokens}
        vocabulary = Vocabulary.build(tokens, min_count=config.min_count, kind="k-mer")
        return cls(vocabulary, lengths.pop() if len(lengths) == 1 else None, config)

    def steps(self, example: Example) -> list[str]:
        """The string's k-mers; one that is shorter than a k-mer is one of its own."""
        if not isinstance(example.inputs, str):
            raise example.source.error("expected text as in training, got a sequence of numbers")
        text = example.inputs.strip()
        text = text.lower() if self.lowercase else text
        size = self.kmer
        return [text[at : at + size] for at in range(0, max(1, len(text) - size + 1), self.stride)]

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The numbers of the k-mers; an empty string is one unknown k-mer."""
        return [{"tokens": self.vocabulary.encode(self.steps(example) or [UNKNOWN])} for example in examples]

    def layer(self, config: Any) -> InputLayer:
        """An embedding, beside it symbols in a row, and the position where strings are aligned."""
        tokens = token_input(len(self.vocabulary), config)
        return (
            PositionInput(tokens, self.length or _PLACES) if getattr(config, "positions", False) else tokens
        )

    def summaries(self, examples: Sequence[Example]) -> list[list[str]]:
        """The k-mers."""
        return list(map(self.steps, examples))

    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The most frequent tag of every symbol."""
        return symbol_baselines(map(self.steps, train), [example.target for example in train])

    def label(self, token: int) -> str:
        """The k-mer."""
        return self.vocabulary.decode([token])[0]

    def shown(self, example: Example) -> str:
        """The string's beginning."""
        return example.inputs if len(example.inputs) <= 80 else example.inputs[:79] + "…"

    def settled(self) -> dict[str, Any]:
        """That strings are read by characters, and whether each is told its place."""
        return {"unit": "characters", "positions": self.length is not None}

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Few symbols need no large vectors, and none may be left out of a short pattern."""
        options: dict[str, Any] = {
            "embedding_size": 32,
            "input_dropout": 0.1,
            "unknown_dropout": 0.0,
            "learning_rate": 4e-3,
            **epochs_for(len(examples), config.batch_size),
        }
        # Where strings are aligned, a place says more than what stands before it.
        together = grams_for(config, _GRAMS) | direct_for(config)
        return options | (together if self.length is None else {})

    def schema(self) -> TextSchema:
        """A string."""
        return TextSchema(kind="symbols")

    def to_json(self) -> dict[str, Any]:
        """The vocabulary and the length."""
        return {"vocabulary": self.vocabulary.to_dict(), "length": self.length}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]), value["length"], config)


def are_symbols(examples: Sequence[Example]) -> bool:
    """Whether texts are strings of symbols: long, without spaces, of few different characters.

    Example:
        >>> from unrolled.data.example import Example
        >>> are_symbols([Example("ACGTTGCATGCATGCATTACG")]), are_symbols([Example("a film")])
        (True, False)
    """
    texts = [example.inputs.strip() for example in examples[:_LOOKED_AT] if isinstance(example.inputs, str)]
    letters = set("".join(texts).lower())
    return (
        not any(letter.isspace() for letter in letters)
        and not is_spaceless("".join(letters))
        and len(letters) <= _ALPHABET
        and sum(map(len, texts)) >= _MEAN_LENGTH * len(texts) > 0
    )
