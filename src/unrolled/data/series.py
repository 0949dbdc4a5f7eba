"""Series of numbers in time, from tables: one row a step in long form, one row a series in wide form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.calendar import Step, infer_step
from unrolled.data.dates import either_order, parse_dates
from unrolled.data.example import Series, Source
from unrolled.data.table_form import TableForm
from unrolled.data.tables import Table, is_missing, is_number, read_table
from unrolled.data.wide import ID_NAMES, is_wide, series_of_wide
from unrolled.errors import DataError

TIME_NAMES = ("ds", "date", "datetime", "timestamp", "time")
TARGET_NAMES = ("y", "value", "target")


def read_series(
    path: str | Path,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
    form: TableForm | None = None,
) -> tuple[Series, ...]:
    """Read the series of a table in a file, written in ``form``; see `series_of_table`."""
    wanted = [name for name in (unique_id, time, target) if name is not None]
    return series_of_table(
        read_table(path, columns=wanted, form=form),
        unique_id=unique_id,
        time=time,
        target=target,
        covariates=covariates,
        season=season,
        dayfirst=dayfirst,
    )


def series_of_table(
    table: Table,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
) -> tuple[Series, ...]:
    """The series of a table, each sorted by time, with NaN where a step or a number is missing.

    Args:
        table: one row a step; or, where no column is named, one row a series (`unrolled.data.wide.is_wide`).
        unique_id: the column that names the series; guessed by its name otherwise. Without one, all rows
            are one series.
        time: the column of dates, or of whole numbers; guessed by its name or content otherwise. Without
            one, the rows are steps.
        target: the column to forecast. Guessed by its name otherwise, or the first one with numbers where
            there are dates, or the only one.
        covariates: other columns with numbers; None takes every such column.
        season: the steps after which series repeat; None takes what is usual for the time between steps: 24
            hours, 7 days, 52 weeks, 12 months, 4 quarters.
        dayfirst: whether the day comes before the month in dates such as 01/02/2024; None decides by all of
            them together.

    Raises:
        DataError: a column is missing or does not hold numbers or dates, dates fit either order and nothing
            says which, two rows of a series have the same time, or the times are not evenly spaced.

    Example:
        >>> columns = {"ds": ["2024-01-04", "2024-01-01", "2024-01-02"], "y": [4, 1, 2]}
        >>> table = Table("sales.csv", columns, np.array([2, 3, 4]))
        >>> series, = series_of_table(table)
        >>> series.values, series.step, series.season
        (array([ 1.,  2., nan,  4.]), 'D', 7)
    """
    if unique_id is time is target is None and not covariates and is_wide(table):
        return series_of_wide(table, season)
    time_name = time if time is not None else _time_column(table)
    id_name = unique_id if unique_id is not None else _by_name(table, ID_NAMES)
    target_name = target if target is not None else _target_column(table, time_name, id_name)
    if covariates is None:
        taken = (time_name, id_name, target_name)
        covariates = [name for name in table.columns if name not in taken and table.is_numeric(name)]
    values = table.numbers(target_name)
    extra = np.stack([table.numbers(name) for name in covariates], axis=1) if covariates else None
    if extra is None:
        extra = np.zeros((len(table), 0))
    times = np.arange(len(table)) if time_name is None else _times(table, time_name, dayfirst)
    names = [""] * len(table) if id_name is None else [str(cell) for cell in table.column(id_name)]
    groups: dict[str, list[int]] = {}
    for entry, name in enumerate(names):
        groups.setdefault(name, []).append(entry)
    found = []
    in_order: dict[str, np.ndarray] = {}
    for name, entries in groups.items():
        rows = np.array(entries)
        in_order[name] = rows = rows[np.argsort(times[rows], kind="stable")]
        if time_name is not None:
            _check_repeats(table, times, rows, time_name, name)
    usual = _usual_step([times[rows] for rows in in_order.values()])
    for name, rows in in_order.items():
        step = infer_step(times[rows]) if len(rows) >= _SHOWS_ITS_STEP else usual
        where = table.source(int(rows[0]), time_name)
        grid, places = step.grid(times[rows], where)
        source = Source(table.path, int(table.rows[rows].min()), target_name)
        found.append(
            Series(
                unique_id=name or target_name,
                times=grid,
                values=_scatter(values[rows], places, len(grid)),
                covariates=_scatter(extra[rows], places, len(grid)),
                names=tuple(covariates),
                source=source,
                season=season or step.season,
                step=step.frequency,
            )
        )
    return tuple(found)


_SHOWS_ITS_STEP = 4
"""Times with which a series has a step of its own; what is shorter takes that of the others."""


def _usual_step(all_times: Sequence[np.ndarray]) -> Step:
    """The step of most series, of those that show one, whatever their order; else that of the longest."""
    shown = [times for times in all_times if len(times) >= _SHOWS_ITS_STEP]
    steps = [infer_step(times) for times in shown] or [infer_step(max(all_times, key=len))]
    counts = Counter(map(str, steps))
    return max(steps, key=lambda step: (counts[str(step)], str(step)))


def _scatter(values: np.ndarray, places: np.ndarray, length: int) -> np.ndarray:
    spread = np.full((length, *values.shape[1:]), np.nan)
    spread[places] = values
    return spread


def _by_name(table: Table, names: Sequence[str]) -> str | None:
    lowered = {name.lower(): name for name in table.columns}
    return next((lowered[name] for name in names if name in lowered), None)


def _time_column(table: Table) -> str | None:
    named = _by_name(table, TIME_NAMES)
    if named is not None:
        return named
    for name, cells in table.columns.items():
        first = next((cell for cell in cells if not is_missing(cell)), None)
        is_text = isinstance(first, str) and not is_number(first)
        if (is_text or hasattr(first, "isoformat")) and not parse_dates(cells).isna().any():
            return name
    return None


def _target_column(table: Table, time_name: str | None, id_name: str | None) -> str:
    others = [name for name in table.columns if name not in (time_name, id_name)]
    named = next((name for name in others if name.lower() in TARGET_NAMES), None)
    if named is not None:
        return named
    numeric = [name for name in others if table.is_numeric(name)]
    if not numeric:
        raise DataError(
            f"expected a column of numbers to forecast, the columns are {', '.join(table.columns)}",
            path=table.path,
        )
    if len(numeric) > 1 and time_name is None:
        # Without a date this may be any table, such as one with a series in each row.
        listed = ", ".join(numeric[:10]) + (", ..." if len(numeric) > 10 else "")
        raise DataError(f"expected to be told which column to forecast, of {listed}", path=table.path)
    return numeric[0]


def _times(table: Table, name: str, dayfirst: bool | None) -> np.ndarray:
    cells = table.column(name)
    for entry, cell in enumerate(cells):
        if is_missing(cell):
            raise table.source(entry, name).error("expected a date or a whole number, got an empty cell")
    if all(_is_whole(cell) for cell in cells):
        numbers = np.array([int(cell) for cell in cells], dtype=np.int64)
        if _are_months(numbers):
            cells = [f"{number // 100}-{number % 100:02}-01" for number in numbers]
        elif ((numbers > 19000000) & (numbers < 21000000)).all():
            cells = [str(number) for number in numbers]
        else:
            return numbers
    if dayfirst is None and either_order(cells):
        raise table.source(0, name).error(
            "expected dates that show whether the day or the month comes first, "
            f"got {cells[0]!r:.60} and others that fit both",
            remedy="say --dayfirst or --no-dayfirst (dayfirst=True or False)",
        )
    dates = parse_dates(cells, dayfirst)
    if dates.isna().any():
        entry = int(np.flatnonzero(dates.isna())[0])
        raise table.source(entry, name).error(
            f"expected a date such as 2024-12-31, got {table.column(name)[entry]!r:.60}",
            remedy="write every date of the column the same way",
        )
    return dates.to_numpy(dtype="datetime64[ns]")


def _are_months(numbers: np.ndarray) -> bool:
    """Whether whole numbers are years and months, as 202401: then none ends in 13 to 00."""
    months = numbers % 100
    return len(numbers) > 1 and bool(
        ((numbers > 190000) & (numbers < 210000) & (months >= 1) & (months <= 12)).all()
    )


def _is_whole(cell: Any) -> bool:
    if isinstance(cell, str):
        return cell.strip().lstrip("-").isdecimal()
    return isinstance(cell, int | np.integer) or (isinstance(cell, float) and cell.is_integer())


def _check_repeats(table: Table, times: np.ndarray, rows: np.ndarray, column: str, name: str) -> None:
    same = np.flatnonzero(times[rows][1:] == times[rows][:-1])
    if len(same):
        first, second = int(rows[same[0]]), int(rows[same[0] + 1])
        raise table.source(int(second), column).error(
            f"expected every time once in a series, got {table.column(column)[second]!r:.60} again after row "
            f"{table.rows[first]}" + (f" in series {name!r}" if name else ""),
            remedy="name the column that tells the series apart, or remove one row",
        )
