"""A fixed number of features of a sequence, whatever its length: what a linear baseline sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import with_config
from scipy import sparse
from typing_extensions import TypedDict

from unrolled.data.scaling import Scaling, mean_and_deviation
from unrolled.saving.schema import ENTRIES, Finite, Positive
from unrolled.tasks.baselines.base import BaselineState


@with_config(ENTRIES)
class SavedWords(TypedDict):
    """The words that are counted."""

    words: list[str]


@with_config(ENTRIES)
class SavedGrams(TypedDict):
    """The grams that are counted, and how much each says."""

    grams: list[str]
    weights: list[Positive]


@with_config(ENTRIES)
class SavedStatistics(TypedDict):
    """How statistics are scaled."""

    mean: list[Finite]
    scale: list[Positive]


class Features(ABC):
    """A fixed number of features of every sequence."""

    @property
    @abstractmethod
    def count(self) -> int | None:
        """How many there are; None where inputs alone say."""

    @abstractmethod
    def matrix(self, inputs: Sequence[Any]) -> sparse.csr_matrix | np.ndarray:
        """The features ``(sequences, features)``."""

    @abstractmethod
    def state(self) -> BaselineState:
        """Everything needed to compute the same features again."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""

    @classmethod
    @abstractmethod
    def fit(cls, inputs: Sequence[Any]) -> Self:
        """Learn from the training data what the features are."""


class BagOfWords(Features):
    """How often each word of the training data occurs, in whatever order.

    Example:
        >>> BagOfWords.fit([["a", "b"], ["b"]]).matrix([["b", "b", "c"]]).toarray()
        array([[0., 2.]])
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._column = {word: column for column, word in enumerate(self.words)}
        if len(self._column) < len(self.words):
            raise ValueError("expected each word that is counted once, got one twice")

    @property
    def count(self) -> int:
        """The number of words."""
        return len(self.words)

    @classmethod
    def fit(cls, inputs: Sequence[Sequence[str]]) -> Self:
        """Collect the words."""
        return cls(sorted({word for words in inputs for word in words}))

    def matrix(self, inputs: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """The counts."""
        cells = [
            (row, self._column[word])
            for row, words in enumerate(inputs)
            for word in words
            if word in self._column
        ]
        rows, columns = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        # Entries of the same place add up.
        return sparse.csr_matrix((np.ones(len(cells)), (rows, columns)), shape=(len(inputs), len(self.words)))

    def state(self) -> BaselineState:
        """The words."""
        return BaselineState({"words": self.words})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(state.values["words"])


_MOST_GRAMS = 100_000
"""Grams that are counted at most, the most frequent ones: the model folder holds them."""


class TfIdf(Features):
    """How often each gram occurs, weighed by how few of the training data's sequences have it (TF-IDF).

    A gram is a few symbols in a row. It weighs ``1 + ln((1 + n) / (1 + m))`` where ``m`` of ``n`` sequences
    have it, and the weighed counts of a sequence are brought to the length 1 (Salton and Buckley 1988).
    """

    lengths: ClassVar[range]
    """How many symbols make up a gram."""
    ends: ClassVar[tuple[str, ...]] = ("", "")
    """What stands before and after a sequence, so that its ends are known; of no characters: nothing does."""
    between: ClassVar[str]
    """What stands between the symbols of a gram."""

    def __init__(self, grams: Sequence[str], weights: Sequence[float]) -> None:
        self.words = BagOfWords(grams)
        self.weights = np.asarray(weights, dtype=np.float64)

    @property
    def count(self) -> int:
        """The number of grams."""
        return self.words.count

    @classmethod
    def fit(cls, inputs: Sequence[Sequence[str]]) -> Self:
        """Collect the grams, and count the sequences that have each."""
        rows = [cls.grams(symbols) for symbols in inputs]
        counts = Counter(chain.from_iterable(rows))
        most = sorted(counts, key=lambda gram: (-counts[gram], gram))[:_MOST_GRAMS]
        having = Counter(gram for row in rows for gram in set(row))
        kept = sorted(most)
        weights = [1 + float(np.log((1 + len(rows)) / (1 + having[gram]))) for gram in kept]
        return cls(kept, weights)

    @classmethod
    def grams(cls, symbols: Sequence[str]) -> list[str]:
        """All grams of a sequence, each as often as it occurs."""
        before, after = cls.ends
        row = [*([before] if before else []), *symbols, *([after] if after else [])]
        return [
            cls.between.join(row[at : at + length])
            for length in cls.lengths
            for at in range(len(row) - length + 1)
        ]

    def matrix(self, inputs: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """The weighed counts; zeros for a sequence of grams that training has not seen."""
        counts = self.words.matrix([self.grams(symbols) for symbols in inputs])
        counts = sparse.csr_matrix(counts @ sparse.diags(self.weights))
        norms = sparse.linalg.norm(counts, axis=1)
        return sparse.csr_matrix(sparse.diags(1 / np.where(norms > 0, norms, 1)) @ counts)

    def state(self) -> BaselineState:
        """The grams and their weights."""
        return BaselineState({"grams": self.words.words, "weights": self.weights.tolist()})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        grams, weights = state.values["grams"], state.values["weights"]
        if len(grams) != len(weights):
            raise ValueError("expected a weight for every gram")
        return cls(grams, weights)


class WordGrams(TfIdf):
    """Words, and pairs of neighbouring words.

    Example:
        >>> WordGrams.grams(["so", "fine"])
        ['so', 'fine', 'so fine']
    """

    lengths = range(1, 3)
    between = " "


class CharacterGrams(TfIdf):
    """Up to four characters in a row, with the ends of the string.

    Example:
        >>> CharacterGrams.grams("Oz")
        ['^', 'O', 'z', '$', '^O', 'Oz', 'z$', '^Oz', 'Oz$', '^Oz$']
    """

    lengths = range(1, 5)
    ends = ("^", "$")
    between = ""


class PlacedSymbols(BagOfWords):
    """Which symbols there are, and which are at which place.

    Example:
        >>> PlacedSymbols.fit([["a", "b"]]).words
        ['0 a', '1 b', 'a', 'b']
    """

    @classmethod
    def fit(cls, inputs: Sequence[Sequence[str]]) -> Self:
        """Collect the symbols and their places."""
        return super().fit([_placed(symbols) for symbols in inputs])

    def matrix(self, inputs: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """The counts."""
        return super().matrix([_placed(symbols) for symbols in inputs])


class Statistics(Features):
    """Numbers computed from every sequence, each with mean 0 and deviation 1 in the training data."""

    def __init__(self, mean: Sequence[float], scale: Sequence[float]) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        self.scale = np.asarray(scale, dtype=np.float64)

    @property
    def count(self) -> int:
        """The number of statistics."""
        return len(self.mean)

    @classmethod
    def fit(cls, inputs: Sequence[np.ndarray]) -> Self:
        """Learn the scale of each statistic."""
        scaling = Scaling.fit(cls.of(inputs))
        return cls(scaling.center.tolist(), scaling.scale.tolist())

    @staticmethod
    @abstractmethod
    def of(inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The statistics as they are, ``(sequences, statistics)``."""

    def matrix(self, inputs: Sequence[np.ndarray]) -> sparse.csr_matrix:
        """The statistics on a common scale."""
        return sparse.csr_matrix(Scaling(self.mean, self.scale).apply(self.of(inputs)))

    def state(self) -> BaselineState:
        """The scale."""
        return BaselineState({"mean": self.mean.tolist(), "scale": self.scale.tolist()})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        if len(state.values["mean"]) != len(state.values["scale"]):
            raise ValueError("expected a mean and a scale for every statistic")
        return cls(state.values["mean"], state.values["scale"])


