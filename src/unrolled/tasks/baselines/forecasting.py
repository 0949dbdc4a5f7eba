"""What a forecaster has to beat: persistence, the seasonal naive forecast, and linear autoregression."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.scaling import fill
from unrolled.errors import DataError
from unrolled.tasks.baselines.base import Baseline, BaselineState

Numbers = NDArray[np.float64]
Steps = NDArray[np.int64]


class ForecastBaseline(Baseline):
    """A simple forecast; it works on scaled numbers, and the result is scaled back like the network's."""

    @abstractmethod
    def forecast(self, values: Numbers, origins: Steps, horizon: int) -> Numbers:
        """The numbers after each origin, from those up to it.

        Args:
            values: ``(time,)``, NaN where missing.
            origins: ``(origin,)``, the last step that is known.
            horizon: how many steps ahead.

        Returns:
            ``(origin, horizon)``.
        """


class Persistence(ForecastBaseline):
    """Tomorrow is as today.

    Example:
        >>> Persistence().forecast(np.array([1.0, 2.0, np.nan]), np.array([1, 2]), 2)
        array([[2., 2.],
               [2., 2.]])
    """

    name: ClassVar[str] = "persistence"

    def forecast(self, values: Numbers, origins: Steps, horizon: int) -> Numbers:
        """The last number that was seen, again and again."""
        return np.repeat(fill(values)[origins, None], horizon, axis=1)

    def state(self) -> BaselineState:
        """Nothing."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> Persistence:
        """The inverse of `state`."""
        return cls()


class SeasonalNaive(ForecastBaseline):
    """The next season is as the last one.

    Args:
        season: its length in steps.

    Example:
        >>> SeasonalNaive(2).forecast(np.array([1.0, 2.0, 3.0]), np.array([2]), 4)
        array([[2., 3., 2., 3.]])
    """

    name: ClassVar[str] = "seasonal naive"

    def __init__(self, season: int) -> None:
        self.season = season

    def forecast(self, values: Numbers, origins: Steps, horizon: int) -> Numbers:
        """The number one season (or as many as it takes) before; before the first season, the last number."""
        filled = fill(values)
        back = self.season - np.arange(horizon) % self.season  # steps before the one after the origin
        at = origins[:, None] + 1 - back
        return np.where(at >= 0, filled[np.maximum(at, 0)], filled[origins, None])

    def state(self) -> BaselineState:
        """The season."""
        return BaselineState({"season": self.season})

    @classmethod
    def from_state(cls, state: BaselineState) -> SeasonalNaive:
        """The inverse of `state`."""
        return cls(state.values["season"])


class LinearAutoregression(ForecastBaseline):
    """The next number as a linear function of the last ``order`` ones, by least squares; then fed back.

    Args:
        weights: ``(order + 1,)``: those of the last number, the one before, ..., and the constant.

    Example:
        >>> doubling = LinearAutoregression.fit([np.array([1.0, 2, 4, 8, 16])], order=1)
        >>> doubling.forecast(np.array([3.0]), np.array([0]), 3).round(6)
        array([[ 6., 12., 24.]])
    """

    name: ClassVar[str] = "linear autoregression"

    def __init__(self, weights: Numbers) -> None:
        self.weights = weights

    @property
    def order(self) -> int:
        """How many numbers it looks back."""
        return len(self.weights) - 1

    @classmethod
    def fit(cls, series: Iterable[Numbers], order: int) -> LinearAutoregression:
        """One set of weights for all series; steps whose number is missing are left out.

        Raises:
            DataError: no series has more than ``order`` steps.
        """
        rows, targets = [], []
        for values in series:
            known = np.arange(order, len(values))[~np.isnan(values[order:])]
            rows.append(_lags(fill(values), known - 1, order))
            targets.append(values[known])
        if not sum(map(len, rows)):
            raise DataError(
                f"expected a series of more than {order} steps for the linear autoregression, got none",
                remedy="lower ar_order",
            )
        weights, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)
        return cls(weights)

    def forecast(self, values: Numbers, origins: Steps, horizon: int) -> Numbers:
        """One step after the other; before the first ``order`` steps the first number stands in."""
        lags = _lags(fill(values), origins, self.order)
        steps = []
        for _ in range(horizon):
            steps.append(lags @ self.weights)
            lags = np.concatenate([steps[-1][:, None], lags[:, :-2], lags[:, -1:]], axis=1)
        return np.stack(steps, axis=1)

    def state(self) -> BaselineState:
        """The weights."""
        return BaselineState(tensors={"weights": torch.from_numpy(self.weights)})

    @classmethod
    def from_state(cls, state: BaselineState) -> LinearAutoregression:
        """The inverse of `state`."""
        return cls(state.tensors["weights"].numpy())


def _lags(values: Numbers, last: Steps, order: int) -> Numbers:
    """``(row, order + 1)``: the number at ``last`` and those before it, newest first, and a one."""
    at = np.maximum(last[:, None] - np.arange(order), 0)
    return np.concatenate([values[at], np.ones((len(last), 1))], axis=1)
