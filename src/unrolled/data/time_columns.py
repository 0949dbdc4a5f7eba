"""The columns of a table that say when: one of times, dates and times of day apart, or parts of dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.data.dates import MONTH_NAMES, are_dates, is_clock, read_dates
from unrolled.data.serial_dates import are_serial_dates, dates_of_serial, says_date
from unrolled.data.sheets import DAY_ZERO
from unrolled.data.steps import infer_step
from unrolled.data.tables import NAMELESS, Table, is_missing, is_number

TIME_NAMES = ("ds", "date", "datetime", "timestamp", "time")
"""What a column of times is usually called, whatever numbers or dates it holds."""
_PERIOD_NAMES = (
    "period",
    "month",
    "quarter",
    "week",
    "year",
    "day",
    "years",
    "months",
    "date_time",
    "observation_date",
)
"""What it may be called where it holds dates."""
_CLOCK_NAMES = ("time", "hour", "hr", "hours", "time of day", "clock", "utc", "uhrzeit", "heure", "hora")
_EXACT = 2**53
"""Below it every whole number has a float of its own."""
_TELLING = 4
"""Numbers that go on as times do before they are taken for such, whatever their column is called."""
_PARTS = {
    "year": ("year", "yr", "yyyy"),
    "month": ("month", "mo", "mon", "mnth", "mm"),
    "day": ("day", "dd", "dom", "day of month", "mday"),
    "hour": ("hour", "hr", "hh"),
    "minute": ("minute", "min", "mi"),
}
"""What the parts of a date are called that has a column for each."""


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """The columns that say when each row was, the one to name in errors first.

    Attributes:
        names: none where rows only count.
        parts: what each of them holds where they are numbers of a date's parts.
        day_zero: what the numbers of the first count days from, where they are Excel's dates.
    """

    names: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    day_zero: np.datetime64 | None = None

    def cells(self, table: Table) -> Sequence[Any]:
        """One time a row, as `unrolled.data.dates.read_dates` takes it."""
        columns = [table.column(name) for name in self.names]
        if self.day_zero is not None:
            columns[0] = dates_of_serial(columns[0], self.day_zero)
        if self.parts:
            rows = zip(*columns, strict=True)
            return [_from_parts(dict(zip(self.parts, row, strict=True))) for row in rows]
        if len(columns) == 1:
            return columns[0]
        dates, clocks = columns
        in_hundreds = _in_hundreds(clocks)
        return [_with_clock(*each, in_hundreds) for each in zip(dates, clocks, strict=True)]

    def notes(self) -> tuple[str, ...]:
        """What numbers were taken for, in a sentence for the user."""
        if self.day_zero is None:
            return ()
        since = self.day_zero.astype("datetime64[D]")
        return (f"The numbers in column {self.names[0]!r} are read as Excel's dates, days since {since}.",)


def find_times(table: Table, asked: str | None = None, taken: Sequence[str | None] = ()) -> TimeColumns:
    """The columns of times of a table in long form.

    Args:
        table: the table.
        asked: a column by name, or two with a comma between them: of dates, and of times of day.
        taken: columns that hold something else.

    Raises:
        DataError: a column that was asked for is not there.

    Example:
        >>> columns = {"Date": ["2024-01-01"] * 2, "Time": ["00:00", "01:00"], "load": ["1", "2"]}
        >>> find_times(Table("load.csv", columns, np.array([2, 3]))).names
        ('Date', 'Time')
    """
    if asked is not None:
        names = (asked,) if asked in table.columns else tuple(asked.split(","))
        for name in names:
            table.column(name)
        return _with_day_zero(table, TimeColumns(names[:2]), meant=True)
    columns = {
        name: dates_of_serial(cells, _day_zero(table)) if _are_named_serial(table, name) else cells
        for name, cells in table.columns.items()
        if name not in taken
    }
    lowered = {name.strip().lower(): name for name in reversed(columns)}
    named = [lowered[name] for name in TIME_NAMES if name in lowered]
    # A time of day alone is no time: its date stands in another column.
    main = next((name for name in named if not _are_clocks(columns[name])), None)
    if main is None:
        if parts := _in_parts(lowered, columns):
            return parts
        periods = [lowered[name] for name in _PERIOD_NAMES if name in lowered]
        main = next((name for name in periods if are_dates(columns[name])), None)
    if main is None:
        main = next((name for name, cells in columns.items() if _shows_dates(name, cells)), None)
    names = [cells for name, cells in table.columns.items() if name in taken]
    if main is None:
        main = next((name for name, cells in columns.items() if _goes_on(table, cells, names)), None)
    if main is None:
        return TimeColumns()
    clock = _clock_beside(main, lowered, columns, names)
    found = TimeColumns((main,) if clock is None else (main, clock))
    return _with_day_zero(table, found, meant=table.day_zero is not None)


def _day_zero(table: Table) -> np.datetime64:
    return DAY_ZERO if table.day_zero is None else table.day_zero


def _are_named_serial(table: Table, name: str) -> bool:
    """Whether a column holds Excel's dates as numbers, by its name and what they are."""
    named = says_date(name) or (table.day_zero is not None and name.strip().lower() in TIME_NAMES)
    return named and are_serial_dates(table.columns[name])


def _with_day_zero(table: Table, times: TimeColumns, *, meant: bool) -> TimeColumns:
    """The columns, the first of Excel's dates where it may be and is of such numbers."""
    first = times.names[0]
    if not (meant or says_date(first)) or not are_serial_dates(table.columns[first]):
        return times
    return replace(times, day_zero=_day_zero(table))


