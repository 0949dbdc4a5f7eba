"""Tables in files (CSV, TSV, JSON lines, Parquet, Excel) that remember the row of every entry."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.amounts import numbers_of_amounts
from unrolled.data.arrays import columns_of_arrays
from unrolled.data.column_names import PART_NAMES
from unrolled.data.columnar import columns_of_arrow, columns_of_parquet
from unrolled.data.compact_texts import pieces_of
from unrolled.data.compressed import unpacked, unpacked_suffix
from unrolled.data.delimited import is_quantity, may_group_thousands, records_of, with_points
from unrolled.data.encodings import decoded_text
from unrolled.data.example import Source
from unrolled.data.header_rows import is_usual_name, looks_like_names
from unrolled.data.json_tables import objects_of_json, objects_of_lines
from unrolled.data.parts import pieces
from unrolled.data.sheets import read_sheet
from unrolled.data.table_form import FoundForm, TableForm
from unrolled.data.time_headers import are_times_over_numbers
from unrolled.data.wording import listed
from unrolled.errors import DataError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|"}
"""The usual separator of delimited text by file ending; the content may show another."""

_MAY_BE_DELIMITED = (".txt", ".dat", ".data", "")
"""Endings of many kinds of text, a table among them where one is asked for."""

_NUMBERED = "column_{}"
_NEARLY_ALL = 0.8
_TELLING = 10_000
"""Rows that tell whether there is a header above them, but for one that comes again."""
NAMELESS = frozenset({"", "Unnamed: 0", "__index_level_0__"})
"""What a column is called that came from an index without a name."""
_FIRST_YEAR, _LAST_YEAR = 1700, 2100
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
_NO_NUMBER = _MISSING | {"-", "--", ".", "..", "?", ":", "missing", "#n/a"}
"""What stands for a number that is missing; in a text most of it may be text."""


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
        written: how the file was found to be written; None of what is no file.
        day_zero: what dates that are numbers count days from, in a workbook; None of what is none.
        gaps: `(entry,)` whether empty lines stand before an entry; None where the file has no such.
    """

    path: str | Path
    columns: Mapping[str, Sequence[Any]]
    rows: np.ndarray
    notes: tuple[str, ...] = ()
    written: FoundForm | None = None
    day_zero: np.datetime64 | None = None
    gaps: np.ndarray | None = None

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

    def form(self, **roles: str | None) -> FoundForm:
        """How the table was written, and what its columns were taken for: what later files are read by."""
        found = self.written or FoundForm(())
        return replace(found, names=found.names or tuple(self.columns)).with_roles(**roles)

    def left_out(self, *used: str | None) -> tuple[str, ...]:
        """A sentence for the user on the columns that are not among those used; none where all are."""
        names = [name for name in self.columns if name not in used]
        if not names:
            return ()
        return (f"Left out: {'column' if len(names) == 1 else 'columns'} {listed(names)}.",)

    def unknown(self, what: str, flag: str = "") -> DataError:
        """The error of a table in which no column of this kind can be told, and the flag that tells it."""
        return DataError(
            f"expected a column of {what}, the columns are {', '.join(self.columns)}",
            path=self.path,
            remedy=f"say which one it is with {flag}" if flag else "say which one it is",
        )

    def without(self, name: str) -> Table:
        """The table without a column, which need not be there."""
        others = {column: cells for column, cells in self.columns.items() if column != name}
        return replace(self, columns=others)

    def numbers(self, name: str) -> np.ndarray:
        """A column as float64, NaN where the cell is empty or says that there is none: NA, null, missing, -.

        Raises:
            DataError: there is no such column, or a cell is not a number or is infinite.
        """
        cells = self.column(name)
        numbers = _floats(cells)
        if numbers is None or numbers.ndim != 1:
            amounts = self._amounts(cells) if numbers is None else None
            each = enumerate(cells if amounts is None else amounts)
            found = (self._number(name, entry, cell) for entry, cell in each)
            numbers = np.fromiter(found, dtype=np.float64, count=len(cells))
        if np.isinf(numbers).any():
            entry = int(np.flatnonzero(np.isinf(numbers))[0])
            raise self.source(entry, name).error(f"expected a finite number, got {cells[entry]!r:.60}")
        return numbers

    def _amounts(self, cells: Sequence[Any]) -> list[str] | None:
        return numbers_of_amounts(cells, _is_no_number, self.written.decimal if self.written else None)

    def _number(self, name: str, entry: int, cell: Any) -> float:
        if _is_no_number(cell):
            return np.nan
        try:
            return float(cell)
        except (TypeError, ValueError):
            remedy = "say --decimal , or --decimal ." if may_group_thousands(cell) else None
            raise self.source(entry, name).error(
                f"expected a number, got {cell!r:.60}", remedy=remedy
            ) from None

    def is_numeric(self, name: str) -> bool:
        """Whether every cell of a column is a number or missing, and not all are missing."""
        try:
            return not np.isnan(self.numbers(name)).all()
        except DataError:
            return False


