"""Series in wide form: one row a series, one column a step."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.data.dates import Dates, NoDatesError, are_dates
from unrolled.data.example import Series
from unrolled.data.local_clocks import clock_notes, dates_of_series
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.steps import step_named
from unrolled.data.tables import Table, is_missing
from unrolled.data.time_headers import bare_times, first_time
from unrolled.data.timeline import kept_times, own_step, step_among, step_here
from unrolled.errors import DataError

ID_NAMES = ("unique_id", "series_id", "item_id", "series", "id")
"""What a column that names the series is usually called."""
_NUMBERED = re.compile(r"(\D*)(\d+)")
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class WideColumns:
    """The columns of a table in wide form.

    Attributes:
        names: those that name the series, together.
        steps: one for each step.
        dated: whether the steps are called by dates.
        left_out: further columns, before the steps or without a number.
    """

    names: tuple[str, ...]
    steps: tuple[str, ...]
    dated: bool
    left_out: tuple[str, ...] = ()


def wide_columns(table: Table) -> WideColumns | None:
    """The columns of a table that holds a series in each row: names, and then a number for each step.

    The steps' columns are numbered, such as V2, V3, V4 (the M4 competition's), or are dates, months or years.

    Returns:
        None where the table is no such one.

    Example:
        >>> columns = {"Country": ["Chile", "Kenya"], "1990": ["5", "7"], "1991": ["6", ""], "1992": ["", ""]}
        >>> wide_columns(Table("countries.csv", columns, np.array([2, 3]))).steps
        ('1990', '1991', '1992')
    """
    columns = list(table.columns)
    while columns and not columns[-1] and all(map(is_missing, table.columns[columns[-1]])):
        columns.pop()  # a separator at the end of every row
    without = tuple(list(table.columns)[len(columns) :])
    name, *steps = columns or [""]
    first = first_time(columns)
    leading = columns[:first]
    if len(columns) - first >= _FEWEST and leading and not any(_are_times(table, each) for each in leading):
        texts = [each for each in leading if not table.is_numeric(each)]
        names = _telling(
            table, [each for each in texts if not all(map(is_missing, table.columns[each]))] or leading
        )
        left_out = tuple(each for each in leading if each not in names)
        return WideColumns(names, tuple(columns[first:]), True, left_out + without)
    if len(steps) < _FEWEST or not _are_numbered(steps):
        return None
    if name.lower() not in ID_NAMES and table.is_numeric(name):
        return None
    return WideColumns((name,), tuple(steps), False, without)


def series_of_wide(
    table: Table,
    columns: WideColumns,
    *,
    season: int | None = None,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
    known: SeriesLayout | None = None,
    steps: Mapping[str, str] | None = None,
) -> tuple[tuple[Series, ...], SeriesLayout]:
    """The series of a table in wide form, and how it was read.

    Empty cells before a series' first and after its last number are no steps of it.

    Args:
        table: the table.
        columns: of `wide_columns`.
        season: as for `unrolled.data.series.series_of_table`.
        dayfirst: as there.
        time_zone: as there.
        known: how the training data was read.
        steps: the step of a series by its name, and by `""` that of others, where they are known.

    Raises:
        DataError: a cell is not a number, a series has none, or two have the same name.

    Example:
        >>> cells = {"id": ["H1", "H2"], "V1": ["5", "7"], "V2": ["6", "8"], "V3": ["", "9"]}
        >>> table = Table("hourly.csv", cells, np.array([2, 3]))
        >>> (first, second), _ = series_of_wide(table, wide_columns(table))
        >>> first.unique_id, first.values.tolist(), second.values.tolist(), first.counted
        ('H1', [5.0, 6.0], [7.0, 8.0, 9.0], True)
    """
    numbers = np.stack([table.numbers(step) for step in columns.steps], axis=1)
    dates = _dates(table, columns, dayfirst, time_zone, known) if columns.dated else None
    order = np.arange(len(columns.steps)) if dates is None else np.argsort(dates.instants, kind="stable")
    usual = None if dates is None else own_step(dates)
    found: dict[str, Series] = {}
    empty = 0
    for entry, values in enumerate(numbers[:, order]):
        source = table.source(entry, columns.steps[0])
        name = ", ".join(
            str(table.column(each)[entry])
            for each in columns.names
            if not is_missing(table.column(each)[entry])
        )
        present = np.flatnonzero(~np.isnan(values))
        if not len(present) and usual is not None and not np.isnan(numbers).all():
            empty += 1  # as the tables of statistics offices have them
            continue
        if not len(present):
            raise source.error(f"expected numbers in series {name!r}, got none")
        if name in found:
            raise table.source(entry, columns.names[0]).error(
                f"expected every series once, got {name!r:.60} again"
            )
        kept = slice(present[0], present[-1] + 1)
        if dates is None or usual is None:
            times = places = np.arange(kept.stop - kept.start)
            frequency, cycle = None, 1
        else:
            own = dates.select(order[kept])
            step = usual if steps is None else _known_step(name, own, steps)
            times, places = step.grid(kept_times(own, step), source)
            frequency, cycle = step.name, step.season
        on_grid = np.full(len(times), np.nan)
        on_grid[places] = values[kept]
        found[name] = Series(
            unique_id=name,
            times=times,
            values=on_grid,
            covariates=np.zeros((len(times), 0)),
            source=source,
            season=season or cycle,
            step=frequency,
            counted=dates is None,
            zone=dates.zone if dates else None,
            in_utc=dates.in_utc if dates else None,
        )
    layout = SeriesLayout(
        wide=True,
        left_out=columns.left_out,
        form=dates.form if dates else None,
        dayfirst=dates.dayfirst if dates else None,
        zone=dates.zone if dates else None,
        in_utc=dates.in_utc if dates else None,
        notes=(
            *table.notes,
            *clock_notes(dates, time_zone),
            *([f"Without a number, and left out: {empty:,} series."] if empty else []),
        ),
    )
    return tuple(found.values()), layout


def _known_step(name: str, dates: Dates, steps: Mapping[str, str]):
    return (
        step_here(dates, step_named(steps[name]))
        if name in steps
        else step_among(dates, step_named(steps[""]))
    )


def _dates(
    table: Table,
    columns: WideColumns,
    dayfirst: bool | None,
    time_zone: str | None,
    known: SeriesLayout | None,
) -> Dates:
    cells = bare_times(columns.steps)
    try:
        return dates_of_series(cells, dayfirst=dayfirst, time_zone=time_zone, before=known)
    except NoDatesError as error:
        raise DataError(
            str(error), path=table.path, row=1, column=columns.steps[error.entry], remedy=error.remedy
        ) from None


def _telling(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """The first column in which every row differs; else all of them."""
    for name in sorted(names, key=lambda name: name.lower() not in ID_NAMES):
        cells = table.columns[name]
        if not any(map(is_missing, cells)) and len({*map(str, cells)}) == len(table):
            return (name,)
    return tuple(names)


def _are_times(table: Table, name: str) -> bool:
    cells = table.columns[name]
    return not table.is_numeric(name) and are_dates(cells)


def _are_numbered(names: Sequence[str]) -> bool:
    matches = [_NUMBERED.fullmatch(name) for name in names]
    if not all(matches):
        return False
    prefixes = {match[1] for match in matches if match}
    numbers = [int(match[2]) for match in matches if match]
    return len(prefixes) == 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