def _shows_dates(name: str, cells: Sequence[Any]) -> bool:
    first = next((cell for cell in cells if not is_missing(cell)), None)
    if isinstance(first, str) and is_number(first) and name not in NAMELESS:
        return False  # numbers are data, unless the name says otherwise, or they are an index
    return first is not None and (isinstance(first, str) or hasattr(first, "year")) and are_dates(cells)


def _goes_on(table: Table, cells: Sequence[Any], names: list[Sequence[Any]]) -> bool:
    """Whether numbers under any name are years, months, days or Unix times that go on evenly, each once.

    In a workbook Excel's dates are among them.
    """
    if len(cells) < _TELLING or _whole(cells) is None:
        return False
    if table.day_zero is not None and are_serial_dates(cells):
        cells = dates_of_serial(cells, table.day_zero)
    elif not are_dates(cells):
        return False
    if len({tuple(map(str, row)) for row in zip(cells, *names, strict=True)}) < len(cells):
        return False
    times = np.unique(read_dates(list(dict.fromkeys(cells))).times)
    return len(times) >= _TELLING and infer_step(times).span(times) == len(times)


def _are_clocks(cells: Sequence[Any]) -> bool:
    return all(is_clock(cell) for cell in cells)


def _clock_beside(
    main: str, lowered: dict[str, str], columns: dict[str, Sequence[Any]], names: list[Sequence[Any]]
) -> str | None:
    """A column of times of day beside one of dates that have none."""
    others = [lowered[name] for name in _CLOCK_NAMES if lowered.get(name, main) != main]
    dates = columns[main]
    if any(":" in str(cell) and not str(cell).endswith("00:00:00") for cell in dates) or not are_dates(dates):
        return None
    for name in others:
        if _are_clocks(columns[name]):
            return name
        # Hours tell rows of one day apart; where a day has one row in a series they are something else.
        days = {tuple(map(str, row)) for row in zip(dates, *names, strict=True)}
        if _are_hours(columns[name]) and len(days) < len(dates):
            return name
    return _clocks_that_tell(dates, columns, names)


def _clocks_that_tell(
    dates: Sequence[Any], columns: dict[str, Sequence[Any]], names: list[Sequence[Any]]
) -> str | None:
    """A column of times of day, whatever it is called, that tells rows of one date apart."""
    if len({tuple(map(str, row)) for row in zip(dates, *names, strict=True)}) == len(dates):
        return None
    return next((name for name, cells in columns.items() if cells is not dates and _are_clocks(cells)), None)


def _are_hours(cells: Sequence[Any]) -> bool:
    numbers = _whole(cells)
    if numbers is None:
        return False
    return bool((numbers >= 0).all() and ((numbers <= 24).all() or _in_hundreds(cells)))


def _in_hundreds(cells: Sequence[Any]) -> bool:
    """Whether times of day are written as 1730."""
    numbers = _whole(cells)
    if numbers is None:
        return False
    if all(isinstance(cell, str) and len(cell.strip()) == 4 for cell in cells):
        return bool((numbers <= 2400).all())
    return bool((numbers > 24).any() and (numbers <= 2400).all() and (numbers % 100 < 60).all())


def _are_months(cells: Sequence[Any]) -> bool:
    return all(isinstance(cell, str) and cell.strip()[:3].lower() in MONTH_NAMES for cell in cells)


def _whole(cells: Sequence[Any]) -> np.ndarray | None:
    try:
        numbers = np.array([float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None
    whole = len(numbers) and (numbers == np.round(numbers)).all() and (np.abs(numbers) < _EXACT).all()
    return numbers.astype(int) if whole else None


def _with_clock(day: Any, clock: Any, in_hundreds: bool) -> Any:
    if is_missing(day) or is_missing(clock):
        return None
    text = day.strip() if isinstance(day, str) else str(day)[:10]
    text = text.removesuffix("00:00:00").rstrip(" T")
    if is_clock(clock):
        return f"{text} {str(clock).strip()}"
    number = int(float(clock))
    hour, minute = divmod(number, 100) if in_hundreds else (number, 0)
    return f"{text} {hour:02}:{minute:02}"


def _in_parts(lowered: dict[str, str], columns: dict[str, Sequence[Any]]) -> TimeColumns | None:
    """Columns of a year, a month, and perhaps a day, an hour and a minute."""
    names, parts = [], []
    for part, called in _PARTS.items():
        name = next((lowered[each] for each in called if each in lowered), None)
        if name is None or (
            _whole(columns[name]) is None and not (part == "month" and _are_months(columns[name]))
        ):
            break
        names.append(name)
        parts.append(part)
    if len(parts) < 2:
        names, parts = names[:1], parts[:1]
        for part in ("quarter", "week"):
            if names and part in lowered and _whole(columns[lowered[part]]) is not None:
                names, parts = [names[0], lowered[part]], ["year", part]
    if len(parts) < 2:
        return None
    times = TimeColumns(tuple(names), tuple(parts))
    cells = times.cells(Table("", columns, np.arange(len(columns[names[0]]))))
    return times if are_dates(cells) else None


def _from_parts(parts: dict[str, Any]) -> Any:
    if any(is_missing(cell) for cell in parts.values()):
        return None
    if (name := str(parts.get("month"))[:3].lower()) in MONTH_NAMES:
        parts = parts | {"month": 1 + MONTH_NAMES.index(name)}
    numbers = {part: int(float(cell)) for part, cell in parts.items()}
    if "week" in numbers:
        return f"{numbers['year']:04}-W{numbers['week']:02}"
    if "quarter" in numbers:
        return f"{numbers['year']:04}-Q{numbers['quarter']}"
    text = f"{numbers['year']:04}-{numbers['month']:02}"
    if "day" not in numbers:
        return text
    text += f"-{numbers['day']:02}"
    return text if "hour" not in numbers else f"{text} {numbers['hour']:02}:{numbers.get('minute', 0):02}"
