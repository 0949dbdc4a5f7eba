"""Sequences of numbers in files of their own: one table or array a sequence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.arrays import array_of_npy
from unrolled.data.example import Source
from unrolled.data.folders import FILE_COLUMN, MEDIA, MediaFiles
from unrolled.data.tables import Table, is_missing, read_table
from unrolled.errors import DataError

_TABLE_OF_LABELS = re.compile(r"(^|[^a-z])(labels?|targets?|classes|metadata)([^a-z]|$)")
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


def read_numbers(file: Path | bytes, source: Source | None = None) -> np.ndarray:
    r"""A sequence: the rows of a CSV or TSV file, whose columns are the channels, or a NumPy array.

    Args:
        file: its path; a file's content is not read.
        source: where the file was named, for messages.

    Returns:
        `(time, channel)` float64, NaN where a number is missing.

    Raises:
        DataError: a cell is not a number, or the array is not of one or two axes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "walk.csv")
        ...     _ = path.write_text("# left, right\n-0.5,1\n0.25,2\n")
        ...     read_numbers(path)
        array([[-0.5 ,  1.  ],
               [ 0.25,  2.  ]])
    """
    if isinstance(file, bytes):
        raise (source or Source()).error("expected the name of a file of numbers, got its content")
    if file.suffix.lower() == ".npy":
        return _array(file)
    table = read_table(file)
    return channels_of(table, list(table.columns))


def channels_of(table: Table, names: Sequence[str]) -> np.ndarray:
    """Columns of numbers side by side, `(time, channel)`, NaN where a cell is empty.

    Raises:
        DataError: a cell is not a number.
    """
    return np.stack([table.numbers(name) for name in names], axis=1)


def _array(path: Path) -> np.ndarray:
    try:
        array = array_of_npy(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError("expected a NumPy array of numbers, which this is not", path=path) from error
    if array.ndim not in (1, 2) or array.dtype.kind not in "iufb":
        raise DataError(
            f"expected numbers (time,) or (time, channel), got {array.dtype} of shape {array.shape}",
            path=path,
        )
    if np.isinf(array).any():
        raise DataError("expected finite numbers, got others", path=path)
    return array.reshape(len(array), -1).astype(np.float64)


def beside_table(folder: Path) -> MediaFiles | None:
    """The sequences of a folder that holds one file each and a table of what is known of them.

    The table is the one whose name says so (labels, targets, classes or metadata). One of its columns tells
    the files: by their names, by these without ending, or by the last number in them.

    Returns:
        None where the folder is not of this kind.

    Raises:
        DataError: a row of the table has no file.
    """
    files = [
        path
        for path in sorted(folder.iterdir())
        if MEDIA.get(path.suffix.lower()) == "numbers" and not path.name.startswith(".")
    ]
    tables = [path for path in files if _TABLE_OF_LABELS.search(path.stem.lower())]
    members = [path for path in files if path not in tables]
    if len(tables) != 1 or not members:
        return None
    table = read_table(tables[0])
    known = _names(members)
    column = max(
        table.columns, key=lambda name: sum(str(cell).strip() in known for cell in table.column(name))
    )
    sources = tuple(table.source(entry, column) for entry in range(len(table)))
    found = tuple(
        _member(known, cell, source) for cell, source in zip(table.column(column), sources, strict=True)
    )
    others = {name: cells for name, cells in table.columns.items() if name != column}
    columns = {FILE_COLUMN: [path.name for path in found], **others}
    named = Table(table.path, columns, table.rows, table.notes)
    return MediaFiles("numbers", found, named, FILE_COLUMN, sources)


def _names(members: list[Path]) -> dict[str, Path]:
    """The files by everything a table may call them; what fits two of them names neither."""
    known: dict[str, Path | None] = {}
    for path in members:
        number = _LAST_NUMBER.search(path.stem)
        names = {path.name, path.stem} | ({number[1], str(int(number[1]))} if number else set())
        for name in names:
            known[name] = None if name in known else path
    return {name: path for name, path in known.items() if path is not None}


def _member(known: dict[str, Path], cell: Any, source: Source) -> Path:
    name = str(cell).strip()
    if is_missing(cell) or name not in known:
        raise source.error(
            f"expected the name or the number of a file beside the table, got {name!r:.60}",
            remedy="correct it, or add the file",
        )
    return known[name]
