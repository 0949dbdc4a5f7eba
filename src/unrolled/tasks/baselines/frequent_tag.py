"""The most frequent tag of every word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Self

from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline


class MostFrequentTag(PredictingBaseline):
    """Gives each word its most frequent tag in training, and an unseen word the most frequent tag of all.

    Ties go to the first tag in the alphabet.

    Example:
        >>> baseline = MostFrequentTag.fit([["the", "cat"], ["the"]], [["DET", "NOUN"], ["DET"]])
        >>> baseline.predict([["the", "dog"]])
        [['DET', 'DET']]
    """

    name: ClassVar[str] = "most frequent tag"

    def __init__(self, tags: Mapping[str, str], overall: str) -> None:
        self.tags = dict(tags)
        self.overall = overall

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> Self:
        """Count the tags of every word of the training data."""
        by_word: dict[str, Counter[str]] = defaultdict(Counter)
        overall: Counter[str] = Counter()
        for words, row in zip(sentences, tags, strict=True):
            overall.update(row)
            for word, tag in zip(words, row, strict=True):
                by_word[word][tag] += 1
        return cls({word: _most(counts) for word, counts in by_word.items()}, _most(overall))

    def predict(self, inputs: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence."""
        return [[self.tags.get(word, self.overall) for word in words] for words in inputs]

    def state(self) -> BaselineState:
        """The table."""
        return BaselineState({"tags": self.tags, "overall": self.overall})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(state.values["tags"], state.values["overall"])


def _most(counts: Counter[str]) -> str:
    return min(counts, key=lambda tag: (-counts[tag], tag))
