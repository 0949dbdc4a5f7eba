"""Numbers as ledgers and spreadsheets show them: $1,234.50, 12.3 %, (7.00), 1 234,5 kr."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_SIGNS = "$€£¥₹₩₽₺₴₫₪₱฿%‰"
_WORDS = (
    *("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL"),
    *("AUD", "CAD", "US$", "A$", "C$", "R$", "NZ$", "HK$", "Rs.", "Rs", "kr.", "kr", "zł", "Kč", "Ft", "Fr."),
)
_UNIT = rf"(?:{'|'.join(map(re.escape, _WORDS))}|[{re.escape(_SIGNS)}])"
_GROUPING = " \u00a0\u202f'’"
_DIGITS = (
    rf"[1-9]\d{{0,2}}(?P<group>[.,{_GROUPING}])\d{{3}}(?:(?P=group)\d{{3}})*(?:[.,]\d+)?"
    r"|\d+(?:[.,]\d+)?|[.,]\d+"
)
_AMOUNT = re.compile(
    rf"(?P<loss>\()?(?P<sign>[-+−]?)\s?(?P<before>{_UNIT})?\s?(?P<second>[-+−]?)(?P<digits>{_DIGITS})"
    rf"\s?(?P<after>{_UNIT})?(?(loss)\))"
)
_MARKS = re.compile(r"[.,]")
_IN_THREES = re.compile(r"[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*")


def numbers_of_amounts(
    cells: Sequence[Any], is_missing: Callable[[Any], bool], decimal: str | None = None
) -> list[str] | None:
    """The cells as Python writes numbers, without signs of money or per cent; None where they are no amounts.

    Most cells that are given must be amounts in one unit; without any, some must be grouped by spaces or have
    both marks: 10.0.0.1 is an address. A cell that is none stays as it is, so that it is the one named.

    Args:
        cells: of one column.
        is_missing: whether a cell stands for no value; such cells stay as they are.
        decimal: what stands before a fraction; None finds out. Before the digits, a unit speaks for points.

    Example:
        >>> numbers_of_amounts(["$1,234.50", "($7.00)"], lambda cell: not cell)
        ['1234.50', '-7.00']
        >>> numbers_of_amounts(["1.234,5 €", "12,0 €"], lambda cell: not cell)
        ['1234.5', '12.0']
        >>> numbers_of_amounts(["12 %", "12 €"], lambda cell: not cell) is None
        True
    """

    def matches() -> Iterator[re.Match[str] | None]:
        return (None if is_missing(cell) else _AMOUNT.fullmatch(str(cell).strip()) for cell in cells)

    # What a column of a million plain numbers matches is not held.
    given, units, as_in_ledgers, before = 0, set[str](), False, False
    for match in filter(None, matches()):
        given += 1
        if unit := match["before"] or match["after"]:
            units.add(unit)
        before = before or bool(match["before"])
        as_in_ledgers = as_in_ledgers or _is_ledgers(match)
    if 2 * given <= sum(not is_missing(cell) for cell in cells):
        return None
    if len(units) > 1 or not (units or as_in_ledgers):
        return None
    mark = decimal or _decimal([match["digits"] for match in matches() if match is not None])
    if mark is None:
        # A price of $1,234 is written where points stand before fractions; 1.234 € may be either.
        mark = "." if before else None
    if mark is None:
        return None
    return [
        str(cell) if match is None else _number(match, mark)
        for cell, match in zip(cells, matches(), strict=True)
    ]


def is_amount(cell: str) -> bool:
    """Whether a cell is a number with a unit, or as ledgers write them.

    Example:
        >>> is_amount("$ 5"), is_amount("(1,234.50)"), is_amount("5"), is_amount("cheap")
        (True, True, False, False)
    """
    match = _AMOUNT.fullmatch(cell.strip())
    return match is not None and bool(match["before"] or match["after"] or _is_ledgers(match))


def _is_ledgers(match: re.Match[str]) -> bool:
    """Whether a number without a unit is written as in a ledger."""
    marks = set(_MARKS.findall(match["digits"]))
    return match["loss"] is not None or len(marks) > 1 or (match["group"] or ".") in _GROUPING


def _decimal(digits: Sequence[str]) -> str | None:
    """What stands before fractions; None where the marks may be either."""
    marks = [_MARKS.findall(each) for each in digits]
    if not any(marks):
        return "."
    for each in marks:
        if len(set(each)) > 1:
            return each[-1]
        if len(each) > 1:
            return "," if each[0] == "." else "."
    for each, own in zip(digits, marks, strict=True):
        if own and not _IN_THREES.fullmatch(each):
            return own[0]
    return None


def _number(match: re.Match[str], decimal: str) -> str:
    group = "," if decimal == "." else "."
    digits = re.sub(rf"[{_GROUPING}{group}]", "", match["digits"]).replace(decimal, ".")
    minus = (match["loss"] is not None) != ("-" in _signs(match))
    return f"-{digits}" if minus else digits


def _signs(match: re.Match[str]) -> str:
    return f"{match['sign']}{match['second']}".replace("−", "-")
