"""Tables with a row a step: the sequences that a column names, each as a row of its own."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.data.dates import NoDatesError, read_dates
from unrolled.data.table_form import FoundForm, TableForm, known_roles
from unrolled.data.tables import Table, is_missing
from unrolled.data.targets import is_missing_target
from unrolled.data.time_columns import TimeColumns, find_times
from unrolled.data.wording import listed

ELAPSED = "time since the step before"
"""The channel of sequences whose steps are uneven."""
VALUES = "values"
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class StepColumns:
    """What the columns of steps were taken for: channels, times, and whether the time between is read."""

    channels: tuple[str, ...]
    time: str | None
    elapsed: bool


def sequences_of_rows(
    table: Table,
    sequence: str,
    *,
    time: str | None = None,
    whole: Sequence[str] = (),
    each: Sequence[str] = (),
    known: Sequence[str] | None = None,
) -> tuple[Table, StepColumns]:
    """A table with a row for each sequence, whose steps are rows of another.

    Args:
        table: a row a step.
        sequence: the column that names the sequence of a row.
        time: the column of times, by which the steps are put in order; guessed otherwise, and where there is
            none they are in the order of the rows.
        whole: columns that say something of a whole sequence, such as its label: the same in all its rows.
        each: columns that say something of every step, such as its tag.
        known: the channels of the training data; None takes all other columns of numbers, and the time since
            the step before where it differs from step to step.

    Returns:
        A table with the columns ``whole``, ``each`` as lists, and `VALUES`, of arrays ``(time, channel)``,
        and what the columns of the steps were taken for.

    Raises:
        DataError: there is no such column, a step has no time, two steps of a sequence have the same, or a
            sequence has several labels.

    Example:
        >>> columns = {"id": ["a", "b", "a"], "t": [3, 1, 1], "x": [5.0, 7.0, 6.0], "label": ["u", "d", "u"]}
        >>> table = Table("steps.csv", columns, np.array([2, 3, 4]))
        >>> found, _ = sequences_of_rows(table, "id", whole=["label"])
        >>> found.column("label"), found.column("values")[0].tolist()
        (['u', 'd'], [[6.0], [5.0]])
    """
    names = table.column(sequence)
    times = _times(table, time, (sequence, *whole, *each))
    instants = _instants(table, times)
    # In arrays of the machine's integers: lists would take some forty bytes a row.
    groups: dict[Any, array[int]] = {}
    for entry, name in enumerate(names):
        if is_missing(name):
            raise table.source(entry, sequence).error("expected the name of a sequence, got an empty cell")
        groups.setdefault(name, array("q")).append(entry)
    ordered = [_ordered(table, np.array(rows), instants, times) for rows in groups.values()]
    taken = {sequence, *times.names, *whole, *each}
    channels = [name for name in table.columns if name not in taken and table.is_numeric(name)]
    elapsed = None if instants is None else [_elapsed(instants[rows]) for rows in ordered]
    uneven = elapsed is not None and _are_uneven(elapsed)
    if known is not None:
        channels, uneven = [name for name in known if name != ELAPSED], ELAPSED in known
    if not channels and not uneven:
        raise table.unknown("numbers, which the steps of a sequence have")
    if uneven and elapsed is None:
        raise table.unknown("times, as the training data has", "--time-column")
    numbers = [table.numbers(name) for name in channels]
    values = []
    for place, rows in enumerate(ordered):
        columns = [column[rows] for column in numbers]
        values.append(np.stack([*columns, elapsed[place]] if uneven and elapsed else columns, axis=1))
    firsts = [int(rows[0]) for rows in ordered]
    columns = {name: _of_wholes(table, name, ordered) for name in whole}
    columns |= {
        name: [[table.column(name)[row] for row in rows.tolist()] for rows in ordered] for name in each
    }
    note = f"Each row is a step of one of {len(groups):,} sequences, by column {sequence!r}"
    note += f", in the order of {listed([repr(name) for name in times.names])}" if times.names else ""
    note += f"; the steps are uneven, and the {ELAPSED} is read as a number of each." if uneven else "."
    used = (*taken, *channels)
    left_out = [] if known is not None else table.left_out(*used)
    made = replace(
        table,
        columns={VALUES: values, **columns},
        rows=table.rows[firsts],
        gaps=None,
        notes=(*table.notes, note, *left_out),
        written=replace(table.written or FoundForm(()), names=tuple(table.columns)),
    )
    name = times.names[0] if len(times.names) == 1 else None
    return made, StepColumns(tuple(channels), name, uneven)


def steps_as_sequences(
    table: Table,
    sequence: str | None,
    time: str | None,
    whole: Sequence[str],
    group: str | None,
    form: TableForm | None,
    each: Sequence[str] = (),
) -> tuple[Table, dict[str, str | None]]:
    """A table of steps with a row for each sequence, and what its columns were taken for.

    Args:
        table: perhaps a row a step; one that is not stays as it is.
        sequence: the column that names the sequence of a row; None looks for it.
        time: the column of times.
        whole: columns that say something of whole sequences.
        group: a further one, where there is one.
        form: what the training data says.
        each: columns that say something of every step.
    """
    known = known_roles(form, table.columns)
    labels = [name for name in whole if name in table.columns]
    found = sequence or known.get("sequence")
    if found is None and not known:
        found = _usual_of_steps(table, each) if each else _usual_sequences(table, labels)
    if found is None:
        return table, {}
    of_whole = [*labels, *([group] if group in table.columns else [])]
    channels = [known[role] for role in sorted(known) if role.startswith("channel ")]
    if channels and "elapsed" in known:
        channels.append(ELAPSED)
    made, names = sequences_of_rows(
        table, found, time=time or known.get("time"), whole=of_whole, each=each, known=channels or None
    )
    roles: dict[str, str | None] = {"sequence": found, "time": names.time}
    roles |= {f"channel {number:03}": name for number, name in enumerate(names.channels)}
    return made, roles | {"elapsed": names.time if names.elapsed else None}


_USUAL = ("sequence_id", "sequence", "series_id", "unique_id", "item_id", "series", "id")
"""What a column that names the sequence of a row is usually called."""


def _usual_of_steps(table: Table, each: Sequence[str]) -> str | None:
    """The column that names sequences, each in several rows of numbers that are tagged; None for none."""
    usual = table.usual(_USUAL, each)
    if usual is None or 2 * len(set(map(str, table.column(usual)))) > len(table):
        return None
    times = _times(table, None, (usual, *each)).names
    others = [name for name in table.columns if name not in (usual, *each, *times)]
    return usual if others and all(map(table.is_numeric, others)) else None


def _usual_sequences(table: Table, labels: Sequence[str]) -> str | None:
    """The column that names sequences, each in several rows, of one label, beside numbers; None for none."""
    usual = table.usual(_USUAL)
    label = next((name for name in labels if name != usual), None)
    if usual is None or label is None:
        return None
    label_of: dict[str, str] = {}
    for name, own in zip(map(str, table.column(usual)), map(str, table.column(label)), strict=True):
        if label_of.setdefault(name, own) != own:
            return None
    if 2 * len(label_of) > len(table):
        return None
    times = _times(table, None, (usual, label)).names
    others = [name for name in table.columns if name not in (usual, *labels, *times)]
    return usual if others and all(map(table.is_numeric, others)) else None


def _times(table: Table, asked: str | None, taken: Sequence[str]) -> TimeColumns:
    """The columns of times: as asked for, by their usual names, or by what they hold."""
    usual = table.usual(("t", "time", "timestamp", "seconds"), taken)
    if asked is None and usual is not None and table.is_numeric(usual):
        return TimeColumns((usual,))
    return find_times(table, asked, taken)


def _instants(table: Table, times: TimeColumns) -> np.ndarray | None:
    """When each row is: seconds, or numbers in their own unit; None where nothing says."""
    if not times.names:
        return None
    cells = times.cells(table)
    try:
        read = read_dates(cells).instants
    except NoDatesError as error:
        raise table.source(error.entry, times.names[0]).error(str(error), remedy=error.remedy) from None
    if read.dtype.kind == "M":
        return (read - read.min()) / np.timedelta64(1, "s")
    return read.astype(np.float64)


def _ordered(table: Table, rows: np.ndarray, instants: np.ndarray | None, times: TimeColumns) -> np.ndarray:
    """The rows of a sequence in the order of their times."""
    if instants is None:
        return rows
    rows = rows[np.argsort(instants[rows], kind="stable")]
    again = np.flatnonzero(np.diff(instants[rows]) == 0)
    if len(again):
        entry = int(rows[again[0] + 1])
        shown = table.column(times.names[0])[entry]
        raise table.source(entry, times.names[0]).error(
            f"expected one row for each time of a sequence, got {shown!r:.60} again"
        )
    return rows


def _elapsed(instants: np.ndarray) -> np.ndarray:
    """The time since the step before; before the first step there is none, which takes no time."""
    return np.diff(instants, prepend=instants[:1])


def _are_uneven(elapsed: Sequence[np.ndarray]) -> bool:
    steps = np.concatenate([each[1:] for each in elapsed])
    return len(steps) > 0 and bool(np.ptp(steps) > _ROUNDING * np.abs(steps).max())


def _of_wholes(table: Table, name: str, groups: Sequence[np.ndarray]) -> list[Any]:
    """A column's cell for each sequence, which all its rows have in common."""
    cells = table.column(name)
    found = []
    for rows in groups:
        first = cells[int(rows[0])]
        for row in rows[1:].tolist():
            both_missing = is_missing_target(cells[row]) and is_missing_target(first)
            if str(cells[row]) != str(first) and not both_missing:
                raise table.source(row, name).error(
                    f"expected {first!r:.60}, as in the other rows of the sequence, got {cells[row]!r:.60}",
                    remedy="tag is the task for a label of every step",
                )
        found.append(first)
    return found
