"""The cells of an Excel workbook's first sheet."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import DataError

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
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        found = [list(row) for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # whatever a damaged archive of XML makes of its readers
        raise DataError(f"expected an Excel workbook, but {error}", path=path) from error
    used = [(row, cells) for row, cells in enumerate(found, start=1) if any(c is not None for c in cells)]
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
