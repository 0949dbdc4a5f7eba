"""Sequences of numbers as lists: in a cell of a table, on a line, or given in Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.data.example import Source
from unrolled.data.list_cells import is_elided, list_in


def number_sequence(cell: Any, source: Source, *, gaps: bool = False) -> np.ndarray:
    """A list of numbers, or of equally long lists of numbers, as `(time, feature)`.

    Args:
        cell: the list, or one written as text.
        source: where it is, for messages.
        gaps: whether numbers may be missing: NaN or null.

    Raises:
        DataError: it is something else, or a number is infinite, or missing where none may be.

    Example:
        >>> number_sequence("[1.5, null]", Source(), gaps=True).ravel()
        array([1.5, nan])
    """
    if isinstance(cell, str):
        found = list_in(cell)
        if found is None:
            remedy = "write all of it: NumPy has left numbers out" if is_elided(cell) else None
            raise source.error(
                f"expected a list of numbers such as [1.5, 2], got {cell!r:.60}", remedy=remedy
            )
        cell = found
    try:
        numbers = (
            cell.astype(float)
            if _is_numeric(cell)
            else np.array(
                [list(step) if isinstance(step, np.ndarray) else step for step in cell], dtype=float
            )
        )
    except TypeError as error:
        raise source.error(f"expected a list of numbers, got {_clip(cell)}") from error
    except (ValueError, OverflowError) as error:
        raise source.error(
            f"expected numbers, the same count of them at every step, got {_clip(cell)}"
        ) from error
    if numbers.ndim not in (1, 2):
        raise source.error(
            f"expected a list of numbers or of lists of them, got {numbers.ndim} levels of lists"
        )
    bad = np.isinf(numbers) if gaps else ~np.isfinite(numbers)
    if bad.any():
        step = int(np.flatnonzero(bad.reshape(len(numbers), -1).any(axis=1))[0])
        wrong = np.ravel(numbers[step])[np.ravel(bad[step])][0]
        got = "NaN" if np.isnan(wrong) else wrong
        raise source.error(f"expected finite numbers, got {got} at step {step + 1}")
    return numbers.reshape(len(numbers), -1) if len(numbers) else np.zeros((0, 1))


def _is_numeric(cell: Any) -> bool:
    return isinstance(cell, np.ndarray) and cell.dtype.kind in "iufb"


def _clip(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
