"""Wording that tasks share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from unrolled.data.wording import listed


def unseen_said(symbols: Iterable[str], total: int, what: str, units: str) -> str:
    """The sentence on labels or tags of scored data that training has not seen; none where there are none.

    Args:
        symbols: those that training has not seen, each as often as it is there.
        total: how many labels or tags there are.
        what: what they are, such as `label`.
        units: what has them, in the plural.

    Example:
        >>> unseen_said(["b", "a", "b"], 9, "label", "sequences")
        '3 of 9 sequences have a label that training has not seen (b, a); they count as errors.'
    """
    counts = Counter(symbols)
    if not counts:
        return ""
    names = listed([symbol for symbol, _ in counts.most_common()])
    return (
        f"{counts.total():,} of {total:,} {units} have a {what} that training has not seen ({names}); they "
        "count as errors."
    )
