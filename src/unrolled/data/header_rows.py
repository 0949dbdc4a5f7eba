"""Whether a table's first row names its columns, where neither a number nor a repetition tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median

from unrolled.data.column_names import USUAL_NAMES

_LOOKED_AT = 1000
_ENDS = (".", "!", "?", "…", "。", "！", "？", ",", ";")
_LONG = 40
_WORDS = 4
"""So many words are a sentence rather than a name."""
_NEARLY_ALL = 0.95
_ENOUGH = 3
"""Rows beneath the first from which on it is a matter of how they look."""


def is_usual_name(cell: str) -> bool:
    """Whether a cell is what some column is usually called.

    Example:
        >>> is_usual_name(" Label"), is_usual_name("abandonner")
        (True, False)
    """
    return cell.strip().lower() in USUAL_NAMES


def looks_like_names(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first cells of some columns of text are their names rather than of their kind.

    A cell that stands out from those beneath it speaks for names; one that is a sentence, or as long as they
    are, against. Where nothing speaks either way, columns that only ever go by their place, one or two, are
    taken to begin with data.

    Args:
        first: the first row.
        below: the cells beneath, by column; none of them repeats the first.

    Example:
        >>> looks_like_names(["abject", "a b ʒ ɛ k t"], [["abolir"], ["a b ɔ l i ʁ"]])
        False
        >>> looks_like_names(["v1", "v2"], [["ham", "spam", "ham"], ["ok lad", "call now", "not yet"]])
        True
    """
    usual = any(map(is_usual_name, first))
    found = [
        _evidence(cell.strip(), [each.strip() for each in rest if each.strip()][:_LOOKED_AT])
        for cell, rest in zip(first, below, strict=True)
        if cell.strip()
    ]
    if any(each < 0 for each in found):
        return False
    if usual or any(each > 0 for each in found):
        return True
    return len(first) > 2 or max(map(len, below), default=0) < _ENOUGH


def _evidence(cell: str, rest: Sequence[str]) -> int:
    """1 where a cell is unlike those beneath it, -1 where it can be no name, 0 where it may be either."""
    if not rest:
        return 0
    if len(cell) > _LONG or len(cell.split()) >= _WORDS or (cell.endswith(_ENDS) and len(rest) > 1):
        alike = median(len(each.split()) for each in rest) >= _WORDS or cell.endswith(_ENDS)
        return -1 if alike else 0
    if len(rest) < _ENOUGH:
        return 0
    for trait, of_name in _TRAITS:
        others = sum(trait(each) != of_name for each in rest)
        if trait(cell) == of_name and others >= _NEARLY_ALL * len(rest):
            return 1
    counts = Counter(rest)
    # Every value comes again, but for the first.
    return int(len(rest) >= 2 * _ENOUGH and min(counts.values()) > 1)


def _is_several_words(cell: str) -> bool:
    return len(cell.split()) > 1


def _has_digits(cell: str) -> bool:
    return any(map(str.isdigit, cell))


def _has_latin(cell: str) -> bool:
    return any(each.isascii() and each.isalpha() for each in cell)


def _is_capital(cell: str) -> bool:
    return cell[:1].isupper()


_TRAITS: Sequence[tuple[Callable[[str], bool], bool]] = (
    (_is_several_words, False),
    (_has_digits, False),
    (_has_latin, True),
    (_is_capital, True),
    (_is_capital, False),
    (str.isupper, True),
)
"""What a name has, or lacks, where nearly all cells beneath it are the other way."""
