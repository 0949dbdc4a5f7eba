"""What can be said of a step of numbers without its neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline
from unrolled.tasks.baselines.features import Statistics
from unrolled.tasks.baselines.linear import LogisticRegression, SavedStatisticsLogistic


@with_config(ENTRIES)
class _SavedTag(TypedDict):
    tag: str


class MajorityTag(PredictingBaseline):
    """Gives every step the tag seen most often in training; of equally frequent ones the first.

    Example:
        >>> MajorityTag.fit([["a", "b"], ["b"]]).predict([np.zeros((2, 1))])
        [['b', 'b']]
    """

    name: ClassVar[str] = "majority tag"
    Saved = _SavedTag
    unordered: ClassVar[bool] = True

    def __init__(self, tag: str) -> None:
        self.tag = tag

    @classmethod
    def fit(cls, tags: Sequence[Sequence[str]]) -> Self:
        """Count the tags of the training data."""
        counts = Counter(tag for row in tags for tag in row)
        return cls(min(counts, key=lambda tag: (-counts[tag], tag)))

    def predict(self, inputs: Sequence[Sequence[np.ndarray]]) -> list[list[str]]:
        """The tag, once for each step."""
        return [[self.tag] * len(steps) for steps in inputs]

    def state(self) -> BaselineState:
        """The tag."""
        return BaselineState({"tag": self.tag})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(state.values["tag"])


class StepValues(Statistics):
    """The numbers of a step, on a common scale."""

    @staticmethod
    def of(inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The numbers themselves: a sequence here is one step."""
        return np.asarray(inputs, dtype=np.float64)


class StepLogistic(PredictingBaseline):
    """Logistic regression on the numbers of each step alone."""

    name: ClassVar[str] = "per-step logistic regression"
    Saved = SavedStatisticsLogistic
    unordered: ClassVar[bool] = True

    def __init__(self, of_step: LogisticRegression) -> None:
        self.of_step = of_step

    @classmethod
    def fit(cls, inputs: Sequence[Sequence[np.ndarray]], tags: Sequence[Sequence[str]]) -> Self:
        """Fit to the training data, which must have two tags at least."""
        return cls(
            _StepRegression.fit(
                [step for steps in inputs for step in steps], [tag for row in tags for tag in row]
            )
        )

    def predict(self, inputs: Sequence[Sequence[np.ndarray]]) -> list[list[str]]:
        """The tags of each sequence."""
        return [self.of_step.predict(steps) if len(steps) else [] for steps in inputs]

    def state(self) -> BaselineState:
        """That of the regression."""
        return self.of_step.state()

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(_StepRegression.from_state(state))


class _StepRegression(LogisticRegression):
    name: ClassVar[str] = "logistic regression"
    kind = StepValues
