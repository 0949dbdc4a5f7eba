"""Delimited text (CSV, TSV and their kin) as rows of cells: the separator and the decimal mark, found."""

from __future__ import annotations

import csv
import io
import re
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from unrolled.data.amounts import is_amount
from unrolled.data.compact_texts import columns_of_rows, compact
from unrolled.data.preamble import preamble
from unrolled.data.table_form import FoundForm, Mark
from unrolled.errors import DataError

SEPARATORS = (",", ";", "\t", "|")
_BLANKS = " "
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", _BLANKS: "blanks"}
_LOOKED_AT = 200
_ENOUGH = 4
"""Lines from which on blanks that divide all of them alike are separators."""
_BEGINNING = 20_000
_STREAMED = 1_000_000
_NAMED_SEPARATOR = re.compile(r"sep=([,;|\t])\r?\n", re.IGNORECASE)
"""A first line by which Excel is told the separator."""
_UNSPACED = re.compile(r"[,;|\t](?!\s)")

_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*)(,\d+)?([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d*)(\.\d+)?([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
"""As well a number with thousands grouped as, with one comma, one with a fraction of three digits."""


class Records(NamedTuple):
    """Delimited text taken apart.

    Attributes:
        columns: of cells, the header's among them; none where all rows are empty.
        rows: `(row,)` the row of the file that each began at.
        gaps: `(row,)` whether empty lines stand before it.
        separator: what stands between cells; a blank stands for as many blanks and tabs as there are.
        notes: what was not read.
    """

    columns: list[Sequence[str]]
    rows: np.ndarray
    gaps: np.ndarray
    separator: str
    notes: tuple[str, ...]


def records_of(
    text: str, usual: str, separator: str | None, path: str | Path, known: FoundForm | None = None
) -> Records:
    """Delimited text taken apart.

    Args:
        text: the text.
        usual: the separator that the file's ending stands for.
        separator: the one asked for; None finds out.
        path: for messages.
        known: how the training data was written.

    Raises:
        DataError: a row has too few or too many cells, a quotation mark is left open, or two separators fit.
    """
    named = _NAMED_SEPARATOR.match(text)
    first = 2 if named else 1
    if named:
        text, separator = text[named.end() :], separator or named[1]
    with _long_cells():
        separator = separator or _separator(text, usual, path, known)
        records = _filled(_numbered(text, separator, first, path))
        beginning = list(islice(records, _LOOKED_AT))
        if not beginning:
            return Records([], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool), separator, ())
        above = preamble([cells for cells, _, _ in beginning], is_quantity)
        notes = _said_of([row for _, row, _ in beginning], above)
        rows, gaps = array("q"), bytearray()
        width = len(beginning[above].cells)
        even = _even(chain(beginning[above:], records), width, rows, gaps, separator, path)
        columns = columns_of_rows(even, width)
        return Records(columns, np.array(rows), np.frombuffer(gaps, dtype=bool), separator, notes)


class _Record(NamedTuple):
    cells: list[str]
    row: int
    """The line that it begins in."""
    behind: int
    """The line behind it."""


def _filled(records: Iterator[_Record]) -> Iterator[_Record]:
    """Those that are not empty."""
    return (record for record in records if any(map(str.strip, record.cells)))


def _even(
    records: Iterable[_Record],
    width: int,
    rows: array[int],
    gaps: bytearray,
    separator: str,
    path: str | Path,
) -> Iterator[list[str]]:
    """The cells of records, all of one width; where each began, and whether behind a gap, is noted."""
    behind = 0
    for record, row, after in records:
        if len(record) > width and not any(map(str.strip, record[width:])):
            record = record[:width]  # spreadsheets end rows with empty cells
        elif len(record) != width:
            raise DataError(
                f"expected {width} cells as in the first row, got {len(record)}",
                path=path,
                row=row,
                remedy=f"correct the row, or say --separator if it is not {_shown(separator)}",
            )
        rows.append(row)
        gaps.append(row > behind > 0)
        behind = after
        yield record


def _said_of(rows: list[int], above: int) -> tuple[str, ...]:
    if not above:
        return ()
    return (f"What stands above the table is not read: it begins in row {rows[above]}.",)


def _numbered(text: str, separator: str, first: int, path: str | Path) -> Iterator[_Record]:
    """The records of a text, whose first line has this number."""
    if separator == _BLANKS:
        for row, line in enumerate(_lines(text), start=first):
            yield _Record(line.split(), row, row + 1)
        return
    reader, row = _reader(text, separator), first
    try:
        for record in reader:
            behind = reader.line_num + first
            yield _Record(record, row, behind)
            row = behind
    except csv.Error as error:
        raise DataError(
            f"expected cells separated by {_NAMES.get(separator, separator)}, but {error}", path=path, row=row
        ) from error


def _shown(separator: str) -> str:
    return {"\t": "a tab", _BLANKS: "blanks"}.get(separator, repr(separator))


@contextmanager
def _long_cells() -> Iterator[None]:
    limit = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _reader(text: str, separator: str):
    quoting = csv.QUOTE_MINIMAL if separator != "\t" or _quotes_cells(text) else csv.QUOTE_NONE
    return _csv_reader(text, separator, quoting)


def _csv_reader(text: str, separator: str, quoting: int):
    # In a, "b" the quotes are those of a cell, and in a, b the space is part of it.
    spaced = quoting != csv.QUOTE_NONE and re.search(
        rf'(?m){re.escape(separator)} +"[^"]*"(?=\s*({re.escape(separator)}|$))', text[:_BEGINNING]
    )
    return csv.reader(
        _lines(text),
        delimiter=separator,
        quoting=quoting,  # pyright: ignore[reportArgumentType]
        strict=True,
        skipinitialspace=bool(spaced),
    )


def _lines(text: str) -> Iterator[str]:
    """The lines with their ends; a stream of the whole text would take four bytes a character."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _STREAMED) + 1 or len(text)
        yield from io.StringIO(text[start:end], newline="")
        start = end


def _quotes_cells(text: str) -> bool:
    """Whether tab-separated text quotes cells: in most, a quotation mark is but a part of the text.

    It does where the rows are equally long with it alone, or where all cells of a column are quoted.
    """
    if '"' not in text:
        return False
    plain = _first_records(text, "\t", csv.QUOTE_NONE)
    quoted = _first_records(text, "\t", csv.QUOTE_MINIMAL)
    if not quoted or len({*map(len, quoted)}) > 1:
        return False
    if len({*map(len, plain)}) > 1:
        return True
    body = plain[1:] or plain
    return any(
        all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in column)
        for column in zip(*body, strict=True)
    )


def _first_records(text: str, separator: str, quoting: int) -> list[list[str]]:
    """The table's first rows that are not empty; none where a quotation mark stands amiss."""
    if separator == _BLANKS:
        every: Iterable[list[str]] = (line.split() for line in _lines(text))
    else:
        every = _csv_reader(text, separator, quoting)
    try:
        found = list(islice((record for record in every if any(map(str.strip, record))), _LOOKED_AT))
    except csv.Error:
        return []
    return found[preamble(found, is_quantity) :]


def _separator(text: str, usual: str, path: str | Path, known: FoundForm | None) -> str:
    """The separator under which most rows have as many cells as the first, the usual one if it is among them.

    Raises:
        DataError: commas and another separator fit, and with the other the commas are decimal marks.
    """
    if known is not None and known.separator and _is_as_known(text, known):
        return known.separator
    counts: dict[str, int] = {}
    found: dict[str, list[list[str]]] = {}
    for separator in (usual, *(other for other in SEPARATORS if other != usual)):
        quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
        records = _first_records(text, separator, quoting)
        width = len(records[0]) if records else 0
        if separator == "\t" and width < 2:
            records = _first_records(text, separator, csv.QUOTE_MINIMAL)
            width = len(records[0]) if records else 0
        found[separator] = records
        counts[separator] = sum(len(record) == width for record in records) if width > 1 else 0
    best = max(counts, key=counts.__getitem__)
    if not counts[best]:
        return _BLANKS if _is_in_columns(text) else usual
    others = [each for each in SEPARATORS if each != "," and counts[each] == counts[","] == counts[best]]
    for other in others:
        cells = [cell.strip() for record in found[other] for cell in record if "," in cell]
        if cells and all(map(_COMMA.fullmatch, cells)):
            raise DataError(
                f"expected one separator, found that commas and {_NAMES[other]} both divide every row alike",
                path=path,
                row=1,
                remedy=f"say --separator ',' or --separator '{other}'",
            )
    return best


def _is_in_columns(text: str) -> bool:
    """Whether blanks divide all lines alike, and one of the columns holds numbers alone."""
    records = _first_records(text, _BLANKS, csv.QUOTE_NONE)
    if len(records) < _ENOUGH or len(records[0]) < 2 or len({*map(len, records)}) > 1:
        return False
    return any(all(map(is_quantity, cells)) for cells in zip(*records[1:], strict=True))


def is_quantity(cell: str) -> bool:
    """Whether a cell is a number, whatever its marks, or an amount.

    Example:
        >>> is_quantity("1.234,5"), is_quantity(" $12"), is_quantity("12 apples")
        (True, True, False)
    """
    try:
        float(pointed(cell.strip()))
    except ValueError:
        return is_amount(cell)
    return True


def _is_as_known(text: str, known: FoundForm) -> bool:
    """Whether the rows are as wide as those of the training data, or begin with names of its columns.

    So is a column of texts alone, where the target has been left out.
    """
    separator = known.separator or ","
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    records = _first_records(text, separator, quoting)
    if not records or len({*map(len, records)}) > 1:
        return False
    first = {cell.strip().lower() for cell in records[0]}
    if len(records[0]) == len(known.names) > 1 or first <= {*map(str.lower, known.names)}:
        return True
    # One column of texts, whose commas are those of sentences.
    without_target = len(known.names) - ("target" in known.roles)
    return len(records[0]) == without_target == 1 and not _UNSPACED.search(text)


def with_points(
    columns: Mapping[str, Sequence[str]],
    is_missing: Callable[[str], bool],
    decimal: Mark | None,
    known: Mark | None = None,
) -> tuple[Mapping[str, Sequence[str]], Mark | None, str | None]:
    """The columns with decimal points where they had commas, the mark they had, and a note on it.

    Args:
        columns: the cells by column.
        is_missing: whether a cell stands for no value.
        decimal: the mark asked for; None finds out, column by column, and leaves a column as it is where
            its commas may as well group thousands.
        known: the mark of the training data, which settles such a column.
    """
    changed = {}
    for name, cells in columns.items():
        numbers = _numbers_with(cells, is_missing, decimal)
        if numbers is None and decimal is None and known is not None:
            numbers = _numbers_with(cells, is_missing, known)
        if numbers is not None:
            changed[name] = numbers
    if not changed:
        return columns, decimal, None
    mark = "decimal points, commas group thousands" if decimal == "." else "decimal commas"
    note = f"Read with {mark}: {', '.join(changed)}; --decimal says otherwise."
    return {**columns, **changed}, decimal or ",", None if decimal else note


def _numbers_with(
    cells: Sequence[str], is_missing: Callable[[str], bool], decimal: Mark | None
) -> Sequence[str] | None:
    """A column's cells as Python writes numbers; None where it is to stay as it is."""
    marks = (",", ".") if decimal == "," else (",",)
    marked = (cell.strip() for cell in cells if any(mark in cell for mark in marks))
    first = next(marked, None)
    if first is None or (decimal is None and all(map(_GROUPED.fullmatch, chain((first,), marked)))):
        return None
    pattern = _POINT if decimal == "." else _COMMA
    fit = sum(_is_of(cell.strip(), pattern) for cell in cells)
    # A column of numbers stays one with a bad cell in it, so that the bad cell is the one that is named.
    if 2 * fit <= sum(not is_missing(cell) for cell in cells):
        return None
    drop, keep = (",", ".") if decimal == "." else (".", ",")
    return compact(
        cell.strip().replace(drop, "").replace(keep, ".") if _is_of(cell.strip(), pattern) else cell
        for cell in cells
    )


def pointed(cell: str) -> str:
    """A number as Python writes it, whatever its decimal mark and groups; another cell as it is.

    Example:
        >>> pointed("1.234,5"), pointed("1,234.5"), pointed("so, fine")
        ('1234.5', '1234.5', 'so, fine')
    """
    if _is_of(cell, _COMMA):
        return cell.replace(".", "").replace(",", ".") if "," in cell else cell
    return cell.replace(",", "") if _is_of(cell, _POINT) else cell


def _is_of(cell: str, pattern: re.Pattern[str]) -> bool:
    return cell[-1:].isdigit() and bool(pattern.fullmatch(cell))


def may_group_thousands(cell: object) -> bool:
    """Whether a cell's comma may stand before a fraction, or group thousands."""
    return isinstance(cell, str) and bool(_GROUPED.fullmatch(cell.strip()))
