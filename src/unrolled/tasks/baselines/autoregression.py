"""What a forecaster has to beat next: linear autoregression, in the form that suits the series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, ClassVar, cast

import numpy as np
import torch
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.data.example import Series
from unrolled.data.scaling import Scaling
from unrolled.errors import DataError
from unrolled.saving.schema import ENTRIES, Finite
from unrolled.tasks.baselines.base import BaselineState
from unrolled.tasks.baselines.forecasting import ForecastBaseline, Numbers, Steps, bridged
from unrolled.tasks.forecasting.scores import seasonal_error
from unrolled.tasks.forecasting.spans import Span

_HELD_OUT = 0.2
"""Share of each series that the form is chosen by; the chosen one is fitted to all."""
_PIECE = 50_000
"""Rows of a series' system that are held at a time."""
_ORIGINS = 5_000
"""Steps of all series that it is chosen by, at most."""
_STEPS_A_WEIGHT = 3
"""Steps for each of its weights from which a series has weights of its own."""

_SavedUnit = Annotated[list[Finite], Field(min_length=2, max_length=2)]
Unit = tuple[float, float]
"""Mean and spread of the numbers that weights are meant for."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    units: dict[str, _SavedUnit]
    unit: _SavedUnit | None
    own: list[str]


class LinearAutoregression(ForecastBaseline):
    """The next number as a linear function of the last ``order`` ones, by least squares; then fed back.

    Of several series each may have weights of its own, or share those of all, where each is read in its own
    unit or all in one. What is best differs by orders of magnitude from data to data, so `fit` asks the data.

    Args:
        weights: ``(order + 1,)``: those of the last number, the one before, ..., and the constant.
        units: by series.
        unit: that of every other series; None where each has its own, taken before its first forecast.
        own: by series, the weights that it has instead.

    Example:
        >>> doubling = Series("a", np.arange(5), np.array([1.0, 2, 4, 8, 16]), np.zeros((5, 0)))
        >>> fitted = LinearAutoregression.fit([doubling], order=1)
        >>> fitted.forecast(doubling, np.array([4]), 3).round(6)
        array([[ 32.,  64., 128.]])
    """

    name: ClassVar[str] = "linear autoregression"
    Saved = _Saved

    def __init__(
        self,
        weights: Numbers,
        units: Mapping[str, Unit] | None = None,
        unit: Unit | None = None,
        own: Mapping[str, Numbers] | None = None,
    ) -> None:
        self.weights = weights
        self.units = dict(units or {})
        self.unit = unit
        self.own = dict(own or {})

    @property
    def order(self) -> int:
        """How many numbers it looks back."""
        return len(self.weights) - 1

    @property
    def form(self) -> str:
        """Whose weights and units it has, in words."""
        if self.own:
            return "with weights of its own for each series"
        if self.unit is not None:
            return "with the same weights for all series, in one unit"
        return "with the same weights for all series, each in its own unit"

    @classmethod
    def fit(cls, series: Iterable[Series], order: int, horizon: int = 1) -> LinearAutoregression:
        """Of its forms the one that forecasts the last part of the series best; of one, they are the same.

        Args:
            series: to learn from; steps whose number is missing are left out.
            order: how many numbers it looks back.
            horizon: the steps ahead that the forms are compared by.

        Raises:
            DataError: no series has more than ``order`` steps.
        """
        series = list(series)
        forms = (cls._alike, cls._apart, cls._together)
        cuts = [_cut(one.values, order, horizon) for one in series]
        last = [(one, cut) for one, cut in zip(series, cuts, strict=True) if cut is not None]
        if len(series) == 1 or not last:
            return cls._alike(series, order)
        before = [one.slice(0, cut or len(one)) for one, cut in zip(series, cuts, strict=True)]
        ends, starts = zip(*last, strict=True)
        held_out = Span(ends, starts)
        errors = [_error(form(before, order), held_out, horizon) for form in forms]
        return forms[int(np.argmin(errors))](series, order)

    @classmethod
    def _alike(cls, series: Sequence[Series], order: int) -> LinearAutoregression:
        """The same weights, each series in its own unit."""
        units = {one.unique_id: _unit(one.values) for one in series}
        return cls(_solved([_system(one.values, units[one.unique_id], order) for one in series]), units)

    @classmethod
    def _together(cls, series: Sequence[Series], order: int) -> LinearAutoregression:
        """The same weights, all series in one unit."""
        unit = _unit(np.concatenate([one.values for one in series]))
        return cls(_solved([_system(one.values, unit, order) for one in series]), unit=unit)

    @classmethod
    def _apart(cls, series: Sequence[Series], order: int) -> LinearAutoregression:
        """Weights of its own for each series that has steps enough; the others as in `_alike`."""
        alike = cls._alike(series, order)
        enough = _STEPS_A_WEIGHT * (order + 1)
        own = {
            one.unique_id: _solved([_system(one.values, alike.units[one.unique_id], order)])
            for one in series
            if np.count_nonzero(~np.isnan(one.values[order:])) >= enough
        }
        return cls(alike.weights, alike.units, own=own)

    def forecast(self, series: Series, origins: Steps, horizon: int) -> Numbers:
        """One step after the other; before the first ``order`` steps the first number stands in."""
        first, last = int(origins.min()), int(origins.max())
        mean, spread = self.units.get(series.unique_id) or self.unit or _unit(series.values[: first + 1])
        weights = self.own.get(series.unique_id, self.weights)
        lags = _lags((bridged(series.values[: last + 1]) - mean) / spread, origins, self.order)
        steps = []
        for _ in range(horizon):
            steps.append(lags @ weights)
            lags = np.concatenate([steps[-1][:, None], lags[:, :-2], lags[:, -1:]], axis=1)
        return np.stack(steps, axis=1) * spread + mean

    def state(self) -> BaselineState:
        """The weights and the units."""
        tensors = {"weights": torch.from_numpy(self.weights)}
        if self.own:
            tensors["own"] = torch.from_numpy(np.stack(list(self.own.values())))
        return BaselineState(
            {
                "units": {name: list(unit) for name, unit in self.units.items()},
                "unit": None if self.unit is None else list(self.unit),
                "own": list(self.own),
            },
            tensors,
        )

    @classmethod
    def from_state(cls, state: BaselineState) -> LinearAutoregression:
        """The inverse of `state`."""
        units = {name: (mean, spread) for name, (mean, spread) in state.values["units"].items()}
        unit, names = state.values["unit"], state.values["own"]
        own = dict(zip(names, state.array("own", 2), strict=True)) if names else {}
        weights = state.array("weights", 1)
        if (
            len(weights) < 2
            or any(len(each) != len(weights) for each in own.values())
            or not all(spread > 0 for _, spread in [*units.values(), *([unit] if unit else [])])
        ):
            raise ValueError("expected weights of one order for every series, and spreads above 0")
        return cls(weights, units, None if unit is None else tuple(unit), own)


def _cut(values: Numbers, order: int, horizon: int) -> int | None:
    """Where the last part begins that the form is chosen by; None where too little would be before it."""
    cut = len(values) - max(horizon, round(len(values) * _HELD_OUT))
    return cut if cut > order and np.count_nonzero(~np.isnan(values[order:cut])) > 1 else None


def _error(fitted: LinearAutoregression, last: Span, horizon: int) -> float:
    """The MASE of forecasts of the last part; infinite where they grow beyond all numbers."""
    origins = last.origins(fitted.order, horizon, _ORIGINS)
    errors = []
    for one, start, at in zip(last.series, last.starts, origins, strict=True):
        actual = one.values[at[:, None] + np.arange(1, horizon + 1)]
        known = ~np.isnan(actual)
        if known.any():
            with np.errstate(over="ignore", invalid="ignore"):
                error = np.abs(fitted.forecast(one, at, horizon) - actual)[known].mean()
            errors.append(error / seasonal_error(one.values[:start], one.season))
    return float(np.nan_to_num(np.mean(errors), nan=np.inf)) if errors else np.inf


def _system(values: Numbers, unit: Unit, order: int) -> Numbers:
    """``(row, order + 2)``: the lags, a one and the number that followed; no more rows than columns.

    The triangle of the rows' QR decomposition has the same least squares as all of them.
    """
    mean, spread = unit
    values = (values - mean) / spread
    known = np.flatnonzero(~np.isnan(values))[1:]  # before the first number nothing is known
    known = known[known >= order]
    before = bridged(values)
    system = np.zeros((0, order + 2))
    for first in range(0, len(known), _PIECE):
        steps = known[first : first + _PIECE]
        rows = np.column_stack([_lags(before, steps - 1, order), values[steps]])
        system = np.concatenate([system, rows])
        if len(system) > order + 2:
            system = cast(Numbers, np.linalg.qr(system, mode="r"))
    return system


def _solved(systems: Sequence[Numbers]) -> Numbers:
    """The weights of least squares.

    Raises:
        DataError: there are no rows.
    """
    rows = np.concatenate(systems)
    if not len(rows):
        raise DataError(
            "expected a series of more steps than the linear autoregression looks back, got none",
            remedy="lower ar_order",
        )
    return np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)[0].astype(np.float64)


def _unit(values: Numbers) -> Unit:
    scaling = Scaling.fit(values)
    return float(scaling.center), float(scaling.scale)


def _lags(values: Numbers, last: Steps, order: int) -> Numbers:
    """``(row, order + 1)``: the number at ``last`` and those before it, newest first, and a one."""
    at = np.maximum(last[:, None] - np.arange(order), 0)
    return np.concatenate([values[at], np.ones((len(last), 1))], axis=1)
