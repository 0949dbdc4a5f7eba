"""The calendar of a series: when it goes on, and where its steps lie in the year, the week and the day."""

from __future__ import annotations

import numpy as np

from unrolled.data.dates import written
from unrolled.data.example import Series
from unrolled.data.steps import Step, infer_step, shown, step_named
from unrolled.data.zones import on_the_wall

_LAST_DATE = np.datetime64(np.iinfo(np.int64).max, "ns").astype("datetime64[D]")
_DAY = np.timedelta64(1, "D")


def step_of(series: Series) -> Step:
    """The step of a series: the one it has by name, else the one its times show."""
    return infer_step(series.times) if series.step is None else step_named(series.step)


def clock_times(series: Series, times: np.ndarray) -> np.ndarray:
    """Times of a series as clocks of its zone show them."""
    if series.zone is None or times.dtype.kind != "M" or not step_of(series).absolute:
        return times
    return on_the_wall(times, series.zone)


def time_texts(series: Series, times: np.ndarray) -> list[int | float | str]:
    """Times of a series as JSON and people take them: numbers, or dates without an idle time of day.

    Example:
        >>> day = np.array(["2024-02-29"], dtype="datetime64[ns]")
        >>> series = Series("a", day, np.zeros(1), np.zeros((1, 0)), step="D", zone="Europe/Berlin")
        >>> time_texts(series, day)
        ['2024-02-29T00:00:00+01:00']
    """
    if times.dtype.kind != "M":
        return times.tolist()
    absolute = step_of(series).absolute
    return [*written(times, series.zone, absolute=absolute, in_utc=series.in_utc)]


def future_times(series: Series, steps: int) -> np.ndarray:
    """The times of the `steps` steps that follow a series.

    Raises:
        DataError: they go on beyond the dates that there are.

    Example:
        >>> days = np.array(["2024-02-27", "2024-02-28"], dtype="datetime64[ns]")
        >>> series = Series("a", days, np.zeros(2), np.zeros((2, 0)))
        >>> future_times(series, 2).astype("datetime64[D]").astype(str).tolist()
        ['2024-02-29', '2024-03-01']
    """
    step = step_of(series)
    try:
        times = step.after(series.times[-1], np.arange(1, steps + 1))
    except (OverflowError, ValueError):  # numpy's and pandas'; older releases of numpy begin anew in the past
        times = None
    if times is None or (times <= np.append(series.times[-1], times[:-1])).any():
        raise series.source.error(
            f"expected a future that ends before {_LAST_DATE}, got {steps} steps of {step} "
            f"after {shown(series.times[-1])}",
            remedy="ask for fewer steps",
        )
    return times


def cycles(times: np.ndarray, season: int = 1, *, year: bool = True, step: Step | None = None) -> np.ndarray:
    """Where each time lies in the year, the week and the day, as points on circles; known for the future too.

    Dates give the year, those of a step of a day or less the week, and of less than a day the time of day.
    Whole numbers give their place in the season where there is one.

    Args:
        times: `(time,)` datetime64 or numbers, at least two where no step is given.
        season: the steps after which whole numbers repeat.
        year: whether dates give their place in the year, which under two years of data cannot be learnt.
        step: of the times; None infers it.

    Returns:
        `(time, 2 * cycles)` float64, sine and cosine of each cycle.

    Example:
        >>> cycles(np.arange(3), season=4).round(3).tolist()
        [[0.0, 1.0], [1.0, 0.0], [0.0, -1.0]]
    """
    if times.dtype.kind != "M":
        phases = [times % season / season] if season > 1 else []
    else:
        day = times.astype("datetime64[D]")
        new_year = times.astype("datetime64[Y]")
        length = (step or infer_step(times)).length
        phases = [(times - new_year) / np.timedelta64(31_556_952, "s")] if year else []
        if length <= _DAY:
            # 1970-01-01, day 0, was a Thursday; where the circle begins does not matter.
            phases.append((times - np.datetime64(0, "D")) / np.timedelta64(7, "D") % 1)
        if length < _DAY:
            phases.append((times - day) / _DAY)
    angles = 2 * np.pi * np.stack(phases, axis=1) if phases else np.zeros((len(times), 0))
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(times), -1)
