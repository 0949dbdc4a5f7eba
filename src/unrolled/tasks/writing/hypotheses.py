"""What was written for an input, as a search gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unrolled.tasks.writing.beam_search import Hypothesis


def hypotheses(written: Any, stop: int) -> Sequence[Hypothesis]:
    """What was written for one input, best first.

    Args:
        written: hypotheses; or, where the network ran elsewhere, the numbers of the symbols.
        stop: the symbol that ends a text.

    Example:
        >>> hypotheses(np.array([5, 3, 0]), stop=0)[0].finished
        True
    """
    if len(written) and isinstance(written[0], Hypothesis):
        return written
    symbols = tuple(np.asarray(written, dtype=np.int64).tolist())
    return [Hypothesis(symbols, float("nan"), bool(symbols) and symbols[-1] == stop, float("nan"))]


def best_first(found: Sequence[Hypothesis], n_best: int | None) -> Iterator[tuple[int, Hypothesis]]:
    """So many hypotheses, each with its rank from 1."""
    return enumerate(found[: n_best or 1], start=1)
