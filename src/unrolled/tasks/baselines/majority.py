"""Always the same answer: the most frequent class, or the mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.scaling import mean_and_deviation
from unrolled.saving.schema import ENTRIES, Finite
from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline


@with_config(ENTRIES)
class _SavedLabel(TypedDict):
    label: str | list[str]


@with_config(ENTRIES)
class _SavedMean(TypedDict):
    mean: Finite


class MajorityClass(PredictingBaseline):
    """Predicts the class, or the set of labels, seen most often in training.

    Of equally frequent ones the first in the alphabet.

    Example:
        >>> MajorityClass.fit(["spam", "ham", "ham"]).predict(["any text", "another"])
        ['ham', 'ham']
    """

    name: ClassVar[str] = "majority class"
    Saved = _SavedLabel
    unordered: ClassVar[bool] = True

    def __init__(self, label: str | tuple[str, ...]) -> None:
        self.label = label

    @classmethod
    def fit(cls, labels: Sequence[Any]) -> Self:
        """Count the labels of the training data."""
        counts = Counter(labels if isinstance(labels[0], str) else map(tuple, map(sorted, labels)))
        return cls(min(counts, key=lambda label: (-counts[label], label)))

    def predict(self, inputs: Sequence[Any]) -> list[Any]:
        """The label, once for each input."""
        return [self.label] * len(inputs)

    def state(self) -> BaselineState:
        """The label."""
        return BaselineState({"label": self.label if isinstance(self.label, str) else list(self.label)})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        label = state.values["label"]
        return cls(label if isinstance(label, str) else tuple(label))


class MeanNumber(PredictingBaseline):
    """Predicts the mean of the training data's numbers.

    Example:
        >>> MeanNumber.fit([1.0, 2.0]).predict(["any text"])
        array([1.5])
    """

    name: ClassVar[str] = "mean"
    Saved = _SavedMean
    unordered: ClassVar[bool] = True

    def __init__(self, mean: float) -> None:
        self.mean = mean

    @classmethod
    def fit(cls, numbers: Sequence[float]) -> Self:
        """Average the targets of the training data."""
        return cls(float(mean_and_deviation(np.asarray(numbers, dtype=np.float64))[0]))

    def predict(self, inputs: Sequence[Any]) -> np.ndarray:
        """The mean, once for each input."""
        return np.full(len(inputs), self.mean)

    def state(self) -> BaselineState:
        """The mean."""
        return BaselineState({"mean": self.mean})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(state.values["mean"])
