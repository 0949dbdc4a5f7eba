"""The time between two steps of a series: its name, its grid, and what follows."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.data.example import Source
from unrolled.data.serial_dates import are_serial_dates
from unrolled.errors import DataError

_DAY = np.timedelta64(1, "D").astype("timedelta64[ns]")
_UNITS = {
    "W": 604_800_000_000_000,
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "min": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""Nanoseconds by the name of a unit, the longest first."""
_MONTHS = {"Y": 12, "Q": 3, "M": 1}
_FIXED = re.compile(r"(\d*)(W|D|h|min|s|ms|us|ns)")
_CALENDAR = re.compile(r"(\d*)(B?)([MQY])(S|E|@(\d{1,2}))")
_BY_THE_CLOCK = " by the clock"
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?")

_FEWEST_BUSINESS_DAYS = 6
"""Days without a weekend from which it is told that weekends are never there."""
_SHORTEST_MONTH = 28
_SAME_TIME_OF_MONTH = 10
"""Days within which what comes once a month may fall."""
_MOST_GAPS = 10
"""A grid this many times longer than the series is taken for a mistake in the times."""
_DIGITS = 9
"""Decimal places of fractions of plain numbers."""


class Step(ABC):
    """The time between two steps.

    Attributes:
        name: such as `D`, `15min`, `B`, `ME` (month ends), `QS` (first days of quarters), `BME` (last
            business days), `M@15`, `30D`, or a number between plain numbers.
        season: the steps after which a series at this step usually repeats.
        length: of a step, about, as timedelta64 or a number.
    """

    name: str
    season: int
    length: Any

    @abstractmethod
    def places(self, times: np.ndarray) -> np.ndarray:
        """How many steps each time lies after the first one, as float64; whole numbers when the step fits."""

    @abstractmethod
    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        """The times the given numbers of steps after `first`."""

    @property
    def within_day(self) -> bool:
        """Whether the step is one of dates, and shorter than a day."""
        return isinstance(self.length, np.timedelta64) and bool(self.length < _DAY)

    @property
    def absolute(self) -> bool:
        """Whether so much time passes at every step, so that times of a zone are kept in UTC.

        Other steps go from one hour on a clock to another, be the clock changed between them or not.
        """
        return self.within_day

    def span(self, times: np.ndarray) -> int | None:
        """The steps from the first to the last of some times; None where they are not on the step's grid."""
        places = self.places(times)
        whole = places.astype(np.int64)
        return int(whole[-1]) + 1 if (places == whole).all() and (np.diff(whole) > 0).all() else None

    def share(self, times: np.ndarray) -> float:
        """The share of some times on the grid that are where the step says, to the day."""
        return 1.0

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
                f"expected evenly spaced times, a step of {self}, got {shown(times[entry])} "
                f"after {shown(times[entry - 1])}",
                remedy="bring the series to an even step first"
                + _further_remedy(times, float(places[entry]), self),
            )
        length = int(whole[-1]) + 1
        if length > _MOST_GAPS * len(times) + _MOST_GAPS:
            raise source.error(
                f"expected a series with few gaps, got {len(times)} of {length} steps of {self} filled",
                remedy="check the times",
            )
        grid = self.after(times[0], np.arange(length)).astype(times.dtype)
        grid[whole] = times
        return grid, whole

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class _Fixed(Step):
    """Always the same number of nanoseconds."""

    nanoseconds: int

    @property
    def name(self) -> str:  # type: ignore[override]
        unit = next(unit for unit, size in _UNITS.items() if self.nanoseconds % size == 0)
        count = self.nanoseconds // _UNITS[unit]
        return unit if count == 1 else f"{count}{unit}"

    @property
    def season(self) -> int:  # type: ignore[override]
        for whole in (_UNITS["D"], _UNITS["h"], _UNITS["min"]):
            if self.nanoseconds < whole:
                # Of less than five minutes the day is too long a season to look back at.
                count, rest = divmod(whole, self.nanoseconds)
                if not rest and count <= 288:
                    return count
        week, rest = divmod(self.nanoseconds, _UNITS["W"])
        if not rest and 52 % week == 0 and week < 52:
            return 52 // week
        return 7 if self.nanoseconds == _UNITS["D"] else 1

    @property
    def length(self) -> Any:
        return np.timedelta64(self.nanoseconds, "ns")

    def places(self, times: np.ndarray) -> np.ndarray:
        whole, rest = np.divmod(
            (times - times[0]).astype("timedelta64[ns]").astype(np.int64), self.nanoseconds
        )
        return whole + rest / self.nanoseconds

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        end = int(first.astype("datetime64[ns]").astype(np.int64)) + int(places[-1]) * self.nanoseconds
        if end > np.iinfo(np.int64).max:
            raise OverflowError
        return first + places * self.length


