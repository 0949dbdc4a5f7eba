"""A fixed number of features of a sequence, whatever its length: what a linear baseline sees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from pydantic import with_config
from scipy import sparse
from typing_extensions import TypedDict

from unrolled.data.scaling import Scaling
from unrolled.saving.schema import ENTRIES, Finite, Positive
from unrolled.tasks.baselines.base import BaselineState


@with_config(ENTRIES)
class SavedWords(TypedDict):
    """The words that are counted."""

    words: list[str]


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

    @property
    def count(self) -> int:
        """The number of words."""
        return len(self._column)

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
        return sparse.csr_matrix((self.of(inputs) - self.mean) / self.scale)

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
        return np.array([np.concatenate([x.mean(axis=0), _deviation(x), x[0], x[-1]]) for x in inputs])


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
            rows.append(np.concatenate([steps[start:stop].mean(axis=0) for start, stop in stretches]))
        return np.array(rows)


def _deviation(steps: np.ndarray) -> np.ndarray:
    """The standard deviation of every channel; of one number over and over zero, without its rounding."""
    return np.where(np.ptp(steps, axis=0) > 0, steps.std(axis=0), 0.0)
