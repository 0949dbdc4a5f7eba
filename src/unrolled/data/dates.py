"""Times as people write them: a column is read in one of the forms below, never cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from typing import Any

import numpy as np

from unrolled.data.compact_texts import CompactTexts, compact, pieces_of
from unrolled.data.zones import common_zone, instants_of, offset_name, offsets_at, on_the_wall

MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december", "sept"),
)
_NAME = rf"(?P<mon>{'|'.join((*_FULL_NAMES, *MONTH_NAMES))})\.?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_YEAR, _SHORT = r"(?P<y>[12]\d{3})", r"(?P<y>[12]\d{3}|\d{2})"
_CLOCK = (
    r"(?P<H>\d{1,2})(?:[:.h](?P<M>\d{2})(?:[:.](?P<S>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?)?"
    r"(?:\s*(?P<ap>[ap])\.?m\.?)?"
)
_ABBREVIATIONS = {
    **{"z": 0, "utc": 0, "gmt": 0, "cet": 1, "cest": 2, "bst": 1, "eet": 2, "eest": 3},
    **{"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7},
}
"""Hours east of UTC."""
_ZONE = (
    rf"(?:\s*(?P<z>(?:utc|gmt)?[+-]\d{{1,2}}(?::?\d{{2}})?|{'|'.join(_ABBREVIATIONS)}))?"
    r"(?:\s*\[(?P<tz>[\w/+-]+)\])?"
)
_FULL_CLOCK = rf"(?:(?:t|\s+|,\s*|\s*-\s+|:){_CLOCK}{_ZONE})?"

_FORMS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "year-month-day": rf"{_YEAR}([-/.])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}}){_FULL_CLOCK}(?P<utc>z)?",
        "numbers": rf"{_WEEKDAY}(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\2"
        rf"(?P<c>[12]\d{{3}}|\d{{2}}){_FULL_CLOCK}",
        "yyyymmdd": rf"{_YEAR}(?P<m>\d{{2}})(?P<d>\d{{2}})"
        rf"(?:[t ]?(?P<H>\d{{2}})(?::?(?P<M>\d{{2}})(?::?(?P<S>\d{{2}})(?:\.(?P<f>\d{{1,9}}))?)?)?{_ZONE})?",
        "year-month": rf"{_YEAR}[-/.](?P<m>\d{{1,2}})",
        "month-year": rf"(?P<m>\d{{1,2}})[-/.]{_YEAR}",
        "month": rf"{_YEAR}\s*[-:]?\s*M(?P<m>\d{{1,2}})",
        "quarter": rf"{_YEAR}\s*[-:./]?\s*Q(?P<q>[1-4])",
        "quarter first": rf"(?:Q(?P<q>[1-4])|(?P<q2>[1-4])Q)\s*[-/. ']?\s*{_SHORT}",
        "half": rf"{_YEAR}\s*[-:]?\s*[HS](?P<half>[12])",
        "week": rf"{_YEAR}\s*-?W(?P<w>\d{{1,2}})(?:-?(?P<wd>[1-7]))?",
        "day name": rf"{_WEEKDAY}(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s/.-]*"
        rf"{_NAME}[\s/.,-]*{_SHORT}{_FULL_CLOCK}",
        "name day": rf"{_WEEKDAY}{_NAME}[\s-]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]+{_YEAR}{_FULL_CLOCK}",
        "year name day": rf"{_YEAR}[\s/-]{_NAME}[\s/-](?P<d>\d{{1,2}}){_FULL_CLOCK}",
        "name year": rf"{_NAME}[\s/.,'-]*{_SHORT}",
        "year name": rf"{_SHORT}[\s/-]+{_NAME}",
        "year": _YEAR,
    }.items()
}
"""How dates are written; the first form that all cells of a column have is theirs."""
_FAST = re.compile(r"(?:1[7-9]|2[01])\d{2}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")

_THIS_CENTURY = 69
"""Years of two digits below this one are of this century, as POSIX reads them."""
_FIRST_YEAR, _LAST_YEAR = 1700, 2100
_HELD = range(1678, 2262)
"""The years that nanoseconds reach; of those beyond NumPy makes others without a word."""
_EPOCHS = (("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000))
_FIRST_SECOND, _LAST_SECOND = 315_532_800, 4_102_444_800
"""1980 and 2100, in seconds of Unix time."""
_NUMERIC_FORMS = ("year", "yyyy", "yymmdd", "unix")
"""How the forms begin whose times are numbers."""
_MISSING = frozenset({"", "na", "n/a", "nan", "nat", "null", "none", "<na>"})


@dataclass(frozen=True, slots=True)
class Dates:
    """A column of times.

    Attributes:
        times: `(cell,)` `datetime64[ns]` as clocks on the wall show them; int64 or float64 where they are
            plain numbers.
        form: how they are written; `plain` for plain numbers.
        dayfirst: whether the day comes before the month; None where that is no question.
        offsets: `(cell,)` seconds east of UTC; None where none are written.
        zone: the zone, or the offset, where one is known.
        in_utc: what stands behind them where they are written in UTC though their clocks are those of
            ``zone``: `Z`, or nothing; None where they are written by these clocks.
    """

    times: np.ndarray
    form: str
    dayfirst: bool | None = None
    offsets: np.ndarray | None = None
    zone: str | None = None
    in_utc: str | None = None

    @property
    def instants(self) -> np.ndarray:
        """The times in UTC where their offsets are known, else as they are."""
        return self.times if self.offsets is None else self.times - self.offsets.astype("timedelta64[s]")

    def select(self, rows: np.ndarray) -> Dates:
        """The times of some cells."""
        return replace(
            self, times=self.times[rows], offsets=None if self.offsets is None else self.offsets[rows]
        )


class NoDatesError(ValueError):
    """Cells are no times.

    Attributes:
        entry: the first cell that is none.
        remedy: what would settle it; None where the message says all.
    """

    def __init__(self, message: str, entry: int, remedy: str | None = None) -> None:
        super().__init__(message)
        self.entry = entry
        self.remedy = remedy


def read_dates(
    cells: Sequence[Any],
    dayfirst: bool | None = None,
    *,
    form: str | None = None,
    zone: str | None = None,
) -> Dates:
    """A column of times.

    Args:
        cells: texts, numbers, or dates and periods as Python, NumPy and pandas have them.
        dayfirst: whether the day comes before the month where both are numbers; None decides by all cells
            together.
        form: how other times that these belong to are written, where that is known.
        zone: the zone of those times, which these are of too if it has their offsets.

    Raises:
        NoDatesError: a cell is no time, or not written as the others; or the order of day and month is open.

    Example:
        >>> read_dates(["Jan-10", "Feb-10"]).times.astype("datetime64[D]").astype(str).tolist()
        ['2010-01-01', '2010-02-01']
        >>> read_dates(["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"]).zone
        'Europe/Berlin'
        >>> read_dates([201811, 201812, 201901]).form
        'yyyymm'
    """
    for entry, cell in enumerate(cells):
        if _is_missing(cell):
            raise NoDatesError("expected a date or a whole number, got an empty cell", entry)
    if numbers := _numbers(cells):
        found = _of_numbers(np.array(numbers), cells, form)
        if found is not None:
            return found
        if not all(isinstance(cell, str) for cell in cells):
            cells = [str(cell) for cell in cells]
    elif not all(isinstance(cell, str) for cell in cells):
        return _of_objects(cells, zone)
    return _of_texts(compact(cell.strip() for cell in cells), dayfirst, zone)


def are_dates(cells: Sequence[Any], dayfirst: bool | None = None) -> bool:
    """Whether all cells are times, which plain numbers are not; the order of day and month may be open.

    Example:
        >>> are_dates(["2018Q3", "2018Q4"]), are_dates(["3", "4"]), are_dates(["01/02/2024"])
        (True, False, True)
    """
    # Of a long column that is written so, the distinct ones would take more memory than reading all.
    written_fast = isinstance(cells, CompactTexts) and _FAST.fullmatch(cells[0].strip())
    distinct = cells if written_fast else list(dict.fromkeys(cells))
    for order in (None, True, False) if dayfirst is None else (dayfirst,):
        try:
            return read_dates(distinct, order).form != "plain"
        except NoDatesError:
            continue
    return False


def _is_missing(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return cell is None or cell != cell or type(cell).__name__ in ("NAType", "NaTType")


# Numbers


def _numbers(cells: Sequence[Any]) -> list[int | float] | None:
    """The cells as numbers, whole ones as integers; None where one is none."""
    found: list[int | float] = []
    for cell in cells:
        if isinstance(cell, str):
            try:
                number: int | float = int(cell) if cell.strip().lstrip("-").isdecimal() else float(cell)
            except ValueError:
                return None
        elif isinstance(cell, bool | np.bool_) or not isinstance(
            cell, int | float | np.integer | np.floating
        ):
            return None
        else:
            number = (
                cell if isinstance(cell, int) else (int(cell) if float(cell).is_integer() else float(cell))
            )
        if not abs(number) < 2**62:  # nor is NaN
            return None
        found.append(number)
    # One number with a fraction among them makes all of them such, as in a file they were.
    return found


def _of_numbers(numbers: np.ndarray, cells: Sequence[Any], form: str | None) -> Dates | None:
    """Times written as numbers; None where those are read as texts, as 20240131 and 202401311200 are."""
    if form == "plain":
        return Dates(numbers, "plain")
    if form is not None and not form.startswith(_NUMERIC_FORMS):
        form = None
    whole = bool((numbers == np.round(numbers)).all())
    if whole:
        numbers = numbers.astype(np.int64)
    if whole and _within(numbers, _FIRST_YEAR, _LAST_YEAR) and form in (None, "year"):
        return Dates(_days((numbers - 1970).astype("datetime64[Y]")), "year")
    if whole and _within(numbers, 100 * _FIRST_YEAR, 100 * _LAST_YEAR) and form in (None, "yyyymm", "yyyyww"):
        last = numbers % 100
        if form != "yyyyww" and _within(last, 1, 12) and (len(numbers) > 1 or form):
            return Dates(_month(numbers // 100, last), "yyyymm")
        if form != "yyyymm" and _within(last, 1, 53) and (len(numbers) > 1 or form):
            weeks = [_week(int(year), int(week)) for year, week in zip(numbers // 100, last, strict=True)]
            if all(week is not None for week in weeks):
                return Dates(np.array(weeks, dtype="datetime64[ns]"), "yyyyww")
    texts = [str(number) for number in numbers.tolist()] if whole else []
    if texts and form in (None, "yyyymmdd") and all(len(text) in (8, 10, 12, 14) for text in texts):
        try:
            return replace(_of_form("yyyymmdd", texts, None, None), form="yyyymmdd")
        except NoDatesError:
            pass
    if whole and form in (None, "yymmdd") and (found := _of_short_days(numbers, form is not None)):
        return found
    for unit, size in _EPOCHS:
        if _within(numbers, _FIRST_SECOND * size, _LAST_SECOND * size) and form in (None, f"unix {unit}"):
            nanoseconds = np.round(numbers * (10**9 // size)).astype(np.int64) if not whole else None
            times = numbers * (10**9 // size) if nanoseconds is None else nanoseconds
            return Dates(times.astype("datetime64[ns]"), f"unix {unit}")
    if not whole and _within(numbers, _FIRST_YEAR, _LAST_YEAR):
        texts = [cell.strip() for cell in cells] if all(isinstance(cell, str) for cell in cells) else []
        if (found := _of_fractions(numbers, texts, form)) is not None:
            return found
    return Dates(numbers, "plain")


def _of_short_days(numbers: np.ndarray, certain: bool) -> Dates | None:
    """Days as 240131: of several months, unless it is known, for a counter has few."""
    months = np.unique(numbers // 100)
    if not _within(numbers, 101 if certain else 10101, 991231) or not (certain or len(months) > 1):
        return None
    centuries = np.where(numbers // 10_000 < _THIS_CENTURY, 20_000_000, 19_000_000)
    try:
        return replace(
            _of_form("yyyymmdd", list(map(str, (numbers + centuries).tolist())), None, None), form="yymmdd"
        )
    except NoDatesError:
        return None


def _within(numbers: np.ndarray, first: int, last: int) -> bool:
    return bool(((numbers >= first) & (numbers <= last)).all())


def _of_fractions(numbers: np.ndarray, texts: list[str], form: str | None) -> Dates | None:
    """Years with fractions: 2018.01 for a month where all are so, else the part of the year that is over."""
    years = np.floor(numbers + 1e-6)
    part = np.maximum(numbers - years, 0.0)
    hundredths = part * 100
    whole = np.round(hundredths)
    two = form in (None, "year.month") and (
        not texts or all(len(text.partition(".")[2]) <= 2 for text in texts)
    )
    if two and (np.abs(hundredths - whole) < 1e-6).all() and _within(whole, 1, 12):
        return Dates(_month(years.astype(int), whole.astype(int)), "year.month")
    twelfths = part * 12
    whole = np.round(twelfths)
    if (np.abs(twelfths - whole) < 0.05).all():
        carried = years * 12 + whole
        return Dates(_month(carried // 12, carried % 12 + 1), "year with fraction")
    if _within(twelfths % 1, 0, 1) and ((twelfths % 1 > 0.25) & (twelfths % 1 < 0.75)).all():
        return Dates(_month(years, np.floor(twelfths) + 1), "year with fraction")  # the middle of months
    starts = _days((years.astype(int) - 1970).astype("datetime64[Y]"))
    ends = _days((years.astype(int) - 1969).astype("datetime64[Y]"))
    days = part * ((ends - starts) / np.timedelta64(1, "D"))
    if (np.abs(days - np.round(days)) < 0.1).all():
        return Dates(starts + np.round(days).astype(int).astype("timedelta64[D]"), "year with fraction")
    return None


def _month(years: np.ndarray, months: np.ndarray) -> np.ndarray:
    return _days(((years.astype(int) - 1970) * 12 + months.astype(int) - 1).astype("datetime64[M]"))


def _days(times: np.ndarray) -> np.ndarray:
    return times.astype("datetime64[ns]")


def _week(year: int, week: int, day: int = 1) -> date | None:
    try:
        return date.fromisocalendar(year, week, day)
    except ValueError:
        return None


# What Python, NumPy and pandas have for times


def _of_objects(cells: Sequence[Any], zone: str | None) -> Dates:
    import pandas as pd

    stamps, offsets, names = [], [], set()
    for entry, cell in enumerate(cells):
        if isinstance(cell, pd.Period):
            cell = cell.to_timestamp()
        stamp = pd.Timestamp(cell) if isinstance(cell, date | np.datetime64) else None
        if not isinstance(stamp, pd.Timestamp):
            raise _unlike(cells, entry)
        if stamp.year not in _HELD:
            raise _too_far(cells, entry)
        away = stamp.utcoffset()
        offsets.append(None if away is None else int(away.total_seconds()))
        if away is not None:
            names.add(str(stamp.tz))
            stamp = stamp.tz_localize(None)
        stamps.append(stamp)
    times = pd.DatetimeIndex(stamps).to_numpy().astype("datetime64[ns]")
    if any(each is None for each in offsets):
        if names:
            raise NoDatesError(
                "expected times with an offset, as others have, got one without", offsets.index(None)
            )
        return Dates(times, "date")
    return _zoned(Dates(times, "date", offsets=np.array(offsets)), names, zone)


def _zoned(dates: Dates, names: set[str], zone: str | None) -> Dates:
    """The times with their zone: the one that is written, or one that has all of their offsets."""
    assert dates.offsets is not None
    if len(names) == 1:
        (name,) = names
        try:
            if (offsets_at(dates.instants, name) == dates.offsets).all():
                return replace(dates, zone=name)
        except LookupError:
            pass
    return replace(dates, zone=common_zone(dates.instants, dates.offsets, zone))


# Texts


def _of_texts(cells: Sequence[str], dayfirst: bool | None, zone: str | None) -> Dates:
    if all(map(_FAST.fullmatch, cells)):
        try:
            times = [np.array(piece, dtype="datetime64[ns]") for piece in pieces_of(cells)]
            return Dates(np.concatenate(times), "year-month-day")
        except ValueError:
            pass  # a day that no month has: named below
    distinct = list(dict.fromkeys(cells))
    possible = {name: pattern for name, pattern in _FORMS.items() if pattern.fullmatch(distinct[0])}
    for name, pattern in possible.items():
        if all(map(pattern.fullmatch, distinct)):
            return _of_form(name, cells, dayfirst, zone)
    if not possible:
        raise _unlike(cells, 0)
    pattern = max(
        possible.values(), key=lambda pattern: sum(map(bool, map(pattern.fullmatch, distinct[:1000])))
    )
    raise _unlike(cells, next(entry for entry, cell in enumerate(cells) if not pattern.fullmatch(cell)))


def _unlike(cells: Sequence[Any], entry: int) -> NoDatesError:
    return NoDatesError(
        f"expected a date such as 2024-12-31, got {cells[entry]!r:.60}",
        entry,
        "write every date of the column the same way",
    )


def _too_far(cells: Sequence[Any], entry: int) -> NoDatesError:
    return NoDatesError(
        f"expected a date from {_HELD[0]} to {_HELD[-1]}, got {str(cells[entry])!r:.60}", entry
    )


def _of_form(form: str, cells: Sequence[str], dayfirst: bool | None, zone: str | None) -> Dates:
    distinct = dict.fromkeys(cells)
    pattern = _FORMS[form]
    matches: dict[str, re.Match[str]] = {}
    for cell in distinct:
        match = pattern.fullmatch(cell)
        if match is None:
            raise _unlike(cells, cells.index(cell))
        matches[cell] = match
    order = None
    if form == "numbers":
        order = _order(list(matches.values()), cells, dayfirst)
    read: dict[str, tuple[np.datetime64, int | None, str | None]] = {}
    for cell, match in matches.items():
        try:
            read[cell] = _of_match(match.groupdict(), order)
        except OverflowError:
            raise _too_far(cells, cells.index(cell)) from None
        except ValueError:
            raise _unlike(cells, cells.index(cell)) from None
    found = [read[cell] for cell in cells]
    times = np.array([each[0] for each in found], dtype="datetime64[ns]")
    before = None if order is None or order == "ymd" else order == "dmy"
    dates = Dates(times, form, before)
    offsets = [each[1] for each in found]
    if all(each is None for each in offsets):
        return dates
    if None in offsets:
        entry = offsets.index(None)
        raise NoDatesError("expected times with an offset, as others have, got one without", entry)
    written = {each[2] for each in found if each[2]}
    names: set[str] = {str(each) for each in written} if all(each[2] for each in found) else set()
    return _zoned(replace(dates, offsets=np.array(offsets)), names, zone)


def _order(matches: list[re.Match[str]], cells: Sequence[str], dayfirst: bool | None) -> str:
    """The order of day, month and year: as the numbers of the whole column allow, or as was said."""
    parts = np.array([[int(match["a"]), int(match["b"]), int(match["c"])] for match in matches])
    short = all(len(match["c"]) == 2 for match in matches)
    largest, smallest = parts.max(axis=0), parts.min(axis=0)
    fits = {
        "dmy": smallest[0] >= 1 and largest[0] <= 31 and smallest[1] >= 1 and largest[1] <= 12,
        "mdy": smallest[1] >= 1 and largest[1] <= 31 and smallest[0] >= 1 and largest[0] <= 12,
        "ymd": short and smallest[1] >= 1 and largest[1] <= 12 and smallest[2] >= 1 and largest[2] <= 31,
    }
    possible = [order for order in ("dmy", "mdy") if fits[order]]
    if not possible and fits["ymd"]:
        return "ymd"
    varied = [len(np.unique(column)) for column in parts.T]
    if possible and fits["ymd"] and varied[2] > max(varied[0], 2):
        raise NoDatesError(
            f"expected dates that show which number is the year, got {cells[0]!r:.60} and others that fit in "
            "several ways",
            0,
            "write years with four digits",
        )
    if dayfirst is not None:
        return "dmy" if dayfirst else "mdy"
    if len(possible) == 1:
        return possible[0]
    if not possible or all(match[2] == "." for match in matches):
        # Dots stand in dates whose day comes first; of neither, the cell that does not fit is named.
        return "dmy" if largest[0] > 12 or possible else "mdy"
    raise NoDatesError(
        "expected dates that show whether the day or the month comes first, "
        f"got {cells[0]!r:.60} and others that fit both",
        0,
        "say --dayfirst or --no-dayfirst (dayfirst=True or False)",
    )


def _of_match(
    groups: dict[str, str | None], order: str | None
) -> tuple[np.datetime64, int | None, str | None]:
    """The time, its offset in seconds, and the name of the zone, as far as they are written."""
    given: Callable[[str], str | None] = groups.get
    if order is not None:
        parts = dict(zip(order, (groups["a"], groups["b"], groups["c"]), strict=True))
        groups = groups | parts
    year_text = groups["y"] or ""
    year = int(year_text)
    if len(year_text) == 2:
        year += 2000 if year < _THIS_CENTURY else 1900
    month, day = int(given("m") or groups.get("m") or 1), int(groups.get("d") or 1)
    if name := given("mon"):
        month = 1 + MONTH_NAMES.index(name[:3].lower())
    if quarter := given("q") or given("q2"):
        month = 3 * int(quarter) - 2
    if half := given("half"):
        month = 6 * int(half) - 5
    if week := given("w"):
        start = _week(year, int(week), int(given("wd") or 1))
        if start is None:
            raise ValueError(week)
    else:
        start = date(year, month, day)
    if start.year not in _HELD:
        raise OverflowError(start)
    hour, minute, second = (int(given(part) or 0) for part in ("H", "M", "S"))
    if half_day := given("ap"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + 12 * (half_day.lower() == "p")
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError(hour)
    nanoseconds = int(((given("f") or "") + "0" * 9)[:9])
    moment = np.datetime64(start, "ns") + np.timedelta64(
        (hour * 3600 + minute * 60 + second) * 10**9 + nanoseconds, "ns"
    )
    return moment, *_zone_of_match(given("z") or given("utc"), given("tz"))


def _zone_of_match(written: str | None, bracketed: str | None) -> tuple[int | None, str | None]:
    if written is None:
        return None, None
    text = written.lower()
    if text in _ABBREVIATIONS:
        hours = _ABBREVIATIONS[text]
        return hours * 3600, bracketed or ("Z" if text == "z" else "UTC" if not hours else None)
    sign = -1 if "-" in text else 1
    digits = text.lstrip("utcgm+-").replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    return sign * (hours * 3600 + minutes * 60), bracketed


def is_clock(cell: Any) -> bool:
    """Whether a cell is a time of day, as 17:30, 17.30.00 or 5:30 PM.

    Example:
        >>> is_clock("17:30"), is_clock("5 pm"), is_clock("17")
        (True, True, False)
    """
    if isinstance(cell, time):
        return True
    if not isinstance(cell, str):
        return False
    match = _CLOCK_ALONE.fullmatch(cell.strip())
    return match is not None and bool(match["M"] or match["ap"])


_CLOCK_ALONE = re.compile(_CLOCK + _ZONE, re.IGNORECASE)


def written(
    dates: Sequence[np.datetime64] | np.ndarray,
    zone: str | None,
    *,
    absolute: bool,
    in_utc: str | None = None,
) -> list[str]:
    """Times as texts, with the offset of their zone.

    Args:
        dates: `datetime64`.
        zone: their zone or offset, if any.
        absolute: whether they are in UTC, as those of steps within a day are; else as clocks of the zone show
            them, and without a zone midnight is not written.
        in_utc: what stands behind times that are to be written in UTC all the same; see `Dates`.

    Example:
        >>> written(np.array(["2024-07-01T12:00"], dtype="datetime64[ns]"), "Europe/Berlin", absolute=True)
        ['2024-07-01T14:00:00+02:00']
    """
    times = np.asarray(dates, dtype="datetime64[ns]")
    if zone is None:
        texts = [text.removesuffix(".000000000") for text in np.datetime_as_string(times)]
        return texts if absolute else [text.removesuffix("T00:00:00") for text in texts]
    instants = times if absolute else instants_of(times, zone)
    if in_utc is not None:
        return [text.removesuffix(".000000000") + in_utc for text in np.datetime_as_string(instants)]
    local = on_the_wall(instants, zone)
    offsets = ((local - instants) / np.timedelta64(1, "s")).astype(int)
    texts = [text.removesuffix(".000000000") for text in np.datetime_as_string(local)]
    if zone in ("Z", "UTC"):
        return [f"{text}Z" for text in texts]
    return [text + offset_name(int(each)) for text, each in zip(texts, offsets, strict=True)]
