"""Series in wide form: one row a series, one column a step."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from unrolled.data.calendar import infer_step
from unrolled.data.dates import parse_dates
from unrolled.data.example import Series
from unrolled.data.tables import Table

ID_NAMES = ("unique_id", "series_id", "item_id", "series", "id")
"""What a column that names the series is usually called."""
_NUMBERED = re.compile(r"(\D*)(\d+)")
_FEWEST = 3


def is_wide(table: Table) -> bool:
    """Whether a table holds a series in each row: a name, and then a number for each step.

    The steps' columns are numbered, such as V2, V3, V4 (the M4 competition's), or are dates.

    Example:
        >>> columns = {"V1": ["H1", "H2"], "V2": ["5", "7"], "V3": ["6", ""], "V4": ["", ""]}
        >>> is_wide(Table("hourly.csv", columns, np.array([2, 3])))
        True
    """
    name, *steps = table.columns
    if len(steps) < _FEWEST or not (_are_numbered(steps) or _are_dates(steps)):
        return False
    return name.lower() in ID_NAMES or not table.is_numeric(name)


def series_of_wide(table: Table, season: int | None = None) -> tuple[Series, ...]:
    """The series of a table in wide form; see `is_wide`.

    Empty cells before a series' first and after its last number are no steps of it.

    Raises:
        DataError: a cell is not a number, a series has none, or two have the same name.

    Example:
        >>> columns = {"id": ["H1", "H2"], "V1": ["5", "7"], "V2": ["6", "8"], "V3": ["", "9"]}
        >>> first, second = series_of_wide(Table("hourly.csv", columns, np.array([2, 3])))
        >>> first.unique_id, first.values.tolist(), second.values.tolist(), first.counted
        ('H1', [5.0, 6.0], [7.0, 8.0, 9.0], True)
    """
    name, *steps = table.columns
    numbers = np.stack([table.numbers(step) for step in steps], axis=1)
    dated = _are_dates(steps)
    dates = parse_dates(steps).to_numpy(dtype="datetime64[ns]") if dated else np.zeros(0)
    found: dict[str, Series] = {}
    for entry, (cell, values) in enumerate(zip(table.column(name), numbers, strict=True)):
        source = table.source(entry, steps[0])
        present = np.flatnonzero(~np.isnan(values))
        if not len(present):
            raise source.error(f"expected numbers in series {cell!r}, got none")
        if str(cell) in found:
            raise table.source(entry, name).error(f"expected every series once, got {cell!r:.60} again")
        kept = slice(present[0], present[-1] + 1)
        if dated:
            step = infer_step(dates)
            times, places = step.grid(dates[kept], source)
            frequency, usual = step.frequency, step.season
        else:
            times = places = np.arange(kept.stop - kept.start)
            frequency, usual = None, 1
        on_grid = np.full(len(times), np.nan)
        on_grid[places] = values[kept]
        found[str(cell)] = Series(
            unique_id=str(cell),
            times=times,
            values=on_grid,
            covariates=np.zeros((len(times), 0)),
            source=source,
            season=season or usual,
            step=frequency,
            counted=not dated,
        )
    return tuple(found.values())


def _are_numbered(names: Sequence[str]) -> bool:
    matches = [_NUMBERED.fullmatch(name) for name in names]
    if not all(matches):
        return False
    prefixes = {match[1] for match in matches if match}
    numbers = [int(match[2]) for match in matches if match]
    return len(prefixes) == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _are_dates(names: Sequence[str]) -> bool:
    return not any(map(str.isdecimal, names)) and not parse_dates(names).isna().any()