@dataclass(frozen=True)
class _ByTheClock(_Fixed):
    """From an hour on the clock to another, such as 0, 6, 12 and 18: 6 hours but for changes of clock."""

    @property
    def name(self) -> str:  # type: ignore[override]
        return super().name + _BY_THE_CLOCK

    @property
    def absolute(self) -> bool:
        """Never: see the class."""
        return False


@dataclass(frozen=True)
class _Calendar(Step):
    """Months, each on its first or last (business) day, or on a day by number where it has that many."""

    months: int
    day: str | int

    @property
    def name(self) -> str:  # type: ignore[override]
        # Half a year is six months to everybody, and never two quarters.
        unit = "Y" if self.months % 12 == 0 else "Q" if self.months == 3 else "M"
        count = self.months // _MONTHS[unit]
        unit = f"B{unit}{self.day[1]}" if str(self.day)[0] == "B" else f"{unit}{self.day}"  # type: ignore[index]
        if isinstance(self.day, int):
            count, unit = self.months, f"M@{self.day}"
        return unit if count == 1 else f"{count}{unit}"

    @property
    def season(self) -> int:  # type: ignore[override]
        return 12 // self.months if self.months < 12 and 12 % self.months == 0 else 1

    @property
    def length(self) -> Any:
        return np.timedelta64(round(self.months * 30.4), "D")

    def places(self, times: np.ndarray) -> np.ndarray:
        months = times.astype("datetime64[M]").astype(np.int64)
        return (months - months[0]) / self.months

    def share(self, times: np.ndarray) -> float:
        days = times.astype("datetime64[D]")
        return float((_days_of(days.astype("datetime64[M]"), self.day) == days).mean())

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        day = first.astype("datetime64[D]")
        months = first.astype("datetime64[M]") + places * self.months
        if months[-1] > np.datetime64("2262-03", "M"):
            raise OverflowError
        return _days_of(months, self.day).astype("datetime64[ns]") + (first - day)


@dataclass(frozen=True)
class _Business(Step):
    """Monday to Friday."""

    name: str = "B"
    season: int = 5
    length: Any = _DAY

    def places(self, times: np.ndarray) -> np.ndarray:
        days = times.astype("datetime64[D]")
        places = np.busday_count(days[0], days).astype(float)
        # A day of a weekend has no place of its own.
        return np.where(np.is_busday(days), places, places - 0.5)

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        day = first.astype("datetime64[D]")
        days = np.busday_offset(day, places, roll="backward")
        if days[-1] > np.datetime64("2262-04-10"):
            raise OverflowError
        return days.astype("datetime64[ns]") + (first - day)


@dataclass(frozen=True)
class _Counted(Step):
    """The same difference between plain numbers, whole or with fractions."""

    length: Any

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.length:.12g}"

    @property
    def season(self) -> int:  # type: ignore[override]
        return 1

    def places(self, times: np.ndarray) -> np.ndarray:
        places = (times - times[0]) / self.length
        near = np.round(places)
        return np.where(np.abs(places - near) < 1e-3, near, places) if times.dtype.kind == "f" else places

    def after(self, first: Any, places: np.ndarray) -> np.ndarray:
        times = first + places * self.length
        return np.round(times, _DIGITS) if times.dtype.kind == "f" else times


def step_named(name: str) -> Step:
    """The step of a name.

    Raises:
        DataError: it is no step's.

    Example:
        >>> [str(step_named(name)) for name in ("W", "30D", "QE", "M@15", "6h by the clock", "10")]
        ['W', '30D', 'QE', 'M@15', '6h by the clock', '10']
    """
    name = name.split("-")[0]  # pandas adds where weeks, quarters and years begin
    if name == "B":
        return _Business()
    if match := _FIXED.fullmatch(name.removesuffix(_BY_THE_CLOCK)):
        kind = _ByTheClock if name.endswith(_BY_THE_CLOCK) else _Fixed
        return kind(int(match[1] or 1) * _UNITS[match[2]])
    if match := _CALENDAR.fullmatch(name):
        return _Calendar(
            int(match[1] or 1) * _MONTHS[match[3]], int(match[5]) if match[5] else match[2] + match[4]
        )
    if _NUMBER.fullmatch(name) and float(name) > 0:
        return _Counted(int(name) if name.isdecimal() else float(name))
    raise DataError(f"expected a step such as h, D, B, W, ME, QS, 15min or 10, got {name!r:.60}")