class SummaryStatistics(Statistics):
    """Mean, standard deviation, first and last value of every channel.

    Example:
        >>> features = SummaryStatistics.fit([np.array([[0.0], [2.0]]), np.array([[4.0]])])
        >>> features.matrix([np.array([[4.0]])]).toarray().round(2)
        array([[ 1., -1.,  1.,  1.]])
    """

    @staticmethod
    def of(inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The four statistics of every channel."""
        moments = [mean_and_deviation(x, axis=0) for x in inputs]
        return np.array(
            [
                np.concatenate([mean, np.where(np.any(x != x[0], axis=0), deviation, 0.0), x[0], x[-1]])
                for x, (mean, deviation) in zip(inputs, moments, strict=True)
            ]
        )


class SegmentMeans(Statistics):
    """The mean of every channel over each of eight stretches of equal length, one after the other.

    Example:
        >>> SegmentMeans.of([np.arange(16.0).reshape(16, 1)])
        array([[ 0.5,  2.5,  4.5,  6.5,  8.5, 10.5, 12.5, 14.5]])
    """

    @staticmethod
    def of(inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The means, stretch by stretch; a stretch of a short sequence is the step it falls on."""
        rows = []
        for steps in inputs:
            bounds = np.arange(9) * len(steps) // 8
            stretches = zip(bounds[:-1], np.maximum(bounds[1:], bounds[:-1] + 1), strict=True)
            means = [mean_and_deviation(steps[start:stop], axis=0)[0] for start, stop in stretches]
            rows.append(np.concatenate(means))
        return np.array(rows)


_PLACES = 1000
"""Places of a string that are looked at."""


def _placed(symbols: Sequence[str]) -> list[str]:
    return [*symbols, *(f"{place} {symbol}" for place, symbol in enumerate(symbols[:_PLACES]))]