def _floats(cells: Sequence[Any]) -> np.ndarray | None:
    """The cells as NumPy reads numbers, None as NaN; None where it does not."""
    try:
        pieces = [np.array(piece, dtype=np.float64) for piece in pieces_of(cells)]
    except (TypeError, ValueError):
        return None
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for no value."""
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    # pandas has two more of its own.
    return (
        cell is None
        or (isinstance(cell, float) and np.isnan(cell))
        or type(cell).__name__ in ("NAType", "NaTType")
    )


def is_empty(cell: Any) -> bool:
    """Whether a cell holds nothing at all: a tag may be called NA."""
    return not cell.strip() if isinstance(cell, str) else is_missing(cell)


def _is_no_number(cell: Any) -> bool:
    return is_missing(cell) or (isinstance(cell, str) and cell.strip().lower() in _NO_NUMBER)


def read_table(
    path: str | Path,
    *,
    columns: Sequence[str] = (),
    form: TableForm | None = None,
) -> Table:
    r"""Read a table.

    The file's ending says how: `.csv`, `.tsv`, `.jsonl` or `.ndjson`, `.json` (an array of objects, or
    columns), `.parquet`, `.arrow`, `.xlsx` (its first sheet), `.npz` and `.npy` (`unrolled.data.arrays`).
    `.txt`, `.dat` and files without ending are taken for delimited text. All may be compressed: `.gz`,
    `.bz2`, `.xz`, `.zip` with one member. A name with `*` stands for all such files together,
    `arrays.npz:test` for the part that is called so. Separator, decimal mark and encoding are found out from
    the content.

    Args:
        path: the file.
        columns: names that will be asked for; they tell whether there is a header.
        form: what is known of how the file is written. Without its ``header`` the first row holds the
            columns' names unless one of its cells is a number, comes again further down in its column (as a
            label does), or is of the kind of those beneath it (`unrolled.data.header_rows`); the columns are
            then named `column_1`, `column_2`, ..., or as in the training data, where that is known.

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
    path, form = Path(path), form or TableForm()
    if "*" in path.name:
        return _joined(
            path,
            [read_table(file, columns=columns, form=form) for file in pieces(path)],
        )
    file, part = _without_part(path)
    if part is not None:
        found, notes = columns_of_arrays(file, unpacked(file), part)
        return replace(_table_of_columns(path, found), notes=notes)
    kind = unpacked_suffix(path)
    if kind in DELIMITERS or kind in _MAY_BE_DELIMITED:
        text, assumed = decoded_text(unpacked(path), path, form.encoding)
        table = delimited_table(path, text, DELIMITERS.get(kind, "\t"), form, columns)
        table = replace(table, notes=(*((assumed,) if assumed else ()), *table.notes))
    elif kind == ".xlsx":
        table = _read_sheet(path, unpacked(path), form, columns)
    elif kind in _READERS:
        table = _READERS[kind](path, unpacked(path), form)
    else:
        known = ", ".join(TABLE_SUFFIXES)
        raise DataError(f"expected a table ending in {known}, got {kind or 'no ending'!r}", path=path)
    return _without_counter(table)


def _joined(path: Path, tables: Sequence[Table]) -> Table:
    """The pieces of one table as a whole, whose rows are counted through all of them."""
    if not tables:
        raise DataError("expected files of this name, found none", path=path, remedy="check the path")
    first = tables[0]
    for table in tables:
        if set(table.columns) != set(first.columns):
            raise DataError(
                f"expected the columns {', '.join(first.columns)} as in {Path(first.path).name}, got "
                f"{', '.join(table.columns)}",
                path=table.path,
            )
    columns = {name: [cell for table in tables for cell in table.columns[name]] for name in first.columns}
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    rows = np.arange(1, sum(map(len, tables)) + 1)
    gaps = None
    if any(table.gaps is not None and table.gaps.any() for table in tables):
        # Nothing goes on from one piece to the next.
        gaps = np.concatenate([_begun_anew(table) for table in tables])
    return Table(path, columns, rows, tuple(notes), first.written, gaps=gaps)


def _begun_anew(table: Table) -> np.ndarray:
    gaps = np.zeros(len(table), dtype=bool) if table.gaps is None else table.gaps.copy()
    gaps[:1] = True
    return gaps


