"""Symbols (words, characters, tags, labels) and the numbers a network knows them by."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.example import Source
from unrolled.saving.schema import ENTRIES


@with_config(ENTRIES)
class SavedVocabulary(TypedDict):
    """A vocabulary in a model folder."""

    kind: str
    symbols: list[str]


PADDING = "<pad>"
UNKNOWN = "<unk>"

_SPACELESS = (
    r"\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, kana and Chinese: scripts that put no spaces between words."""

_CHARACTER = re.compile(f"[{_SPACELESS}]")
_LETTER = rf"(?:(?![{_SPACELESS}])\w)"
_WORD = re.compile(
    rf"['’](?:s|t|re|ve|m|ll|d)\b|[{_SPACELESS}]|{_LETTER}+(?:['’]{_LETTER}+)*|[^\w\s]", re.IGNORECASE
)


def split_words(text: str, lower: bool = False) -> list[str]:
    """The words and punctuation marks of a text.

    A clitic that stands apart, as in tokenised English, stays whole. In scripts without spaces each character
    is a word.

    Example:
        >>> split_words("It's n't 's bad, re-made.")
        ["It's", "n't", "'s", 'bad', ',', 're', '-', 'made', '.']
    """
    return _WORD.findall(text.lower() if lower else text)


def is_spaceless(text: str) -> bool:
    """Whether more than half of a text's letters are of scripts that put no spaces between words.

    Example:
        >>> is_spaceless("这部电影很好"), is_spaceless("a 好 film")
        (True, False)
    """
    return 2 * len(_CHARACTER.findall(text)) > sum(character.isalpha() for character in text)


class Vocabulary:
    """A list of symbols; a symbol's number is its position.

    Args:
        symbols: the symbols in order, without repeats.
        kind: what a symbol is, for messages: `word`, `label`, `tag`.

    Attributes:
        symbols: the symbols in order.
        kind: what a symbol is.
        unknown: the number that stands for any symbol not listed, or None where none may be missing.

    Example:
        >>> words = Vocabulary.build(["the cat sat".split(), "the mat".split()])
        >>> words.symbols[:3]
        ('<pad>', '<unk>', 'the')
        >>> words.encode(["the", "dog"])
        array([2, 1], dtype=uint8)
        >>> words.decode([2, 3])
        ['the', 'cat']
    """

    def __init__(self, symbols: Iterable[str], kind: str = "symbol") -> None:
        self.symbols = tuple(symbols)
        self.kind = kind
        self._number = {symbol: number for number, symbol in enumerate(self.symbols)}
        if len(self._number) != len(self.symbols):
            repeated = next(symbol for symbol, count in Counter(self.symbols).items() if count > 1)
            raise ValueError(f"expected every {kind} once, got {repeated!r} more than once")
        self.unknown = self._number.get(UNKNOWN)
        self._dtype = np.min_scalar_type(max(len(self.symbols) - 1, 0))

    @classmethod
    def build(
        cls,
        sequences: Iterable[Iterable[str]],
        *,
        min_count: int = 1,
        max_size: int | None = None,
        special: bool = True,
        kind: str = "symbol",
    ) -> Vocabulary:
        """Collect the symbols of some sequences, the most frequent first, ties in alphabetical order.

        Args:
            sequences: the sequences to count.
            min_count: leave out symbols seen less often.
            max_size: keep at most so many symbols, `<pad>` and `<unk>` not counted.
            special: begin with `<pad>` (0) and `<unk>` (1). Labels and tags need neither.
            kind: what a symbol is, for messages.
        """
        counts: Counter[str] = Counter()
        for sequence in sequences:
            counts.update(sequence)
        for reserved in (PADDING, UNKNOWN) if special else ():
            counts.pop(reserved, None)
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        kept = [symbol for symbol, count in ranked if count >= min_count][:max_size]
        return cls([PADDING, UNKNOWN, *kept] if special else kept, kind)

    @classmethod
    def of_labels(cls, labels: Iterable[str], kind: str = "label") -> Vocabulary:
        """The distinct labels in sorted order: numbers by size, then words by alphabet.

        Example:
            >>> Vocabulary.of_labels(["10", "9", "9"]).symbols
            ('9', '10')
        """
        return cls(sorted(set(labels), key=_label_order), kind)

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and (self.symbols, self.kind) == (other.symbols, other.kind)

    def __hash__(self) -> int:
        return hash((self.symbols, self.kind))

    def number(self, symbol: str, source: Source | None = None) -> int:
        """The symbol's number.

        Raises:
            DataError: the symbol is not listed and there is no `<unk>`; it points at `source`.
        """
        number = self._number.get(symbol, self.unknown)
        if number is None:
            known = ", ".join(repr(known) for known in self.symbols[:10]) + (
                ", ..." if len(self) > 10 else ""
            )
            raise (source or Source()).error(
                f"expected a {self.kind} seen in training ({known}), got {symbol!r:.60}",
                remedy=f"correct it, or train on data that has this {self.kind}",
            )
        return number

    def encode(self, symbols: Sequence[str], source: Source | None = None) -> np.ndarray:
        """The symbols' numbers `(time,)`, in the smallest unsigned type that holds them all.

        Raises:
            DataError: a symbol is not listed and there is no `<unk>`; it points at `source`.
        """
        numbers = [self._number.get(symbol, self.unknown) for symbol in symbols]
        if None in numbers:
            step = numbers.index(None)
            self.number(symbols[step], (source or Source()).at(step))
        return np.array(numbers, dtype=self._dtype)

    def encode_characters(self, words: Sequence[str], max_length: int = 32) -> np.ndarray:
        """The numbers of the characters of every word, `(word, character)`, padded with 0.

        Args:
            words: the words; this vocabulary lists characters and begins with `<pad>`.
            max_length: characters beyond it are cut off; it bounds what a stray web address costs.

        Example:
            >>> Vocabulary.build(["aab"]).encode_characters(["ab", "a"])
            array([[2, 3],
                   [2, 0]], dtype=uint8)
        """
        width = min(max_length, max(map(len, words), default=0))
        encoded = np.zeros((len(words), width), dtype=self._dtype)
        for row, word in enumerate(words):
            encoded[row, : len(word)] = [self.number(character) for character in word[:max_length]]
        return encoded

    def decode(self, numbers: Iterable[int] | np.ndarray) -> list[str]:
        """The symbols with the given numbers."""
        return [self.symbols[number] for number in numbers]

    def to_dict(self) -> SavedVocabulary:
        """The vocabulary as plain JSON."""
        return {"kind": self.kind, "symbols": list(self.symbols)}

    @classmethod
    def from_dict(cls, content: SavedVocabulary) -> Vocabulary:
        """The vocabulary that `to_dict` described."""
        return cls(content["symbols"], content["kind"])


def _label_order(label: str) -> tuple[int, float, str]:
    try:
        number = float(label)
    except ValueError:
        return 1, 0.0, label
    return (0, number, label) if math.isfinite(number) else (1, 0.0, label)
