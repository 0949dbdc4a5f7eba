"""Excel's serial dates: numbers of days, which its cells hold where no format makes them dates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from unrolled.data.sheets import DAY_ZERO
from unrolled.data.tables import is_missing

_FIRST, _LAST = 18_264, 73_051
"""1950 and 2100, counted from `DAY_ZERO`."""
_DAY_SECONDS = 86_400
_NAMED = ("date", "datum", "fecha")


def are_serial_dates(cells: Sequence[Any]) -> bool:
    """Whether all cells that are not missing are numbers of days from 1950 to 2100, which no year is.

    Example:
        >>> are_serial_dates([45292, "45323.25"]), are_serial_dates([2024, 2025])
        (True, False)
    """
    numbers = _numbers(cells)
    return numbers is not None and bool(((numbers >= _FIRST) & (numbers < _LAST)).all())


def dates_of_serial(cells: Sequence[Any], day_zero: np.datetime64 = DAY_ZERO) -> list[datetime | None]:
    """The times of `are_serial_dates`, to the second, as exact as they are written; None where missing.

    Example:
        >>> [str(time) for time in dates_of_serial([45292, "45292.041667"])]
        ['2024-01-01 00:00:00', '2024-01-01 01:00:00']
    """
    days = np.array([np.nan if is_missing(cell) else float(cell) for cell in cells])
    seconds = np.round(days * _DAY_SECONDS)
    return [
        None if np.isnan(each) else (day_zero + np.timedelta64(int(each), "s")).astype("datetime64[s]").item()
        for each in seconds
    ]


def says_date(name: str) -> bool:
    """Whether a column's name says that it holds dates.

    Example:
        >>> says_date("Order Date"), says_date("sales")
        (True, False)
    """
    return any(each in name.lower() for each in _NAMED)


def _numbers(cells: Sequence[Any]) -> np.ndarray | None:
    """Those that are not missing; None where there are none, or one is no number."""
    given = [cell for cell in cells if not is_missing(cell)]
    if not given or any(isinstance(cell, bool) or hasattr(cell, "year") for cell in given):
        return None
    try:
        return np.array([float(cell) for cell in given])
    except (TypeError, ValueError):
        return None
