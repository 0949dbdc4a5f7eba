"""A forecaster step by step: new numbers in, the forecast from the latest of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from unrolled.data.calendar import future_times
from unrolled.data.example import Series
from unrolled.errors import DataError
from unrolled.tasks.forecasting.future import followed, series_from_dict, series_to_dict
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.streaming import Streamed, StreamState, TaskStream


class ForecastStream(TaskStream):
    """Forecasts of one series; further numbers come right after those before.

    Args:
        read: makes of what is given a series.
        forecast: the rows that follow a series.
        context: the steps that a forecast looks back, which the state holds.
    """

    def __init__(
        self,
        read: Callable[[Any], Series],
        forecast: Callable[[Series], Iterator[Prediction]],
        context: int,
    ) -> None:
        self._read, self._forecast, self._context = read, forecast, context

    def step(self, given: Any = None, state: StreamState | None = None) -> Streamed:
        """Read a series, or the numbers that follow, and forecast what comes after."""
        if given is None:
            raise DataError("expected a series, or the numbers that follow, got none")
        series = self._read(given)
        if state is not None:
            known = series_from_dict(state.values["series"])
            times = future_times(known, len(series))
            series = followed(known, times, series.values, series.covariates)
        latest = series.slice(max(0, len(series) - self._context), len(series))
        rows = [each.value for each in self._forecast(series)]
        return Streamed(Prediction(rows), StreamState(values={"series": series_to_dict(latest)}))
