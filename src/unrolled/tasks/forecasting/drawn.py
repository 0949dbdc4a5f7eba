"""What a report draws of forecasts: the end of a series beside them, what came before and what comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import future_times, time_texts
from unrolled.data.example import Series
from unrolled.errors import DataError

_STEPS = 366
"""Steps of a series that are kept at most."""
_BEFORE = 30
"""Steps before the first forecast that are shown at least, where there are as many."""


def drawn_example(
    series: Series,
    origins: NDArray[np.int64],
    found: NDArray[np.float64],
    quantiles: Sequence[float],
    ahead: NDArray[np.float64] | None = None,
) -> dict[str, Any]:
    """The end of the scored part, each step forecast once, and what comes before and after, as plain JSON.

    Args:
        series: its true course.
        origins: the steps that were forecast from.
        found: ``(origin, horizon, 1 + quantiles)``.
        quantiles: their levels.
        ahead: the forecast from the last step of all, ``(horizon, 1 + quantiles)``; None leaves it out.

    Example:
        >>> week = Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0)))
        >>> found = np.array([[[2.5], [3.5]], [[3.5], [4.5]], [[4.5], [5.5]]])
        >>> drawn = drawn_example(week, np.array([1, 2, 3]), found, ())
        >>> drawn["forecast"], drawn["history"]["actual"]
        ([2.5, 3.5, 4.5, 5.5], [0.0, 1.0])
    """
    horizon = found.shape[1]
    ends = np.arange(1, horizon + 1)
    # Backwards from the last origin: each starts where the forecast from the one before it ended.
    wanted = np.arange(origins[-1], origins[0] - 1, -horizon)[::-1]
    chosen = np.flatnonzero(np.isin(origins, wanted))[-max(1, _STEPS // horizon) :]
    steps = (origins[chosen][:, None] + ends).ravel()
    before = np.arange(max(0, steps[0] - max(_BEFORE, 3 * horizon)), steps[0])
    example: dict[str, Any] = {
        "series": series.unique_id,
        **_course(series, steps),
        **_forecast(found[chosen].reshape(len(steps), -1), quantiles),
        "history": _course(series, before),
    }
    if len(quantiles) > 1:
        example["band"] = f"{quantiles[0]:.0%} to {quantiles[-1]:.0%}"
    if ahead is not None:
        with suppress(DataError):  # the dates that there are may end with the series
            times = time_texts(series, future_times(series, horizon))
            example["future"] = {"time": times, **_forecast(ahead, quantiles)}
    return example


def _course(series: Series, steps: NDArray[np.int64]) -> dict[str, Any]:
    known = [None if np.isnan(number) else float(number) for number in series.values[steps]]
    return {"time": time_texts(series, series.times[steps]), "actual": known}


def _forecast(numbers: NDArray[np.float64], quantiles: Sequence[float]) -> dict[str, Any]:
    band = {"lower": numbers[:, 1].tolist(), "upper": numbers[:, -1].tolist()} if len(quantiles) > 1 else {}
    return {"forecast": numbers[:, 0].tolist(), **band}
