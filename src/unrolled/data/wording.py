"""Wording that readers share."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first of some names, and whether there are more.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b, …'
    """
    some = list(islice(names, most + 1))
    return ", ".join(some[:most]) + (", …" if len(some) > most else "")
