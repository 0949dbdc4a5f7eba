"""Series of numbers in time, from tables: one row a step in long form, one row a series in wide form."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from unrolled.data.categories import (
    codes_of,
    is_categorical,
    learned_categories,
    unknown_categories,
)
from unrolled.data.dates import Dates, NoDatesError
from unrolled.data.example import Series, Source
from unrolled.data.local_clocks import clock_notes, dates_of_series
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.several_targets import by_target, target_names, told_of_others
from unrolled.data.steps import Step, step_named
from unrolled.data.table_form import TableForm
from unrolled.data.tables import NAMELESS, Table, is_missing, read_table
from unrolled.data.time_columns import TimeColumns, find_times
from unrolled.data.timeline import (
    kept_times,
    own_step,
    shows_another,
    step_among,
    step_here,
    usual_step,
)
from unrolled.data.wide import ID_NAMES, series_of_wide, wide_columns
from unrolled.data.year_tables import in_months
from unrolled.errors import DataError

TARGET_NAMES = ("y", "value", "target")
_COUNTERS = frozenset({"no", "no.", "nr", "nr.", "#", "index", "idx", "row", "id", "rownum", "row_id"})
"""What a column that counts rows may be called."""


@dataclass(frozen=True, slots=True)
class SeriesRead:
    """Series, and how their table was read."""

    series: tuple[Series, ...]
    layout: SeriesLayout


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """What is known of series before a table of them is read, from the training data.

    Attributes:
        layout: how that was read; None where it came as series.
        names: its covariates.
        steps: the step of a series by its name, and by `""` that of others.
        categories: those of its covariates that are categories.
    """

    layout: SeriesLayout | None
    names: tuple[str, ...]
    steps: Mapping[str, str]
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_series(
    path: str | Path,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
    form: TableForm | None = None,
) -> tuple[Series, ...]:
    """Read the series of a table in a file, written in ``form``; see `series_of_table`."""
    return read_series_with_layout(
        path,
        unique_id=unique_id,
        time=time,
        target=target,
        covariates=covariates,
        categories=categories,
        season=season,
        dayfirst=dayfirst,
        time_zone=time_zone,
        form=form,
    ).series


def read_series_with_layout(
    path: str | Path,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
    form: TableForm | None = None,
    known: KnownSeries | None = None,
) -> SeriesRead:
    """As `read_series`, and how the table was read; see `series_and_layout`."""
    wanted = [name for name in (unique_id, *(target or "").split(",")) if name]
    return series_and_layout(
        read_table(path, columns=wanted, form=form),
        unique_id=unique_id,
        time=time,
        target=target,
        covariates=covariates,
        categories=categories,
        season=season,
        dayfirst=dayfirst,
        time_zone=time_zone,
        known=known,
    )


def series_of_table(
    table: Table,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
) -> tuple[Series, ...]:
    """The series of a table, each sorted by time, with NaN where a step or a number is missing.

    Args:
        table: one row a step; or, where no column is named, one row a series
            (`unrolled.data.wide.wide_columns`).
        unique_id: the column that names the series; guessed by its name otherwise. Without one, all rows
            are one series.
        time: the column of dates, or of numbers, or two with a comma between them: of dates, and of times of
            day; guessed by name or content otherwise. Without one, the rows are steps.
        target: the column to forecast, or several with commas between: each is a series then. Guessed by its
            name otherwise, or the first one with numbers where there are dates, or the only one.
        covariates: other columns; None takes every one of numbers, and those of few different texts.
        categories: those of the covariates whose numbers are categories; texts are in any case.
        season: the steps after which series repeat; None takes what is usual for the time between steps: 24
            hours, 7 days, 52 weeks, 12 months, 4 quarters.
        dayfirst: whether the day comes before the month in dates such as 01/02/2024; None decides by all of
            them together.
        time_zone: by whose clocks the series go, where their times are written without an offset, or in UTC;
            None takes them as they are, and times in UTC by the clocks that make their steps even.

    Raises:
        ConfigError: there is no such zone.
        DataError: a column is missing or does not hold numbers or dates, dates fit either order and nothing
            says which, two rows of a series have the same time, or the times are not evenly spaced.

    Example:
        >>> columns = {"ds": ["2024-01-04", "2024-01-01", "2024-01-02"], "y": [4, 1, 2]}
        >>> table = Table("sales.csv", columns, np.array([2, 3, 4]))
        >>> series, = series_of_table(table)
        >>> series.values, series.step, series.season
        (array([ 1.,  2., nan,  4.]), 'D', 7)
    """
    return series_and_layout(
        table,
        unique_id=unique_id,
        time=time,
        target=target,
        covariates=covariates,
        categories=categories,
        season=season,
        dayfirst=dayfirst,
        time_zone=time_zone,
    ).series


def series_and_layout(
    table: Table,
    *,
    unique_id: str | None = None,
    time: str | None = None,
    target: str | None = None,
    covariates: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    season: int | None = None,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
    known: KnownSeries | None = None,
) -> SeriesRead:
    """As `series_of_table`, and how the table was read.

    Args:
        table: as there, as all other arguments.
        unique_id: see there.
        time: see there.
        target: see there.
        covariates: see there.
        categories: see there.
        season: see there.
        dayfirst: see there.
        time_zone: see there.
        known: what the training data says; columns are then taken by its names, times are read as there, and
            steps are those of its series.

    Raises:
        DataError: as there; or a column of the training data is missing.
    """
    table = in_months(table)
    before = known.layout if known else None
    steps = known.steps if known else None
    if unique_id is time is target is None and not covariates and not categories:
        wide = wide_columns(table)
        if wide is not None and (before is None or before.wide or before.target not in table.columns):
            found, layout = series_of_wide(
                table, wide, season=season, dayfirst=dayfirst, time_zone=time_zone, known=before, steps=steps
            )
            return SeriesRead(found, layout)
    unique_id = _unique_id(table, unique_id, time, before)
    columns = _time_columns(table, time, unique_id, before)
    taken = (*columns.names, unique_id, *(covariates or ()), *(categories or ()))
    layout = _target(table, target, taken, before, dated=bool(columns.names))
    dates = _dates(table, columns, dayfirst, time_zone, before, unique_id)
    notes = (*table.notes, *columns.notes(), *clock_notes(dates, time_zone))
    layout = replace(layout, unique_id=unique_id, notes=notes)
    if dates is not None:
        layout = replace(
            layout, form=dates.form, dayfirst=dates.dayfirst, zone=dates.zone, in_utc=dates.in_utc
        )
    layout = _with_covariates(table, replace(layout, time=columns.names), covariates, categories, known)
    found = _categories(table, layout, categories) if known is None else known.categories
    beside = {name: texts for name, texts in found.items() if name in table.columns}
    if new := unknown_categories(table, beside) if known else {}:
        listed = "; ".join(f"{name}: {', '.join(texts[:5])}" for name, texts in new.items())
        layout = replace(layout, notes=(*layout.notes, f"Unknown, for training has not seen it: {listed}."))
    return SeriesRead(_series(table, layout, found, dates, season, steps), layout)


def _unique_id(table: Table, asked: str | None, time: str | None, before: SeriesLayout | None) -> str | None:
    """The column that names the series: as asked for, as in the training data, or by its usual name."""
    if asked is not None:
        return asked
    if before is not None and before.unique_id in table.columns:
        return before.unique_id
    usual = table.usual(ID_NAMES)
    if usual is not None and before is None and _counts(table, usual):
        columns = find_times(table, time).names
        rows = zip(*(table.column(name) for name in columns), strict=True)
        if columns and len({tuple(map(str, row)) for row in rows}) == len(table):
            return None  # every row has a time of its own, and is of one series
    return usual


def _target(
    table: Table, asked: str | None, taken: Sequence[str | None], before: SeriesLayout | None, *, dated: bool
) -> SeriesLayout:
    """The column that is forecast: as asked for, as in the training data, or by its usual name or place."""
    if before is not None and before.target is not None:
        for name in before.targets or (before.target,):
            if name not in table.columns:
                raise DataError(
                    f"expected the column {name!r} that the model forecasts, the columns are "
                    f"{', '.join(table.columns)}",
                    path=table.path,
                    remedy="give the columns that the model was trained with",
                )
        return SeriesLayout(target=before.target, targets=before.targets)
    if asked is not None:
        names = target_names(table, asked)
        return SeriesLayout(target=names[0], targets=names if len(names) > 1 else ())
    names = [name for name in table.columns if name not in taken]
    named = next((name for name in names if name.lower() in TARGET_NAMES), None)
    if named is not None:
        return SeriesLayout(target=named)
    numeric = [name for name in names if table.is_numeric(name) and not _counts(table, name)]
    if not numeric:
        raise DataError(
            f"expected a column of numbers to forecast, the columns are {', '.join(table.columns)}",
            path=table.path,
        )
    if len(numeric) > 1 and not dated:
        # Without a date this may be any table, such as one with a series in each row.
        listed = ", ".join(numeric[:10]) + (", ..." if len(numeric) > 10 else "")
        raise DataError(
            f"expected to be told which column to forecast, of {listed}",
            path=table.path,
            remedy="say --target-column",
        )
    return SeriesLayout(target=numeric[0], others=tuple(numeric[1:]))


def _counts(table: Table, name: str) -> bool:
    """Whether a column does nothing but count rows, by its name and its numbers."""
    if name not in NAMELESS and name.strip().lower() not in _COUNTERS:
        return False
    return len(table) > 1 and table.is_numeric(name) and bool((np.diff(table.numbers(name)) == 1).all())


def _time_columns(
    table: Table, time: str | None, unique_id: str | None, before: SeriesLayout | None
) -> TimeColumns:
    if time is None and before is not None and before.time and set(before.time) <= set(table.columns):
        found = find_times(table, None, (unique_id,))
        if found.names == before.time:
            return found
        time = ",".join(before.time)
    return find_times(table, time, (unique_id,))


def _dates(
    table: Table,
    columns: TimeColumns,
    dayfirst: bool | None,
    time_zone: str | None,
    before: SeriesLayout | None,
    unique_id: str | None,
) -> Dates | None:
    if not columns.names:
        return None
    names = None if unique_id is None else table.column(unique_id)
    try:
        return dates_of_series(
            columns.cells(table), dayfirst=dayfirst, time_zone=time_zone, before=before, series=names
        )
    except NoDatesError as error:
        raise table.source(error.entry, columns.names[0]).error(str(error), remedy=error.remedy) from None


def _with_covariates(
    table: Table,
    layout: SeriesLayout,
    covariates: Sequence[str] | None,
    categories: Sequence[str] | None,
    known: KnownSeries | None,
) -> SeriesLayout:
    """The columns that help: those asked for, those of the training data, or others that tell something."""
    taken = (*layout.time, layout.unique_id, *layout.forecast)
    if known is not None:
        told = told_of_others(layout.targets)
        names = tuple(name for name in known.names if name not in told)
        missing = [name for name in names if name not in table.columns]
        if missing:
            raise DataError(
                f"expected the covariates {', '.join(names)}, the columns are {', '.join(table.columns)}",
                path=table.path,
                remedy="give the columns that the model was trained with",
            )
        covariates = names
    elif covariates is None:
        covariates = [
            name
            for name in table.columns
            if name not in taken and (name in (categories or ()) or _tells(table, name, layout.unique_id))
        ]
    covariates = tuple(dict.fromkeys((*covariates, *(categories or ()))))
    left_out = tuple(name for name in table.columns if name not in taken and name not in covariates)
    return replace(layout, covariates=covariates, left_out=left_out)


def _tells(table: Table, name: str, unique_id: str | None) -> bool:
    """Whether a column may help to forecast."""
    if table.is_numeric(name):
        return not _counts(table, name)
    return is_categorical(table, name, unique_id)


def _categories(
    table: Table, layout: SeriesLayout, asked: Sequence[str] | None
) -> dict[str, tuple[str, ...]]:
    """The categories of those covariates that have some: of texts, and where they were asked for."""
    known = np.any([~np.isnan(table.numbers(name)) for name in layout.forecast], axis=0)
    return {
        name: learned_categories(table, name, known)
        for name in layout.covariates
        if name in (asked or ()) or not _are_numbers(table, name)
    }


def _are_numbers(table: Table, name: str) -> bool:
    """Whether a column holds numbers, or nothing."""
    return table.is_numeric(name) or all(map(is_missing, table.column(name)))


def _series(
    table: Table,
    layout: SeriesLayout,
    categories: Mapping[str, tuple[str, ...]],
    dates: Dates | None,
    season: int | None,
    steps: Mapping[str, str] | None,
) -> tuple[Series, ...]:
    assert layout.target is not None
    values = np.stack([table.numbers(name) for name in layout.forecast], axis=1)
    extra = np.zeros((len(table), len(layout.covariates)))
    for place, name in enumerate(layout.covariates):
        known = categories.get(name)
        extra[:, place] = table.numbers(name) if known is None else codes_of(table.column(name), known)
    counted = dates is None
    every = Dates(np.arange(len(table)), "plain") if dates is None else dates
    groups = _groups(table, layout)
    own: dict[str, Dates] = {}
    for name, rows in groups.items():
        if dates is None:
            own[name] = Dates(np.arange(len(rows)), "plain")
            continue
        rows = groups[name] = rows[np.argsort(every.instants[rows], kind="stable")]
        own[name] = every.select(rows)
        _check_repeats(table, own[name], rows, layout.time, name)
    usual = (
        usual_step(list(own.values())) if steps is None or steps.get("") is None else step_named(steps[""])
    )
    found = []
    for name, rows in groups.items():
        where = table.source(int(rows[0]), layout.time[0] if layout.time else None)
        step = _step(name or layout.target, own[name], usual, steps, where)
        source = Source(table.path, int(table.rows[rows].min()), layout.target)
        grid, places = step.grid(kept_times(own[name], step), where)
        numbers = _scatter(values[rows], places, len(grid))
        _require_near(numbers, source)
        one = Series(
            unique_id=name or layout.target,
            times=grid,
            values=numbers[:, 0],
            covariates=_scatter(extra[rows], places, len(grid)),
            names=layout.covariates,
            source=source,
            season=season or step.season,
            step=None if counted else step.name,
            counted=counted,
            zone=layout.zone,
            in_utc=layout.in_utc,
            categories=dict(categories),
        )
        found += (
            by_target(one, numbers, layout.targets, bool(name)) if layout.targets else [one.up_to_present()]
        )
    _require_names(found)
    return tuple(found)


def _require_names(series: Sequence[Series]) -> None:
    """See that targets of several series are not called alike."""
    names = {}
    for one in series:
        if one.unique_id in names:
            raise one.source.error(f"expected every series and target once, got {one.unique_id!r:.60} twice")
        names[one.unique_id] = one


def _groups(table: Table, layout: SeriesLayout) -> dict[str, np.ndarray]:
    """The rows of each series."""
    if layout.unique_id is None:
        return {"": np.arange(len(table))}
    # In arrays of the machine's integers: lists would take some forty bytes a row.
    groups: dict[str, array[int]] = {}
    for entry, cell in enumerate(table.column(layout.unique_id)):
        groups.setdefault(str(cell), array("q")).append(entry)
    return {name: np.array(rows) for name, rows in groups.items()}


def _step(name: str, dates: Dates, usual: Step, steps: Mapping[str, str] | None, source: Source) -> Step:
    known = steps is not None and name in steps
    step = step_named(steps[name]) if steps is not None and known else usual
    if isinstance(step.length, np.timedelta64) != (dates.times.dtype.kind == "M"):
        expected, got = ("dates", "numbers") if dates.times.dtype.kind != "M" else ("numbers", "dates")
        raise source.error(f"expected {expected} for times, as other series have, got {got}")
    if not known:
        return step_among(dates, step)
    step = step_here(dates, step)
    if shows_another(dates, step):
        raise source.error(
            f"expected a step of {step}, as in the training data, got {own_step(dates)}",
            remedy="bring the series to that step first",
        )
    return step


def _scatter(values: np.ndarray, places: np.ndarray, length: int) -> np.ndarray:
    spread = np.full((length, *values.shape[1:]), np.nan)
    spread[places] = values
    return spread


def _require_near(numbers: np.ndarray, source: Source) -> None:
    known = numbers[~np.isnan(numbers)]
    # Of halves the difference is a number whatever they are.
    if len(known) and known.max() / 2 - known.min() / 2 > np.finfo(np.float64).max / 2:
        raise source.error(
            f"expected numbers whose differences are numbers, got {known.min():g} and {known.max():g}",
            remedy="give them in another unit",
        )


def _check_repeats(table: Table, dates: Dates, rows: np.ndarray, columns: Sequence[str], name: str) -> None:
    same = np.flatnonzero(dates.instants[1:] == dates.instants[:-1])
    if not len(same):
        return
    first, second = int(rows[same[0]]), int(rows[same[0] + 1])
    got = " ".join(str(table.column(column)[second]) for column in columns)
    raise table.source(second, columns[0]).error(
        f"expected every time once in a series, got {got!r:.60} again after row "
        f"{table.rows[first]}" + (f" in series {name!r}" if name else ""),
        remedy="name the column that tells the series apart, or remove one row"
        + (
            ", or say --time-zone where clocks were set back"
            if dates.times.dtype.kind == "M"
            and dates.offsets is None
            and (dates.times.astype("datetime64[D]") != dates.times).any()
            else ""
        ),
    )