def _without_counter(table: Table) -> Table:
    """The table without its first column where that only counts rows, as pandas writes an index.

    Such a column has no name, and holds whole numbers that grow by one.
    """
    first = next(iter(table.columns))
    if len(table.columns) < 2 or first not in NAMELESS:
        return table
    try:
        numbers = table.numbers(first)
    except DataError:
        return table
    if np.isnan(numbers).any() or (numbers != np.round(numbers)).any() or (np.diff(numbers) != 1).any():
        return table
    if _FIRST_YEAR <= numbers[0] <= _LAST_YEAR:
        return table  # an index of years
    note = "The first column has no name and counts the rows; it is left out."
    return replace(table.without(first), notes=(*table.notes, note))


def table_of_frame(frame: Any, name: str = "DataFrame") -> Table:
    """A pandas DataFrame as a table; its first row is row 1."""
    if not len(frame):
        raise DataError("expected rows, got an empty DataFrame", path=name)
    names = list(map(str, frame.columns))
    if len(set(names)) < len(names):
        twice = next(column for column in names if names.count(column) > 1)
        raise DataError(f"expected every column name once, got {twice!r:.60} twice", path=name)
    columns = {column: frame.iloc[:, place].tolist() for place, column in enumerate(names)}
    return Table(name, columns, np.arange(1, len(frame) + 1))


def delimited_table(path: Path, text: str, usual: str, form: TableForm, wanted: Sequence[str] = ()) -> Table:
    """A table from delimited text.

    Args:
        path: where the text is from, for messages.
        text: the text.
        usual: the separator that is expected.
        form: what is known of how it is written.
        wanted: names that will be asked for.

    Raises:
        DataError: there are no rows, or a row has too few or too many cells.
    """
    found = records_of(text, usual, form.separator, path, form.known)
    if not found.columns:
        raise DataError("expected rows, found only empty lines", path=path)
    table = _table_of_cells(path, found.columns, found.rows, found.gaps, form, wanted)
    columns, decimal, decimals = with_points(
        table.columns,
        is_missing,
        form.decimal,
        form.known.decimal if form.known else None,
    )
    notes = tuple(note for note in (*found.notes, *table.notes, decimals) if note)
    written = replace(table.form(), separator=found.separator, decimal=decimal)
    return replace(table, columns=columns, notes=notes, written=written)


def _table_of_cells(
    path: Path,
    cells: Sequence[Sequence[Any]],
    rows: np.ndarray,
    gaps: np.ndarray,
    form: TableForm,
    wanted: Sequence[str],
) -> Table:
    """Columns of cells as a table, the first of each its name if the first row holds names."""
    # Some write the names as a comment.
    first = [_name(column[0]) for column in cells]
    header = form.header
    if header is None:
        header = _holds_names(cells, first, wanted, form.known)
    names, notes = (_filled_names(first), ()) if header else _names_of_places(len(first), form)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"expected every column name once, got {twice!r} twice", path=path, row=int(rows[0]))
    if header:
        rows, gaps = rows[1:], gaps[1:]
    if not len(rows):
        raise DataError("expected rows below the header, found none", path=path)
    columns = {name: column[1:] if header else column for name, column in zip(names, cells, strict=True)}
    for place, name in enumerate(first):
        # Spreadsheets end rows with empty columns, which have no name either.
        if header and place and not name and all(map(_is_blank, columns[names[place]])):
            del columns[names[place]]
    written = FoundForm(tuple(columns), header)
    return Table(path, columns, rows, notes, written, gaps=gaps)


def _filled_names(first: list[str]) -> list[str]:
    """The names, numbered where one is missing, but for the first: it may be an index."""
    return [name if name or not place else _NUMBERED.format(place + 1) for place, name in enumerate(first)]


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _names_of_places(width: int, form: TableForm) -> tuple[list[str], tuple[str, ...]]:
    """What columns without names are called, and a sentence on it.

    They are those of the training data where as many, or as many without the target, are here.
    """
    known = form.known
    fitting = (
        [list(known.names), [name for name in known.names if name != known.roles.get("target")]]
        if known
        else []
    )
    names = next((each for each in fitting if len(each) == width), None)
    if known and known.header and names:
        listed = ", ".join(names)
        note = f"There is no header row; the columns are taken for those of the training data: {listed}."
    else:
        note = "There is no header row; the columns are numbered."
    numbered = [_NUMBERED.format(number) for number in range(1, width + 1)]
    further = "" if form.header is False else " If the first row holds names, say --header."
    return names or numbered, (note + further,)


def _name(cell: Any) -> str:
    return "" if cell is None else str(cell).strip().removeprefix("#").lstrip()


def _read_sheet(path: Path, content: bytes, form: TableForm, wanted: Sequence[str]) -> Table:
    sheet = read_sheet(path, content)
    columns = list(map(list, zip(*sheet.cells, strict=True)))
    rows = np.array(sheet.rows)
    table = _table_of_cells(path, columns, rows, _gaps_between(rows), form, wanted)
    return replace(table, notes=(*table.notes, *sheet.notes), day_zero=sheet.day_zero)


