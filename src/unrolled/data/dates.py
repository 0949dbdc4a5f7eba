"""Dates from the texts of a table."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


_NUMERIC = re.compile(r"\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)(.*)", re.DOTALL)
"""Two numbers of which either may be the day, a year, and perhaps a time of day."""
_THIS_CENTURY = 69
"""Years of two digits below this one are of this century, as POSIX reads them."""


def day_first(cells: Sequence[Any]) -> bool | None:
    """Whether the day comes before the month in dates such as 31/12/2024, by all of them together.

    None where they show neither order, or are not written so. With dots the day comes first.

    Example:
        >>> day_first(["01/02/2024", "13/02/2024"]), day_first(["01/02/2024", "02/13/2024"])
        (True, False)
        >>> day_first(["01/02/2024"]), day_first(["01.02.2024"])
        (None, True)
    """
    matches = _matches(cells)
    return None if matches is None else _order(matches)


def _order(matches: Sequence[re.Match[str]]) -> bool | None:
    first, second = (max(int(match[place]) for match in matches) for place in (1, 3))
    if first > 12 or second > 12:
        return first > 12
    return True if all(match[2] == "." for match in matches) else None


def either_order(cells: Sequence[Any]) -> bool:
    """Whether dates can be read with the day first and with the month first, all of them.

    Example:
        >>> either_order(["01/02/2024", "03/04/2024"]), either_order(["2024-02-01"])
        (True, False)
    """
    matches = _matches(cells)
    return matches is not None and _order(matches) is None


def parse_dates(cells: Sequence[Any], dayfirst: bool | None = None) -> pd.DatetimeIndex:
    """The cells as dates, NaT where one is none; all must be written in the same way.

    Args:
        cells: texts, or what pandas takes for a date.
        dayfirst: whether the day comes before the month where both are numbers before the year; None
            decides by all cells together, and takes the month first where they show neither.
    """
    import pandas as pd

    matches = _matches(cells)
    if matches is not None:
        before = dayfirst if dayfirst is not None else _order(matches)
        cells = [_year_first(match, bool(before)) for match in matches]
    with warnings.catch_warnings():
        # pandas warns where it cannot tell how the first cell is written; the NaT that follow say it with
        # the row.
        warnings.simplefilter("ignore", UserWarning)
        try:
            dates = pd.DatetimeIndex(pd.to_datetime(list(cells), errors="coerce"))
        except (ValueError, TypeError):
            return pd.DatetimeIndex([pd.NaT] * len(cells))
    return dates if dates.tz is None else dates.tz_convert(None)


def _matches(cells: Sequence[Any]) -> list[re.Match[str]] | None:
    """Each cell taken apart; None where one is not written so."""
    matches = []
    for cell in cells:
        match = _NUMERIC.fullmatch(cell) if isinstance(cell, str) else None
        if match is None:
            return None
        matches.append(match)
    return matches or None


def _year_first(match: re.Match[str], day_before: bool) -> str:
    day, month = (match[1], match[3]) if day_before else (match[3], match[1])
    year = int(match[4])
    if len(match[4]) == 2:
        year += 2000 if year < _THIS_CENTURY else 1900
    return f"{year:04}-{int(month):02}-{int(day):02}{match[5]}"
