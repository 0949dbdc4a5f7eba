"""Texts of one side, what is read or what is written, as symbols, and symbols as a text again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np

from unrolled.data.tokenizer import Tokenizer, fit_tokenizer


class VocabularyOptions(Protocol):
    """The options of a task that say which symbols are kept."""

    @property
    def vocabulary_size(self) -> int | None:
        """How many at most."""
        ...

    @property
    def min_count(self) -> int:
        """How often one must have been seen."""
        ...


class Side:
    """How the texts of one side become symbols, and symbols a text again.

    A word carries the space before it, so that symbols laid end to end are the text; a text's first word gets
    one too, or it would be another symbol than in the middle.

    Args:
        tokenizer: cuts a text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.spaced = tokenizer.unit != "character"

    @classmethod
    def fit(cls, texts: Sequence[str], config: VocabularyOptions, unit: str) -> Self:
        """Collect the symbols of some texts."""
        spaced = texts if unit == "character" else map(_spaced, texts)
        documents = [[text] for text in spaced]
        return cls(
            fit_tokenizer(documents, unit, max_size=config.vocabulary_size, min_count=config.min_count)
        )

    def encode(self, text: str) -> np.ndarray:
        """The symbols of a text, without an end."""
        return self.tokenizer.encode(_spaced(text) if self.spaced else text)

    def split(self, text: str) -> list[str]:
        """The part of the text that each symbol stands for."""
        return self.tokenizer.split(_spaced(text) if self.spaced else text)

    def text(self, symbols: Sequence[int], further: Sequence[str] = ()) -> str:
        """The text of some symbols; the n-th beyond the vocabulary stands for ``further[n]``."""
        size, parts, own = self.tokenizer.size, [], []
        for symbol in symbols:
            if symbol < size:
                own.append(symbol)
            else:
                parts += [self.tokenizer.decode(own), further[symbol - size]]
                own = []
        text = "".join([*parts, self.tokenizer.decode(own)])
        return text.replace("\n ", "\n").removeprefix(" ") if self.spaced else text


def _spaced(text: str) -> str:
    return " " + text.replace("\n", "\n ")
