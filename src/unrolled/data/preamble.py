"""What stands above a table: a title, remarks, comment lines; and which of them are its header after all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

_LOOKED_AT = 5
_NO_NAMES = frozenset({"", "-", "na", "n/a", "nan", "null", "none", "<na>"})
"""What stands for a value that is missing."""


def preamble(records: Sequence[Sequence[str]], is_number: Callable[[str], bool]) -> int:
    """How many of the first rows stand above a table.

    They begin with ``#``, or have one cell that is filled; and below them comes a header that has names where
    the rows beneath it have numbers. A comment with as many cells as these is the header, if none follows.

    Args:
        records: rows of cells, none of them empty.
        is_number: whether a cell is a number.

    Example:
        >>> preamble([["Sales, in thousands"], ["day", "sales"], ["mon", "1"], ["tue", "2"]], str.isdecimal)
        1
        >>> preamble([["# day", "sales"], ["mon", "1"], ["tue", "2"]], str.isdecimal)
        0
    """
    above = sum(1 for _ in takewhile(_may_stand_above, records))
    body = records[above : above + _LOOKED_AT]
    if not above or len(body) < 2 or len(body[0]) < 2:
        return 0
    if any(len(row) != len(body[0]) for row in body):
        return 0
    if _names(body[0], body[1:], is_number):
        return above
    last = records[above - 1]
    named = len(last) == len(body[0]) and _names(last, body, is_number)
    comments = all(record[0].lstrip().startswith("#") for record in records[:above])
    return above - 1 if named else above if comments and _has_number(body, is_number) else 0


def _may_stand_above(record: Sequence[str]) -> bool:
    return record[0].lstrip().startswith("#") or sum(bool(cell.strip()) for cell in record) == 1


def _names(first: Sequence[str], below: Sequence[Sequence[str]], is_number: Callable[[str], bool]) -> bool:
    """Whether a row has a word over nothing but numbers, and no number itself."""
    if any(map(is_number, first)):
        return False
    columns = zip(first, zip(*below, strict=True), strict=True)
    return any(
        name.strip().lower() not in _NO_NAMES and all(map(is_number, cells)) for name, cells in columns
    )


def _has_number(body: Sequence[Sequence[str]], is_number: Callable[[str], bool]) -> bool:
    return any(all(map(is_number, cells)) for cells in zip(*body, strict=True))
