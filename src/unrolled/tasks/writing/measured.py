"""What the tokens of written texts are, and so what their error rate is called in its field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES

_ALPHABET = 200
"""Phones there are at most in a language, their stress and tones told apart."""
_LONGEST = 5
"""Characters of a phone's symbol at most, such as AH0 or tʃʰ."""
_RATES = {"words": "WER", "phones": "PER", "characters": "CER"}


@with_config(ENTRIES)
class SavedMeasured(TypedDict):
    """A `Measured` in a model folder."""

    tokens: Literal["words", "phones", "characters"]
    one_word: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What is compared when a text is.

    Attributes:
        tokens: what a text is cut into: words, what stands between spaces; characters; or phones, where
            single words are spelled as symbols of a small alphabet with spaces between them.
        one_word: whether a whole text is one word, so that words are wrong as often as texts are.

    Example:
        >>> Measured.of("word", ["low", "owl"], ["L OW", "AW L"]).rates
        ('PER', 'WER')
        >>> Measured.of("word", ["la casa"], ["the house"]).rates
        ('WER',)
    """

    tokens: Literal["words", "phones", "characters"]
    one_word: bool

    @classmethod
    def of(cls, unit: str, sources: Sequence[str], targets: Sequence[str]) -> Measured:
        """What is measured of such targets, written by this unit; ``sources`` may be none."""
        if unit == "character":
            return cls("characters", one_word=all(map(_is_word, targets)))
        alphabet = {token for text in targets for token in text.split()}
        spelled = (
            bool(sources)
            and all(map(_is_word, sources))
            and any(any(map(str.isalpha, source)) for source in sources)
            and len(alphabet) <= _ALPHABET
            and all(len(token) <= _LONGEST for token in alphabet)
        )
        return cls("phones", one_word=True) if spelled else cls("words", one_word=False)

    @property
    def error_rate(self) -> str:
        """The name of the error rate by edits: of words, phones or characters."""
        return _RATES[self.tokens]

    @property
    def rates(self) -> tuple[str, ...]:
        """The names of all error rates."""
        return (self.error_rate, "WER") if self.one_word else (self.error_rate,)

    @property
    def cut(self) -> Callable[[str], list[str]]:
        """What cuts a text into tokens."""
        return list if self.tokens == "characters" else str.split


def _is_word(text: str) -> bool:
    return len(text.split()) == 1