def by_the_clock(step: Step) -> Step | None:
    """The step of so many hours on a clock beside that of so many that pass; None where a day has no such.

    Example:
        >>> str(by_the_clock(step_named("12h"))), by_the_clock(step_named("7h"))
        ('12h by the clock', None)
    """
    if not isinstance(step, _Fixed) or not step.within_day or _UNITS["D"] % step.nanoseconds:
        return None
    return _ByTheClock(step.nanoseconds)


def infer_step(times: np.ndarray) -> Step:
    """The step of ascending times, by the most frequent distance between neighbours.

    Example:
        >>> days = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[ns]")
        >>> str(infer_step(days)), infer_step(days).season
        ('MS', 12)
    """
    if times.dtype.kind == "f":
        deltas = np.round(np.diff(times), _DIGITS) if len(times) > 1 else np.ones(1)
        return _Counted(float(_most_frequent(deltas)))
    if times.dtype.kind != "M":
        return _Counted(int(_most_frequent(np.diff(times))) if len(times) > 1 else 1)
    if len(times) < 2:
        return _Fixed(_UNITS["D"])
    usual = _most_frequent(np.diff(times))
    days = times.astype("datetime64[D]")
    if len(np.unique(times - days)) == 1:
        months = _calendar_of(days) if usual >= np.timedelta64(_SHORTEST_MONTH, "D") else None
        if months is not None:
            return months
        if usual == _DAY and len(times) >= _FEWEST_BUSINESS_DAYS and np.is_busday(days).all():
            return _Business()
    return _Fixed(int(usual.astype("timedelta64[ns]").astype(np.int64)))


def _calendar_of(days: np.ndarray) -> Step | None:
    """The step of days that come once in so many months, on the same day of the month; else None."""
    months = days.astype("datetime64[M]")
    apart = np.diff(months.astype(np.int64))
    if (apart == 0).any():
        return None
    size = int(np.gcd.reduce(apart))
    numbers = (days - months.astype("datetime64[D]")).astype(int) + 1
    kinds = ("S", "E", "BS", "BE", int(numbers.max()))
    shares = [_Calendar(size, kind).share(days) for kind in kinds]
    if 1.0 in shares:
        return _Calendar(size, kinds[shares.index(1.0)])
    between = np.diff(days)
    if (between.astype(int) % int(_most_frequent(between).astype(int)) == 0).all():
        return None  # so many days, whatever the month
    if max(shares[2:4]) > 0.6:  # business days, but for holidays
        return _Calendar(size, kinds[2 + int(np.argmax(shares[2:4]))])
    values, counts = np.unique(numbers, return_counts=True)
    once = int(numbers.max() - numbers.min()) <= _SAME_TIME_OF_MONTH
    return _Calendar(size, int(values[np.argmax(counts)])) if once else None


def _days_of(months: np.ndarray, day: str | int) -> np.ndarray:
    first = months.astype("datetime64[D]")
    last = (months + 1).astype("datetime64[D]") - 1
    if isinstance(day, int):
        return np.minimum(first + day - 1, last)
    if day[0] == "B":
        roll = "forward" if day == "BS" else "backward"
        return np.busday_offset(first if day == "BS" else last, 0, roll=roll)
    return first if day == "S" else last


def _further_remedy(times: np.ndarray, place: float, step: Step) -> str:
    """What else may be the matter: times that are Excel's, or an hour, or two, beside their place."""
    if not isinstance(step.length, np.timedelta64):
        return "; if they are Excel's dates, say --time-column" if are_serial_dates(times.tolist()) else ""
    hours = abs(place - round(place)) * (step.length / np.timedelta64(1, "h"))
    near = 0 < round(hours) <= 2 and abs(hours - round(hours)) < 1e-6
    return "; of local times written in UTC say the zone with --time-zone" if near else ""


def _most_frequent(deltas: np.ndarray) -> Any:
    values, counts = np.unique(deltas, return_counts=True)
    return values[np.argmax(counts)]


def shown(time: Any) -> str:
    """A time without the zeros of its day and second."""
    return str(time).removesuffix(".000000000").removesuffix("T00:00:00")
