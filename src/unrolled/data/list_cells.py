"""Lists written as text in the cells of a table, as JSON, Python and NumPy write them."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Sequence
from typing import Any

_QUOTED = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_OF_NUMPY = re.compile(rf"\[\s*{_QUOTED}(?:\s+{_QUOTED})+\s*\]", re.DOTALL)
_NUMERIC = frozenset("[] \t\r\n0123456789.eE+-")
_GAP = re.compile(r"\b(?:nan|NaN|None|null)\b")
_BETWEEN = re.compile(r"(?<=[\]\d.l])\s+(?=[\[\d.+n-])")
_POINT_AT_END = re.compile(r"\.(?!\d)")
_WRAPPED = re.compile(r"(?:np\.)?(?:array|float64|float32|int64|int32)\(([][\s\d.,eE+-]*)\)")
_BEGUN = re.compile(r"""\s*[\[(]\s*['"]""")


def list_in(cell: str) -> list[Any] | None:
    """The list that a text writes down; None where it is none.

    Example:
        >>> list_in("['Mira', 'sings']"), list_in('["a"]'), list_in("['a' 'b']"), list_in("[sic] ran")
        (['Mira', 'sings'], ['a'], ['a', 'b'], None)
    """
    text = _WRAPPED.sub(r"\1", cell.strip())
    if not (text.startswith("[") and text.endswith("]")) and not (
        text.startswith("(") and text.endswith(")")
    ):
        return None
    if _OF_NUMPY.fullmatch(text):
        return [_literal(each) for each in re.findall(_QUOTED, text, re.DOTALL)]
    if (_NUMERIC | {","}).issuperset(_GAP.sub("0", text)):
        text = _GAP.sub("null", text)
    if _NUMERIC.issuperset(text.replace("null", "0")):
        text = _BETWEEN.sub(",", _POINT_AT_END.sub(r"\g<0>0", text))
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _literal(text)
    return list(found) if isinstance(found, list | tuple) else None


def lists_in(cells: Sequence[Any]) -> bool:
    """Whether the texts of a column are lists: all of them, or some where most begin as lists of strings do.

    Example:
        >>> lists_in(["['a', 'b']", "['c"]), lists_in(["[ 1 ]", "a b"])
        (True, False)
    """
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    lists = sum(list_in(text) is not None for text in texts)
    begun = sum(_BEGUN.match(text) is not None for text in texts)
    return bool(texts) and (lists == len(texts) or (lists > 0 and 2 * begun > len(texts)))


def _literal(text: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def is_elided(cell: str) -> bool:
    """Whether NumPy has left out numbers of a long list in writing it down.

    Example:
        >>> is_elided("[0.1 0.2 ... 0.8 0.9]"), is_elided("[0.1, 0.2]")
        (True, False)
    """
    return "..." in cell and cell.strip().startswith("[")
