"""Tables in files (CSV, TSV, JSON lines, Parquet) that remember the row of every entry."""

from __future__ import annotations

import csv
import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.example import Source
from unrolled.data.text import existing_file, open_text
from unrolled.errors import DataError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
"""Delimited text by file ending. Tab-separated files have no quoting: a quotation mark in them is text."""

_NUMBERED = "column_{}"
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named columns of cells.

    Attributes:
        path: the file.
        columns: the cells by column: strings as read from delimited text, typed values from JSON and
            Parquet, None where a JSON object lacks the entry.
        rows: `(entry,)` the row of the file that each entry was read from, counted from 1, the header
            included.
        notes: what was assumed in reading.
    """

    path: str | Path
    columns: Mapping[str, Sequence[Any]]
    rows: np.ndarray
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def source(self, entry: int, column: str | None = None) -> Source:
        """Where an entry was read."""
        return Source(self.path, int(self.rows[entry]), column)

    def column(self, name: str) -> Sequence[Any]:
        """The cells of a column.

        Raises:
            DataError: there is no such column; names those there are.
        """
        if name not in self.columns:
            close = difflib.get_close_matches(name, self.columns, n=1)
            raise DataError(
                f"expected a column {name!r}, the columns are {', '.join(self.columns)}",
                path=self.path,
                remedy=f"did you mean {close[0]!r}" if close else "name one of them",
            )
        return self.columns[name]

    def usual(self, names: Sequence[str], taken: Sequence[str | None] = ()) -> str | None:
        """The column with the first of some usual names, in whatever case, that is not taken yet."""
        lowered = {column.lower(): column for column in self.columns if column not in taken}
        return next((lowered[name] for name in names if name in lowered), None)

    def unknown(self, what: str) -> DataError:
        """The error of a table in which no column of this kind can be told."""
        return DataError(
            f"expected a column of {what}, the columns are {', '.join(self.columns)}",
            path=self.path,
            remedy="say which one it is",
        )

    def without(self, name: str) -> Table:
        """The table without a column, which need not be there."""
        others = {column: cells for column, cells in self.columns.items() if column != name}
        return replace(self, columns=others)

    def numbers(self, name: str) -> np.ndarray:
        """A column as float64, NaN where the cell is empty or says NA, NaN, null or None.

        Raises:
            DataError: there is no such column, or a cell is not a number or is infinite.
        """
        cells = self.column(name)
        try:
            numbers = np.array(cells, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.array([self._number(name, entry, cell) for entry, cell in enumerate(cells)])
        if np.isinf(numbers).any():
            entry = int(np.flatnonzero(np.isinf(numbers))[0])
            raise self.source(entry, name).error(f"expected a finite number, got {cells[entry]!r:.60}")
        return numbers

    def _number(self, name: str, entry: int, cell: Any) -> float:
        if is_missing(cell):
            return np.nan
        try:
            return float(cell)
        except (TypeError, ValueError):
            raise self.source(entry, name).error(f"expected a number, got {cell!r:.60}") from None

    def is_numeric(self, name: str) -> bool:
        """Whether every cell of a column is a number or missing, and not all are missing."""
        try:
            return not np.isnan(self.numbers(name)).all()
        except DataError:
            return False


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for no value."""
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return cell is None or (isinstance(cell, float) and np.isnan(cell))


def read_table(path: str | Path, *, header: bool | None = None, columns: Sequence[str] = ()) -> Table:
    r"""Read a table.

    The file's ending says how: `.csv`, `.tsv`, `.jsonl`, `.json` (an array of objects), `.parquet`.

    Args:
        path: the file.
        header: whether the first row of delimited text holds the columns' names. None: it does unless one
            of its cells is a number, or comes again further down in its column (as a label does); the
            columns are then named `column_1`, `column_2`, ....
        columns: names that will be asked for; they tell whether there is a header.

    Raises:
        DataError: the file is missing, empty or not of its kind, or a row has too few or too many cells.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "reviews.tsv")
        ...     _ = path.write_text("a fine film\t1\ndull\t0\nlovely\t1\n")
        ...     table = read_table(path)
        >>> list(table.columns), table.rows.tolist()
        (['column_1', 'column_2'], [1, 2, 3])
    """
    path = existing_file(path)
    kind = path.suffix.lower()
    if kind in DELIMITERS:
        return _read_delimited(path, DELIMITERS[kind], header, columns)
    if kind not in _READERS:
        known = ", ".join(TABLE_SUFFIXES)
        raise DataError(f"expected a table ending in {known}, got {path.suffix or 'no ending'!r}", path=path)
    return _READERS[kind](path)


def table_of_frame(frame: Any, name: str = "DataFrame") -> Table:
    """A pandas DataFrame as a table; its first row is row 1."""
    if not len(frame):
        raise DataError("expected rows, got an empty DataFrame", path=name)
    columns = {str(column): frame[column].tolist() for column in frame.columns}
    return Table(name, columns, np.arange(1, len(frame) + 1))


