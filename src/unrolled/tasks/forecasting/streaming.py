"""A forecaster step by step: new numbers in, the forecast from the latest of them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.calendar import future_times
from unrolled.data.example import Series
from unrolled.errors import DataError
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.forecasting.future import SavedSeries, followed, series_from_dict, series_to_dict
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.stream_state import StateForm, StreamState
from unrolled.tasks.streaming import Streamed, TaskStream


@with_config(ENTRIES)
class _Values(TypedDict):
    """What has to be known of a series to forecast what follows it."""

    series: SavedSeries


_FORM = StateForm({}, _Values)


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

    @property
    def form(self) -> StateForm:
        """The latest steps."""
        return _FORM

    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        if given is None:
            raise DataError("expected a series, or the numbers that follow, got none")
        series = self._read(given)
        if state is not None:
            known = self._latest(series_from_dict(state.values["series"]))
            times = future_times(known, len(series))
            series = followed(known, times, series.values, series.covariates, series.future)
        rows = [each.value for each in self._forecast(series)]
        return Streamed(
            Prediction(rows), StreamState(values={"series": series_to_dict(self._latest(series))})
        )

    def _latest(self, series: Series) -> Series:
        return series.slice(max(0, len(series) - self._context), len(series))
