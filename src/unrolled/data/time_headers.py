"""Times as names of columns: 1990, X1990, 199001, 2024-01-31, 1/31/24."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from unrolled.data.dates import are_dates

_PREFIX = re.compile(r"(?:X|Y|FY|YR|d_|_)(?=\d)", re.IGNORECASE)
"""What stands before a digit where a name must begin with a letter, as R's names do."""
_DOUBLED = re.compile(r"\s*\[YR\d{4}\]$")
"""The World Bank gives years twice."""
_TIME_NUMBER = re.compile(r"(?:1[789]|20)\d{2}(?:0[1-9]|1[0-2])?(?:[0-3]\d)?(?:\.\d+)?")
_FEWEST = 3


def bare_times(names: Sequence[str]) -> list[str]:
    """The names without what only makes them names.

    Example:
        >>> bare_times(["X1990", "1991 [YR1991]"])
        ['1990', '1991']
    """
    return [_PREFIX.sub("", _DOUBLED.sub("", name.strip()), count=1) for name in names]


def first_time(names: Sequence[str]) -> int:
    """Where the names begin that are times up to the last one; their number where those at the end are none.

    Example:
        >>> first_time(["Country", "Code", "1990", "1991", "1992"]), first_time(["Country", "Code"])
        (2, 2)
    """
    first = len(names)
    bare = bare_times(names)
    while first and _may_be_time(bare[first - 1]):
        first -= 1
    return first if first < len(names) and are_dates(bare[first:]) else len(names)


def are_times_over_numbers(first: Sequence[str]) -> bool:
    """Whether a row that holds numbers is one of names all the same: years, months or days that go on.

    Example:
        >>> are_times_over_numbers(["Norway", "1990", "1991", "1992"])
        True
        >>> are_times_over_numbers(["Norway", "1990", "2010", "1992"])
        False
    """
    while first and not first[-1]:
        first = first[:-1]  # a separator at the end of every row
    at = first_time(first)
    times = bare_times(first[at:])
    if at == 0 or len(times) < _FEWEST or not all(map(_TIME_NUMBER.fullmatch, times)):
        return False
    if any(_may_be_time(cell) for cell in first[:at]):
        return False
    numbers = [_ordinal(time) for time in times]
    apart = [round(after - before, 1) for before, after in pairwise(numbers)]
    usual = max(apart, key=apart.count)
    # What reads as days is hardly anything else; years and months go on evenly, but for gaps.
    return min(apart) > 0 and (len(times[0]) == 8 or 2 * apart.count(usual) >= len(apart))


def _ordinal(time: str) -> float:
    """A year, a month or a day as a number that goes on evenly."""
    if "." in time or len(time) == 4:
        return round(float(time), 2)
    months = 12 * int(time[:4]) + int(time[4:6])
    return months if len(time) == 6 else 31 * months + int(time[6:])


def _may_be_time(name: str) -> bool:
    return any(map(str.isdigit, name)) and (name.isdecimal() or are_dates([name]))
