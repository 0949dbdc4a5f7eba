"""What a network that reads images has to beat: a linear model on their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np

from unrolled.tasks.baselines.base import BaselineState
from unrolled.tasks.baselines.features import Features
from unrolled.tasks.baselines.linear import LogisticRegression, Ridge, SavedPixelsLogistic, SavedPixelsRidge


class Pixels(Features):
    """Every pixel as it is, a number from 0 to 1.

    Example:
        >>> Pixels.fit([]).matrix([np.array([0.0, 0.5]), np.array([1.0, 0.0])]).shape
        (2, 2)
    """

    @classmethod
    def fit(cls, inputs: Sequence[np.ndarray]) -> Self:
        """Nothing is learned."""
        return cls()

    @property
    def count(self) -> None:
        """Those of the images."""
        return None

    def matrix(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The pixels side by side."""
        return np.stack(inputs)

    def state(self) -> BaselineState:
        """There is none."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls()


class PixelLogistic(LogisticRegression):
    """Logistic regression on pixels."""

    name: ClassVar[str] = "logistic regression on pixels"
    Saved = SavedPixelsLogistic
    kind = Pixels
    # Many thousand images take minutes to the end, and most of the score comes in these first rounds.
    rounds: ClassVar[int] = 100


class PixelRidge(Ridge):
    """Ridge regression on pixels."""

    name: ClassVar[str] = "ridge regression on pixels"
    Saved = SavedPixelsRidge
    kind = Pixels
