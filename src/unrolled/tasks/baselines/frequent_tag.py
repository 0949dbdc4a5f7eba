"""The most frequent tag of every word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Self

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline


@with_config(ENTRIES)
class _Saved(TypedDict):
    tags: dict[str, str]
    unseen: str
    unseen_capital: str


class MostFrequentTag(PredictingBaseline):
    """Gives each word its most frequent tag in training.

    A word not seen there gets the most frequent tag of the words seen once, which are most like it: of those
    with a capital where it has one, else of those without. Ties go to the first tag in the alphabet.

    Example:
        >>> words, tags = [["the", "cat"], ["the", "Ada"]], [["DET", "NOUN"], ["DET", "NAME"]]
        >>> baseline = MostFrequentTag.fit(words, tags)
        >>> baseline.predict([["the", "dog", "Bob"]])
        [['DET', 'NOUN', 'NAME']]
    """

    name: ClassVar[str] = "most frequent tag"
    Saved = _Saved
    unordered: ClassVar[bool] = True

    def __init__(self, tags: Mapping[str, str], unseen: str, unseen_capital: str) -> None:
        self.tags = dict(tags)
        self.unseen = unseen
        self.unseen_capital = unseen_capital

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> Self:
        """Count the tags of every word of the training data."""
        by_word: dict[str, Counter[str]] = defaultdict(Counter)
        for words, row in zip(sentences, tags, strict=True):
            for word, tag in zip(words, row, strict=True):
                by_word[word][tag] += 1
        overall: Counter[str] = Counter()
        once: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
        for word, counts in by_word.items():
            overall += counts
            if counts.total() == 1:
                once[_has_capital(word)] += counts
        tag_of = {word: _most(counts) for word, counts in by_word.items()}
        return cls(tag_of, _most(once[False] or overall), _most(once[True] or overall))

    def predict(self, inputs: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence."""
        return [[self._tag(word) for word in words] for words in inputs]

    def _tag(self, word: str) -> str:
        return self.tags.get(word, self.unseen_capital if _has_capital(word) else self.unseen)

    def state(self) -> BaselineState:
        """The table."""
        return BaselineState(
            {"tags": self.tags, "unseen": self.unseen, "unseen_capital": self.unseen_capital}
        )

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(**state.values)


def _has_capital(word: str) -> bool:
    return word[:1].isupper()


def _most(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag))
