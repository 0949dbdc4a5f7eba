"""The time between the steps of a series: finding it, closing gaps, going on into the future."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.data.example import Series, Source

_CALENDAR = (("M", 29, 31, 1, 12), ("Q", 89, 92, 3, 4), ("Y", 365, 366, 12, 1))
"""Unit, fewest and most days, months and usual season of the steps that are not always equally long."""

_FIXED: dict[float, tuple[str, int]] = {
    604800: ("W", 52),
    86400: ("D", 7),
    3600: ("h", 24),
    1800: ("30min", 48),
    900: ("15min", 96),
    600: ("10min", 144),
    300: ("5min", 288),
    60: ("min", 60),
    1: ("s", 60),
}
"""The pandas frequency and the usual season by the seconds of a step."""

_LAST_DATE = np.datetime64(np.iinfo(np.int64).max, "ns").astype("datetime64[D]")

_MOST_GAPS = 10
"""A grid this many times longer than the series is taken for a mistake in the times."""


class Step(ABC):
    """The time between two steps.

    Attributes:
        frequency: as pandas writes it; None for whole numbers.
        season: the steps after which a series at this step usually repeats.
    """

    frequency: str | None
    season: int

    @abstractmethod
    def places(self, times: np.ndarray) -> np.ndarray:
        """How many steps each time lies after the first one, as float64; whole numbers when the step fits."""

    @abstractmethod
    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        """The times the given numbers of steps after `first`."""

    def grid(self, times: np.ndarray, source: Source) -> tuple[np.ndarray, np.ndarray]:
        """All the times from the first to the last, and the place of each given one among them.

        Raises:
            DataError: the times do not lie on such a grid, or hardly fill it.
        """
        places = self.places(times)
        whole = places.astype(np.int64)
        wrong = np.flatnonzero(places != whole)
        repeated = np.flatnonzero(np.diff(whole) == 0)
        if len(wrong) or len(repeated):
            entry = wrong[0] if len(wrong) else repeated[0] + 1
            raise source.error(
                f"expected evenly spaced times, a step of {self}, got {_shown(times[entry])} "
                f"after {_shown(times[entry - 1])}",
                remedy="bring the series to an even step first",
            )
        length = int(whole[-1]) + 1
        if length > _MOST_GAPS * len(times) + _MOST_GAPS:
            raise source.error(
                f"expected a series with few gaps, got {len(times)} of {length} steps of {self} filled",
                remedy="check the times",
            )
        grid = self.after(times[0], np.arange(length))
        grid[whole] = times
        return grid, whole

    def __str__(self) -> str:
        return self.frequency or "whole numbers"


@dataclass(frozen=True)
class _Fixed(Step):
    """Always the same number of nanoseconds, or of whole numbers."""

    delta: Any
    frequency: str | None
    season: int

    def places(self, times: np.ndarray) -> np.ndarray:
        return (times - times[0]) / self.delta

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        return first + places * self.delta


@dataclass(frozen=True)
class _Calendar(Step):
    """Months, quarters or years, on the day of the month of the first time (the last day, if it is that)."""

    months: int
    frequency: str | None
    season: int

    def places(self, times: np.ndarray) -> np.ndarray:
        months = times.astype("datetime64[M]").astype(np.int64)
        return (months - months[0]) / self.months

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        import pandas as pd

        start = pd.Timestamp(first)  # pyright: ignore[reportArgumentType]
        end = pd.offsets.MonthEnd(0) if start.is_month_end and start.day > 27 else pd.DateOffset(0)
        dates = [start + pd.DateOffset(months=int(place) * self.months) + end for place in places]
        return np.array(dates, dtype="datetime64[ns]")


@dataclass(frozen=True)
class _Business(Step):
    """Monday to Friday."""

    frequency: str | None = "B"
    season: int = 5

    def places(self, times: np.ndarray) -> np.ndarray:
        days = times.astype("datetime64[D]")
        return np.busday_count(days[0], days).astype(float)

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        days = np.busday_offset(first.astype("datetime64[D]"), places, roll="forward")
        return days.astype("datetime64[ns]")


def infer_step(times: np.ndarray) -> Step:
    """The step of ascending times, by the most frequent distance between neighbours.

    Example:
        >>> days = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[ns]")
        >>> str(infer_step(days)), infer_step(days).season
        ('MS', 12)
    """
    if times.dtype.kind != "M":
        delta = _most_frequent(np.diff(times)) if len(times) > 1 else np.int64(1)
        return _Fixed(delta, None, 1)
    if len(times) < 2:
        return _fixed(np.timedelta64(1, "D"))
    delta = _most_frequent(np.diff(times))
    days = delta / np.timedelta64(1, "D")
    for unit, fewest, most, months, season in _CALENDAR:
        if fewest <= days <= most:
            day = times[0].astype("datetime64[D]")
            at_end = (day + np.timedelta64(1, "D")).astype("datetime64[M]") > day.astype("datetime64[M]")
            return _Calendar(months, unit + ("E" if at_end else "S"), season)
    if days == 1 and len(times) > 5 and np.is_busday(times.astype("datetime64[D]")).all():
        return _Business()
    return _fixed(delta)


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
    step = infer_step(series.times)
    try:
        times = step.after(series.times[0], np.arange(len(series), len(series) + steps))
    except (OverflowError, ValueError):  # numpy's and pandas'; older releases of numpy begin anew in the past
        times = None
    if times is None or (times <= np.append(series.times[-1], times[:-1])).any():
        raise series.source.error(
            f"expected a future that ends before {_LAST_DATE}, got {steps} steps of {step} "
            f"after {_shown(series.times[-1])}",
            remedy="ask for fewer steps",
        )
    return times


def cycles(times: np.ndarray, season: int = 1, *, year: bool = True) -> np.ndarray:
    """Where each time lies in the year, the week and the day, as points on circles; known for the future too.

    Dates give the year, those of a step of a day or less the week, and of less than a day the time of day.
    Whole numbers give their place in the season where there is one.

    Args:
        times: `(time,)` datetime64 or int64, at least two.
        season: the steps after which whole numbers repeat.
        year: whether dates give their place in the year, which under two years of data cannot be learnt.

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
        step = _most_frequent(np.diff(times))
        phases = [(times - new_year) / np.timedelta64(31_556_952, "s")] if year else []
        if step <= np.timedelta64(1, "D"):
            # 1970-01-01, day 0, was a Thursday; where the circle begins does not matter.
            phases.append((times - np.datetime64(0, "D")) / np.timedelta64(7, "D") % 1)
        if step < np.timedelta64(1, "D"):
            phases.append((times - day) / np.timedelta64(1, "D"))
    angles = 2 * np.pi * np.stack(phases, axis=1) if phases else np.zeros((len(times), 0))
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(times), -1)


def _fixed(delta: Any) -> Step:
    seconds = float(delta / np.timedelta64(1, "s"))
    frequency, season = _FIXED.get(seconds, (f"{seconds:g}s", 1))
    return _Fixed(delta, frequency, season)


def _most_frequent(deltas: np.ndarray) -> Any:
    values, counts = np.unique(deltas, return_counts=True)
    return values[np.argmax(counts)]


def _shown(time: Any) -> str:
    return str(time).removesuffix("T00:00:00.000000000").removesuffix(".000000000")
