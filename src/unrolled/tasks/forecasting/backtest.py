"""Forecasts from the past as a frame, in the form of Nixtla's ``cross_validation``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.calendar import time_texts
from unrolled.data.example import Series
from unrolled.models.base import SequenceModel
from unrolled.tasks.forecasting.frames import forecast_frame, time_column
from unrolled.tasks.forecasting.future import row
from unrolled.tasks.forecasting.origins import RollingOrigins
from unrolled.tasks.forecasting.preparation import Preparation

if TYPE_CHECKING:
    import pandas as pd


def horizon_before(
    series: Sequence[Series], place: int, preparation: Preparation, context: int, horizon: int
) -> RollingOrigins:
    """The step before one of the last horizons, of each series that has as many.

    Args:
        series: all of them.
        place: which horizon, the last one being 1.
        preparation: what was learned of the training series.
        context: the steps that are read.
        horizon: the steps to forecast.
    """
    long_enough = tuple(one for one in series if (len(one) - 1) // horizon > place)
    steps = [np.array([len(one) - place * horizon - 1]) for one in long_enough]
    return RollingOrigins(long_enough, steps, preparation, context, horizon)


def backtest_frame(
    origins: RollingOrigins,
    model: SequenceModel,
    quantiles: Sequence[float],
    level: Sequence[float] | None,
    name: str,
) -> pd.DataFrame:
    """The forecasts from one step of each series, beside what came: the columns ``cutoff`` and ``y``.

    Args:
        origins: the steps.
        model: the network.
        quantiles: that it forecasts.
        level: the intervals asked for in per cent; see `forecast_frame`.
        name: of the column of the forecast.

    Raises:
        ConfigError: the model has no quantiles for a level.
    """
    import pandas as pd

    horizon = origins.horizon
    rows, known = [], []
    for one, (at,), (numbers,) in zip(origins.series, origins.steps, origins.forecasts(model), strict=True):
        steps = np.arange(at + 1, at + 1 + horizon)
        times = time_texts(one, one.times[steps])
        rows += [row(one, time, each, quantiles) for time, each in zip(times, numbers, strict=True)]
        known.append(pd.DataFrame({"cutoff": [time_column(one)[at]] * horizon, "y": one.values[steps]}))
    frame = forecast_frame(rows, origins.series, quantiles, level, name)
    for number, column in enumerate(("cutoff", "y")):
        frame.insert(2 + number, column, pd.concat(known, ignore_index=True)[column])
    return frame