def _holds_names(
    columns: Sequence[Sequence[Any]], first: list[str], wanted: Sequence[str], known: FoundForm | None
) -> bool:
    if wanted and set(wanted) <= set(first):
        return True
    if wanted and set(wanted) <= {_NUMBERED.format(number) for number in range(1, len(first) + 1)}:
        return False
    if known is not None and known.header and {*map(str.lower, first)} & {*map(str.lower, known.names)}:
        return True
    if len(columns[0]) == 1:
        return known is None or all(map(is_usual_name, first))
    if are_times_over_numbers(first) and not are_times_over_numbers([_name(column[1]) for column in columns]):
        return True  # years over numbers
    if len(first) > 1 and first[0] == "" and all(first[1:]) and all(map(_name, columns[0][1:])):
        return not any(is_quantity(str(cell)) for cell in first[1:])  # a data frame's index has no name
    if any(
        not is_missing(column[0]) and not is_quantity(str(column[0])) and _are_numbers(column[1:])
        for column in columns
    ):
        return True  # a word over nothing but numbers
    if any(is_quantity(str(column[0])) or (column[0] and column[0] in column[1:]) for column in columns):
        return False
    if known is not None and not all(map(is_usual_name, first)):
        return False  # names of the training data's columns would have been known
    return looks_like_names(first, [list(map(_name, column[1:_TELLING])) for column in columns])


def _are_numbers(cells: Sequence[Any]) -> bool:
    """Whether cells are numbers: two at least, and nearly all of those given, for one may be spoilt."""
    given = [is_quantity(str(cell)) for cell in cells[:_TELLING] if not is_missing(cell)]
    return sum(given) > 1 and sum(given) >= _NEARLY_ALL * len(given)


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


def _read_json(path: Path, content: bytes, form: TableForm) -> Table:
    text, assumed = decoded_text(content, path, form.encoding)
    read = objects_of_json if unpacked_suffix(path) == ".json" else objects_of_lines
    objects, found = read(path, text)
    rows = np.array(found)
    names = dict.fromkeys(name for entry in objects for name in entry)
    columns = {name: [entry.get(name) for entry in objects] for name in names}
    return Table(path, columns, rows, (assumed,) if assumed else (), gaps=_gaps_between(rows))


def _gaps_between(rows: np.ndarray) -> np.ndarray:
    """Before which rows others are empty, each being of one line."""
    return np.diff(rows, prepend=rows[:1] - 1) > 1


def _read_columns(path: Path, content: bytes, form: TableForm) -> Table:
    reader = columns_of_parquet if unpacked_suffix(path) == ".parquet" else columns_of_arrow
    return _table_of_columns(path, reader(path, content))


def _read_arrays(path: Path, content: bytes, form: TableForm) -> Table:
    columns, notes = columns_of_arrays(path, content)
    return replace(_table_of_columns(path, columns), notes=notes)


def _table_of_columns(path: Path, columns: Mapping[str, Sequence[Any]]) -> Table:
    length = len(next(iter(columns.values()), ()))
    if not length:
        raise DataError("expected rows, found none", path=path)
    return Table(path, columns, np.arange(1, length + 1))


_READERS = {
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".parquet": _read_columns,
    ".arrow": _read_columns,
    ".npz": _read_arrays,
    ".npy": _read_arrays,
}

TABLE_SUFFIXES = (*DELIMITERS, *_READERS, ".xlsx")
"""The file endings of tables."""


def is_table(path: str | Path) -> bool:
    """Whether a file's ending, compressed or not, is that of a table."""
    return unpacked_suffix(_without_part(Path(path))[0]) in TABLE_SUFFIXES


def _without_part(path: Path) -> tuple[Path, str | None]:
    """The file of `arrays.npz:test`, and the part named behind the colon."""
    name, colon, part = path.name.rpartition(":")
    return (
        (path.with_name(name), part)
        if colon and part in PART_NAMES and name.endswith(".npz")
        else (path, None)
    )


@dataclass(frozen=True, slots=True)
class ColumnTexts:
    """The cells of a text column, each as a document of one piece.

    Attributes:
        texts: the cells.
        notes: what was assumed in reading, and what was left out.
    """

    texts: Sequence[str]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[list[str]]:
        return ([text] for text in self.texts)


def texts_of_column(table: Table, name: str) -> ColumnTexts:
    """The texts of a column.

    Raises:
        DataError: there is no such column, or a cell is no text.
    """
    cells = table.column(name)
    for entry, cell in enumerate(cells):
        if not isinstance(cell, str):
            raise table.source(entry, name).error(f"expected text, got {cell!r:.60}")
    return ColumnTexts(cells, (*table.notes, *table.left_out(name)))
