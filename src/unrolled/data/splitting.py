"""Cutting series in time."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.data.example import Series


def split_series(
    series: Sequence[Series], share: float, *, context: int = 0
) -> tuple[tuple[Series, ...], tuple[Series, ...]]:
    """Cut every series in time.

    Args:
        series: the series.
        share: the fraction of each that lies after the cut.
        context: the steps before the cut that the later part gets as well, to forecast its first steps from.

    Returns:
        The parts before the cut, and those after it.

    Example:
        >>> import numpy as np
        >>> series = Series("a", np.arange(10), np.arange(10.0), np.zeros((10, 0)))
        >>> (before,), (after,) = split_series([series], 0.2, context=3)
        >>> len(before), after.times.tolist()
        (8, [5, 6, 7, 8, 9])
    """
    cuts = [len(one) - round(len(one) * share) for one in series]
    before = tuple(one.slice(0, cut) for one, cut in zip(series, cuts, strict=True))
    after = tuple(one.slice(max(0, cut - context), len(one)) for one, cut in zip(series, cuts, strict=True))
    return before, after
