"""Holding out a share of the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.data.example import Examples, Series
from unrolled.errors import DataError


def hold_out(examples: Examples, share: float, seed: int = 0) -> tuple[Examples, Examples]:
    """Draw a share of the examples, about the same share of every label.

    Args:
        examples: two or more.
        share: the fraction held out, between 0 and 1; at least one example is, and one is not.
        seed: decides which.

    Returns:
        The examples that stay and those held out, both in their old order.

    Raises:
        DataError: there are fewer than two examples.

    Example:
        >>> from unrolled.data.example import Example
        >>> examples = Examples(tuple(Example(str(n), "odd" if n % 2 else "even") for n in range(20)))
        >>> stay, out = hold_out(examples, 0.2)
        >>> len(stay), sorted(item.target for item in out)
        (16, ['even', 'even', 'odd', 'odd'])
    """
    count = len(examples)
    if count < 2:
        path = examples[0].source.path if count else None
        raise DataError(
            f"expected at least two examples to hold one out, got {count}",
            path=path,
            remedy="name a dev file",
        )
    order = np.random.default_rng(seed).permutation(count)
    labels = [item.target if isinstance(item.target, str) else None for item in examples]
    # Spread every label evenly over the order, then take what lies at even distances in it.
    seen: dict[str | None, int] = {}
    rank = np.empty(count)
    totals = {label: labels.count(label) for label in set(labels)}
    for row in order:
        seen[labels[row]] = seen.get(labels[row], 0) + 1
        rank[row] = (seen[labels[row]] - 0.5) / totals[labels[row]]
    wanted = min(max(round(count * share), 1), count - 1)
    out = np.sort(order[np.argsort(rank[order], kind="stable")][:wanted])
    stay = np.setdiff1d(np.arange(count), out)
    return examples.select(stay), examples.select(out)


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
        >>> series = Series("a", np.arange(10), np.arange(10.0), np.zeros((10, 0)))
        >>> (before,), (after,) = split_series([series], 0.2, context=3)
        >>> len(before), after.times.tolist()
        (8, [5, 6, 7, 8, 9])
    """
    cuts = [len(one) - round(len(one) * share) for one in series]
    before = tuple(one.slice(0, cut) for one, cut in zip(series, cuts, strict=True))
    after = tuple(one.slice(max(0, cut - context), len(one)) for one, cut in zip(series, cuts, strict=True))
    return before, after
