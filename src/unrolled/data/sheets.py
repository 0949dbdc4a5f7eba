"""The cells of an Excel workbook's first sheet."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.compressed import require_modest
from unrolled.errors import DataError

_ROWS, _CELLS = 1_048_576, 50_000_000
"""What a sheet can have, and what is read of one at most."""

DAY_ZERO = np.datetime64("1899-12-30", "ns")
"""What day 0 is from 1 March 1900 on; before, Excel has a 29 February 1900, which there never was."""
DAY_ZERO_1904 = np.datetime64("1904-01-01", "ns")
"""What it is in workbooks that old releases for the Macintosh made."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the first sheet of a workbook holds.

    Attributes:
        cells: by row, as many in each; rows without any are left out.
        rows: the row of each in the sheet.
        day_zero: what dates that are numbers count days from.
        notes: sentences for the user.
    """

    cells: list[list[Any]]
    rows: list[int]
    day_zero: np.datetime64
    notes: tuple[str, ...]


def _used(rows: Iterable[Sequence[Any]]) -> list[tuple[int, list[Any]]]:
    """The rows that hold something, by number.

    Raises:
        ValueError: there are more than a sheet has, or so many cells that it must be a mistake.
    """
    used, cells = [], 0
    for row, given in enumerate(rows, start=1):
        if row > _ROWS:
            raise ValueError(f"it has more than {_ROWS:,} rows")
        if any(cell is not None for cell in given):
            cells += len(given)
            if cells > _CELLS:
                raise ValueError(f"it has more than {_CELLS:,} cells")
            used.append((row, list(given)))
    return used


def read_sheet(path: Path, content: bytes) -> Sheet:
    """The first sheet of a workbook.

    Raises:
        DataError: it is no workbook, its sheet is empty, or openpyxl is missing.
    """
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            "reading .xlsx needs openpyxl",
            path=path,
            remedy="pip install 'unrolled[excel]', or save it as CSV",
        ) from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            require_modest(archive, len(content))
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # which a file may claim to be anything
        used = _used(sheet.iter_rows(values_only=True))
    except Exception as error:  # whatever a damaged archive of XML makes of its readers
        raise DataError(f"expected an Excel workbook, but {error}", path=path) from error
    if not used:
        raise DataError(f"expected rows in the sheet {sheet.title!r}, found none", path=path)
    width = 1 + max(place for _, cells in used for place, cell in enumerate(cells) if cell is not None)
    others = ", ".join(each.title for each in book.worksheets[1:])
    notes = (f"Only the first sheet, {sheet.title!r}, is read, not {others}.",) if others else ()
    return Sheet(
        [(cells + [None] * width)[:width] for _, cells in used],
        [row for row, _ in used],
        DAY_ZERO_1904 if book.epoch.year == 1904 else DAY_ZERO,
        notes,
    )