def _read_delimited(path: Path, delimiter: str, header: bool | None, wanted: Sequence[str]) -> Table:
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    limit = csv.field_size_limit(sys.maxsize)
    cells: list[list[str]] = []
    rows: list[int] = []
    try:
        with open_text(path) as file:
            reader = csv.reader(file, delimiter=delimiter, quoting=quoting, strict=True)
            row = 1
            try:
                for record in reader:
                    if record:
                        _check_width(path, row, record, cells)
                        cells.append(record)
                        rows.append(row)
                    row = reader.line_num + 1
            except csv.Error as error:
                raise DataError(
                    f"expected {path.suffix[1:].upper()}, but {error}", path=path, row=row
                ) from error
    finally:
        csv.field_size_limit(limit)
    if not cells:
        raise DataError("expected rows, found only empty lines", path=path)
    # Some write the names as a comment.
    first = [cell.strip().removeprefix("#").lstrip() for cell in cells[0]]
    if delimiter == "," and all(len(record) == 1 and ";" in record[0] for record in cells):
        raise DataError(
            "expected cells separated by commas, found semicolons",
            path=path,
            row=rows[0],
            remedy="save it with commas, or as .tsv with tabs",
        )
    if header is None:
        header = _holds_names(cells, first, wanted)
    notes = () if header else ("There is no header row; the columns are numbered.",)
    names = first if header else [_NUMBERED.format(number) for number in range(1, len(first) + 1)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"expected every column name once, got {twice!r} twice", path=path, row=rows[0])
    body = cells[1:] if header else cells
    if not body:
        raise DataError("expected rows below the header, found none", path=path)
    columns = dict(zip(names, map(list, zip(*body, strict=True)), strict=True))
    return Table(path, columns, np.array(rows[1:] if header else rows), notes)


def _check_width(path: Path, row: int, record: list[str], before: list[list[str]]) -> None:
    if before and len(record) != len(before[0]):
        raise DataError(
            f"expected {len(before[0])} cells as in the first row, got {len(record)}", path=path, row=row
        )


def _holds_names(cells: list[list[str]], first: list[str], wanted: Sequence[str]) -> bool:
    if wanted and set(wanted) <= set(first):
        return True
    if wanted and set(wanted) <= {_NUMBERED.format(number) for number in range(1, len(first) + 1)}:
        return False
    if len(cells) == 1:
        return True
    columns = zip(*cells, strict=True)
    return not any(is_number(first) or (first and first in rest) for first, *rest in columns)


def is_number(cell: str) -> bool:
    """Whether a cell is a number.

    Example:
        >>> is_number("-1.5e3"), is_number("1 apple")
        (True, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_json_lines(path: Path) -> Table:
    objects: list[dict[str, Any]] = []
    rows: list[int] = []
    with open_text(path) as file:
        for row, line in enumerate(file, start=1):
            if line.strip():
                objects.append(_object(path, row, line))
                rows.append(row)
    return _table_of_objects(path, objects, np.array(rows))


def _object(path: Path, row: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"expected a JSON object, but {error.msg}", path=path, row=row) from error
    if not isinstance(value, dict):
        raise DataError(f"expected a JSON object, got {_clip(line)}", path=path, row=row)
    return value


def _read_json_array(path: Path) -> Table:
    with open_text(path) as file:
        try:
            value = json.load(file)
        except json.JSONDecodeError as error:
            raise DataError(f"expected JSON, but {error.msg}", path=path, row=error.lineno) from error
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise DataError(
            "expected a JSON array of objects", path=path, remedy="or write one object a line (.jsonl)"
        )
    return _table_of_objects(path, value, np.arange(1, len(value) + 1))


def _table_of_objects(path: Path, objects: list[dict[str, Any]], rows: np.ndarray) -> Table:
    if not objects:
        raise DataError("expected JSON objects, found none", path=path)
    names = dict.fromkeys(name for entry in objects for name in entry)
    return Table(path, {name: [entry.get(name) for entry in objects] for name in names}, rows)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = pq.read_table(path)
    except pa.ArrowException as error:
        raise DataError(f"expected a Parquet file, but {_clip(str(error))}", path=path) from error
    if not content.num_rows:
        raise DataError("expected rows, found none", path=path)
    columns = {name: content.column(name).to_pylist() for name in content.column_names}
    return Table(path, columns, np.arange(1, content.num_rows + 1))


def _clip(text: str) -> str:
    line = text.strip().splitlines()[0]
    return line if len(line) <= 60 else line[:57] + "..."


_READERS = {".jsonl": _read_json_lines, ".json": _read_json_array, ".parquet": _read_parquet}

TABLE_SUFFIXES = (*DELIMITERS, *_READERS)
"""The file endings of tables."""


def documents_of_column(table: Table, name: str) -> Iterator[list[str]]:
    """The cells of a text column, each as a document of one piece."""
    for entry, cell in enumerate(table.column(name)):
        if not isinstance(cell, str):
            raise table.source(entry, name).error(f"expected text, got {cell!r:.60}")
        yield [cell]
