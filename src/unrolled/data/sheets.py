"""The cells of an Excel workbook's first sheet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from unrolled.errors import DataError


def cells_of_sheet(path: Path, content: bytes) -> tuple[list[list[Any]], list[int], tuple[str, ...]]:
    """The cells by row, as many in each, the row of each in the sheet, and sentences for the user.

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
    return [(cells + [None] * width)[:width] for _, cells in used], [row for row, _ in used], notes
