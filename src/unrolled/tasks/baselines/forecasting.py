"""What a forecaster has to beat first: persistence, and the seasonal naive forecast."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unrolled.data.example import Series
from unrolled.tasks.baselines.base import Baseline, BaselineState

Numbers = NDArray[np.float64]
Steps = NDArray[np.int64]


class ForecastBaseline(Baseline):
    """A simple forecast; it reads the numbers as they were given, whatever the network is shown."""

    @abstractmethod
    def forecast(self, series: Series, origins: Steps, horizon: int) -> Numbers:
        """The numbers after each origin, from those up to it.

        Args:
            series: its numbers, NaN where missing.
            origins: ``(origin,)``, the last step that is known.
            horizon: how many steps ahead.

        Returns:
            ``(origin, horizon)``.
        """


class Persistence(ForecastBaseline):
    """Tomorrow is as today.

    Example:
        >>> series = Series("a", np.arange(3), np.array([1.0, 2.0, np.nan]), np.zeros((3, 0)))
        >>> Persistence().forecast(series, np.array([1, 2]), 2)
        array([[2., 2.],
               [2., 2.]])
    """

    name: ClassVar[str] = "persistence"

    def forecast(self, series: Series, origins: Steps, horizon: int) -> Numbers:
        """The last number that was seen, again and again."""
        return np.repeat(bridged(series.values)[origins, None], horizon, axis=1)

    def state(self) -> BaselineState:
        """Nothing."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> Persistence:
        """The inverse of `state`."""
        return cls()


class SeasonalNaive(ForecastBaseline):
    """The next season is as the last one; each series has its own season.

    Example:
        >>> series = Series("a", np.arange(3), np.array([1.0, 2.0, 3.0]), np.zeros((3, 0)), season=2)
        >>> SeasonalNaive().forecast(series, np.array([2]), 4)
        array([[2., 3., 2., 3.]])
    """

    name: ClassVar[str] = "seasonal naive"

    def forecast(self, series: Series, origins: Steps, horizon: int) -> Numbers:
        """The number one season (or as many as it takes) before; before the first season, the last number."""
        known = bridged(series.values)
        back = series.season - np.arange(horizon) % series.season  # steps before the one after the origin
        at = origins[:, None] + 1 - back
        return np.where(at >= 0, known[np.maximum(at, 0)], known[origins, None])

    def state(self) -> BaselineState:
        """Nothing."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> SeasonalNaive:
        """The inverse of `state`."""
        return cls()


def bridged(values: Numbers) -> Numbers:
    """A missing number becomes the last one before it; before the first one, that one."""
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), int(known.argmax())))
    return values[last]
