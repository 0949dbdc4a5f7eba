"""What a report draws of forecasts: the end of a series beside what was forecast of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import time_texts
from unrolled.data.example import Series

_STEPS = 366
"""Steps of a series that are kept at most."""


def drawn_example(
    series: Series, origins: NDArray[np.int64], found: NDArray[np.float64], quantiles: Sequence[float]
) -> dict[str, Any]:
    """The end of the scored part, each step forecast once, as plain JSON.

    Args:
        series: its true course.
        origins: the steps that were forecast from.
        found: ``(origin, horizon, 1 + quantiles)``.
        quantiles: their levels.

    Example:
        >>> week = Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0)))
        >>> found = np.array([[[2.5], [3.5]], [[3.5], [4.5]], [[4.5], [5.5]]])
        >>> drawn_example(week, np.array([1, 2, 3]), found, ())["forecast"]
        [2.5, 3.5, 4.5, 5.5]
    """
    horizon = found.shape[1]
    ends = np.arange(1, horizon + 1)
    # Backwards from the last origin: each starts where the forecast from the one before it ended.
    wanted = np.arange(origins[-1], origins[0] - 1, -horizon)[::-1]
    chosen = np.flatnonzero(np.isin(origins, wanted))[-max(1, _STEPS // horizon) :]
    steps = (origins[chosen][:, None] + ends).ravel()
    drawn = found[chosen].reshape(len(steps), -1)
    example: dict[str, Any] = {
        "series": series.unique_id,
        "time": time_texts(series, series.times[steps]),
        "actual": [None if np.isnan(number) else float(number) for number in series.values[steps]],
        "forecast": drawn[:, 0].tolist(),
    }
    if len(quantiles) > 1:
        example |= {"lower": drawn[:, 1].tolist(), "upper": drawn[:, -1].tolist()}
    return example
