"""What a forecaster has to beat: persistence, the seasonal naive forecast, and linear autoregression."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.example import Series
from unrolled.data.scaling import Scaling
from unrolled.errors import DataError
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
        return np.repeat(_bridged(series.values)[origins, None], horizon, axis=1)

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
        bridged = _bridged(series.values)
        back = series.season - np.arange(horizon) % series.season  # steps before the one after the origin
        at = origins[:, None] + 1 - back
        return np.where(at >= 0, bridged[np.maximum(at, 0)], bridged[origins, None])

    def state(self) -> BaselineState:
        """Nothing."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> SeasonalNaive:
        """The inverse of `state`."""
        return cls()


class LinearAutoregression(ForecastBaseline):
    """The next number as a linear function of the last ``order`` ones, by least squares; then fed back.

    Several series share their weights, so each is read in its own units: the mean and the spread of the
    numbers that it was fitted to, or, where it was not, of those before the first forecast.

    Args:
        weights: ``(order + 1,)``: those of the last number, the one before, ..., and the constant.
        units: by series, the mean and the spread.

    Example:
        >>> doubling = Series("a", np.arange(5), np.array([1.0, 2, 4, 8, 16]), np.zeros((5, 0)))
        >>> fitted = LinearAutoregression.fit([doubling], order=1)
        >>> fitted.forecast(doubling, np.array([4]), 3).round(6)
        array([[ 32.,  64., 128.]])
    """

    name: ClassVar[str] = "linear autoregression"

    def __init__(self, weights: Numbers, units: Mapping[str, tuple[float, float]]) -> None:
        self.weights = weights
        self.units = units

    @property
    def order(self) -> int:
        """How many numbers it looks back."""
        return len(self.weights) - 1

    @classmethod
    def fit(cls, series: Iterable[Series], order: int) -> LinearAutoregression:
        """One set of weights for all series; steps whose number is missing are left out.

        Raises:
            DataError: no series has more than ``order`` steps.
        """
        rows, targets = [], []
        units = {}
        for one in series:
            units[one.unique_id] = mean, spread = _units(one.values)
            values = (one.values - mean) / spread
            known = np.flatnonzero(~np.isnan(values))[1:]  # before the first number nothing is known
            known = known[known >= order]
            if len(known):
                rows.append(_lags(_bridged(values), known - 1, order))
                targets.append(values[known])
        if not rows:
            raise DataError(
                f"expected a series of more than {order} steps for the linear autoregression, got none",
                remedy="lower ar_order",
            )
        weights, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(targets), rcond=None)
        return cls(weights, units)

    def forecast(self, series: Series, origins: Steps, horizon: int) -> Numbers:
        """One step after the other; before the first ``order`` steps the first number stands in."""
        first, last = int(origins.min()), int(origins.max())
        mean, spread = self.units.get(series.unique_id) or _units(series.values[: first + 1])
        lags = _lags((_bridged(series.values[: last + 1]) - mean) / spread, origins, self.order)
        steps = []
        for _ in range(horizon):
            steps.append(lags @ self.weights)
            lags = np.concatenate([steps[-1][:, None], lags[:, :-2], lags[:, -1:]], axis=1)
        return np.stack(steps, axis=1) * spread + mean

    def state(self) -> BaselineState:
        """The weights, and the units of every series."""
        return BaselineState(
            {"units": {name: list(unit) for name, unit in self.units.items()}},
            {"weights": torch.from_numpy(self.weights)},
        )

    @classmethod
    def from_state(cls, state: BaselineState) -> LinearAutoregression:
        """The inverse of `state`."""
        units = {name: (mean, spread) for name, (mean, spread) in state.values["units"].items()}
        return cls(state.tensors["weights"].numpy(), units)


def _units(values: Numbers) -> tuple[float, float]:
    scaling = Scaling.fit(values)
    return float(scaling.center), float(scaling.scale)


def _bridged(values: Numbers) -> Numbers:
    """A missing number becomes the last one before it; before the first one, that one."""
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), int(known.argmax())))
    return values[last]


def _lags(values: Numbers, last: Steps, order: int) -> Numbers:
    """``(row, order + 1)``: the number at ``last`` and those before it, newest first, and a one."""
    at = np.maximum(last[:, None] - np.arange(order), 0)
    return np.concatenate([values[at], np.ones((len(last), 1))], axis=1)
