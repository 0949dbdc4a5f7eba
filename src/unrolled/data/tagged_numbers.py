"""Sequences of numbers with a tag a step: lists in a table, or one table a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.column_names import STEP_TAG_NAMES, VALUE_NAMES
from unrolled.data.example import Example, Examples, Source
from unrolled.data.list_cells import list_in
from unrolled.data.long_tables import VALUES, steps_as_sequences
from unrolled.data.number_files import channels_of
from unrolled.data.number_lists import number_sequence
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import DELIMITERS, Table, is_empty, is_missing, read_table
from unrolled.data.targets import label_text
from unrolled.errors import DataError


def values_column(table: Table) -> str | None:
    """The column of sequences of numbers, by its usual names; None where there is none."""
    for name in table.columns:
        if name.lower() in VALUE_NAMES:
            first = next((cell for cell in table.column(name) if not is_missing(cell)), None)
            first = list_in(first) if isinstance(first, str) else first
            if isinstance(first, list | np.ndarray) and len(first) and not isinstance(first[0], str):
                return name
    return None


def tagged_values(table: Table, values: str, tags: str | None) -> Examples:
    """Sequences from a column of lists of numbers, `(time, channel)`, and one of as long lists of tags.

    Args:
        table: the table.
        values: the column of numbers.
        tags: the column of tags; None reads the numbers only.

    Raises:
        DataError: a cell is no list of numbers, or there are more or fewer tags than steps.
    """
    items = []
    for entry, cell in enumerate(table.column(values)):
        numbers = number_sequence(cell, table.source(entry, values), gaps=True)
        target = None
        if tags is not None:
            source = table.source(entry, tags)
            found = _list_of_tags(table.column(tags)[entry])
            if not isinstance(found, Sequence) or isinstance(found, str):
                raise source.error(f"expected a list of tags, one a step, got {found!r:.60}")
            if len(found) != len(numbers):
                raise source.error(
                    f"expected as many tags as steps, got {len(numbers)} steps and {len(found)} tags"
                )
            target = tuple(label_text(each, source) for each in found)
        items.append(Example(numbers, target, table.source(entry, tags)))
    notes = table.notes if tags is None else (*table.notes, *table.left_out(values, tags))
    return Examples(tuple(items), notes, table.form(target=tags))


def tagged_steps(
    table: Table,
    *,
    sequence: str | None = None,
    time: str | None = None,
    tag: str | None = None,
    tagged: bool = True,
    form: TableForm | None = None,
) -> Examples | None:
    """Sequences from a table with a row a step, in the order of its times, with the step's tag.

    Args:
        table: perhaps a row a step.
        sequence: the column that names the sequence of a row; by default one with a usual name, where all
            other columns but those of times and tags hold numbers.
        time: the column of times; the time since the step before is a number of each where steps are uneven.
        tag: the column of tags; by default one with a usual name.
        tagged: False reads the numbers only.
        form: says how the training data was written, where there is one.

    Returns:
        None where the table is no such one.

    Raises:
        DataError: as `unrolled.data.long_tables.sequences_of_rows` does; or a step has no tag.

    Example:
        >>> columns = {"id": list("abab"), "t": [3, 1, 1, 2], "x": [5.0, 7, 6, 8], "tag": list("udud")}
        >>> table = Table("steps.csv", columns, np.array([2, 3, 4, 5]))
        >>> [(each.inputs.tolist(), each.target) for each in tagged_steps(table)]
        [([[6.0, 0.0], [5.0, 2.0]], ('u', 'u')), ([[7.0, 0.0], [8.0, 1.0]], ('d', 'd'))]
    """
    known = known_roles(form, table.columns)
    tags = (tag or known.get("target") or table.usual(STEP_TAG_NAMES, (sequence,))) if tagged else None
    if tagged and tags is None:
        return None
    made, roles = steps_as_sequences(table, sequence, time, (), None, form, () if tags is None else (tags,))
    if not roles:
        return None
    if tags is not None:
        _require_tags(table, tags)
    read = tagged_values(made, VALUES, tags)
    return replace(read, notes=made.notes, form=made.form(target=tags, **roles))


def _require_tags(table: Table, tags: str) -> None:
    empty = next((entry for entry, cell in enumerate(table.column(tags)) if is_empty(cell)), None)
    if empty is not None:
        raise table.source(empty, tags).error("expected a tag, got an empty cell")


def _list_of_tags(cell: Any) -> Any:
    """The tags of a cell: a list, one written as text, or an array of them, whole numbers without a point."""
    if isinstance(cell, str):
        return list_in(cell) or cell
    if not isinstance(cell, np.ndarray):
        return cell
    whole = cell.dtype.kind == "f" and bool((cell == np.round(cell)).all())
    return (cell.astype(np.int64) if whole else cell).tolist()


def tagged_tables(
    folder: Path, tags: str | None = None, *, tagged: bool = True, form: TableForm | None = None
) -> Examples:
    r"""A folder of CSV or TSV files, one a sequence: a row is a step, a column its tags, the others numbers.

    Args:
        folder: holds the files.
        tags: the column of tags; by default the one with a usual name, such as `tag` or `label`.
        tagged: False reads the numbers only; a column of tags may be there.
        form: how the tables are written; None finds out.

    Raises:
        DataError: there are no such files, no column of tags, or a cell that is no number.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "walk.csv").write_text("left,right,tag\n0.5,1,still\n2,3,moving\n")
        ...     (example,) = tagged_tables(Path(folder))
        >>> example.inputs.tolist(), example.target, example.source.step_rows
        ([[0.5, 1.0], [2.0, 3.0]], ('still', 'moving'), (2, 3))
    """
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in DELIMITERS and not path.name.startswith(".")
    ]
    if not files:
        raise DataError("expected CSV or TSV files in the folder, one a sequence, found none", path=folder)
    return Examples(tuple(_sequence(read_table(path, form=form), tags, tagged) for path in files))


def is_step_table(table: Table) -> bool:
    """Whether a table is one sequence itself: every column holds numbers, but for one of tags."""
    return all(table.is_numeric(name) for name in table.columns if name.lower() not in STEP_TAG_NAMES)


def tagged_table(table: Table) -> Example:
    """A table as one sequence of numbers without tags; a column of tags is left out."""
    return _sequence(table, None, tagged=False)


def _sequence(table: Table, tags: str | None, tagged: bool) -> Example:
    named = tags or table.usual(STEP_TAG_NAMES)
    if tagged and named is None:
        raise table.unknown("tags")
    channels = [name for name in table.columns if name != named]
    if not channels:
        raise DataError("expected columns of numbers, found none", path=table.path)
    numbers = channels_of(table, channels)
    target = None
    if tagged and named is not None:
        _require_tags(table, named)
        target = tuple(
            label_text(cell, table.source(entry, named)) for entry, cell in enumerate(table.column(named))
        )
    rows = tuple(table.rows.tolist())
    return Example(numbers, target, Source(table.path, rows[0], named if tagged else None, rows))
