"""Data handed over in Python, as examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unrolled.data.example import Example, Examples, Source
from unrolled.errors import DataError


def given_examples(data: Iterable[Any], labelled: bool) -> Examples:
    """A list of examples, of inputs, or of pairs of input and target.

    Args:
        data: `Example` objects; else pairs of input and target where ``labelled``, and inputs where not.
        labelled: whether targets are needed.

    Raises:
        DataError: an entry is not of that form; names its place, counted from 1.

    Example:
        >>> given_examples([("fine", "pos")], labelled=True)[0].target
        'pos'
    """
    items: list[Example] = []
    for place, entry in enumerate(data, start=1):
        if isinstance(entry, Example):
            items.append(entry)
        elif not labelled:
            items.append(Example(entry, None, Source(None, place)))
        elif isinstance(entry, tuple) and len(entry) == 2:
            items.append(Example(*entry, Source(None, place)))
        else:
            raise DataError(f"expected a pair of input and target, got {entry!r:.60}", row=place)
    if labelled and not items:
        raise DataError("expected examples to learn from or to score, got none")
    return Examples(tuple(items))
