"""Dates from the texts of a table."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def parse_dates(cells: Sequence[Any]) -> pd.DatetimeIndex:
    """The cells as dates, NaT where one is none; all must be written as the first one is."""
    import pandas as pd

    with warnings.catch_warnings():
        # pandas warns where it cannot tell how the first cell is written; the NaT that follow say it with
        # the row.
        warnings.simplefilter("ignore", UserWarning)
        try:
            dates = pd.DatetimeIndex(pd.to_datetime(list(cells), errors="coerce"))
        except (ValueError, TypeError):
            return pd.DatetimeIndex([pd.NaT] * len(cells))
    return dates if dates.tz is None else dates.tz_convert(None)
