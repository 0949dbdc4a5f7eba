"""Several labels of each example, as they come in Python and as they go back."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

import numpy as np

from unrolled.errors import DataError
from unrolled.tasks.label_values import LabelValues

COLLECTIONS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
"""The collections that are given back as they came."""
INDICATOR = r"^(list|tuple|set|frozenset|[<>|=]?(\?|b1|[iuf][1248]))$"
"""The forms that sets of labels come in: a collection each, or a row each of an array of such a type."""


def given_sets(y: Any) -> tuple[list[Any], LabelValues, str] | None:
    """The labels of each example; None where ``y`` holds one target for each.

    Args:
        y: lists, tuples or sets of labels; or zeros and ones ``(examples, labels)``, in an array, lists of
            equal length, a sparse matrix or a frame whose columns are the labels.

    Returns:
        The labels of each, all labels, and the form in which they came.

    Raises:
        DataError: an entry of an array is neither 0 nor 1; names its row, counted from 1.

    Example:
        >>> found, labels, form = given_sets(np.array([[1, 0], [1, 1]]))
        >>> found, labels.names, form
        ([[0], [0, 1]], ('0', '1'), '<i8')
    """
    from scipy.sparse import issparse

    names = list(y.columns) if hasattr(y, "columns") else None
    if issparse(y):
        y = y.toarray()
    elif hasattr(y, "__array__") and not hasattr(y, "ndim"):
        y = np.asarray(y)
    if getattr(y, "ndim", 1) == 2 and y.shape[1] > 1:
        return _of_indicators(np.asarray(y), names)
    entries = [] if getattr(y, "ndim", 1) > 1 else list(y)
    if _are_indicators(entries):
        return _of_indicators(np.array(entries), None)
    kinds = {type(entry) for entry in entries}
    if not kinds or not all(issubclass(kind, list | tuple | Set) for kind in kinds):
        return None
    form = kinds.pop().__name__ if len(kinds) == 1 else "list"
    return entries, _values(entries), form if form in COLLECTIONS else "list"


def _are_indicators(entries: Sequence[Any]) -> bool:
    """Whether lists are rows of zeros and ones, as scikit-learn takes them, rather than labels 0 and 1."""
    if not entries or not all(isinstance(entry, list | tuple | np.ndarray) for entry in entries):
        return False
    sizes = {len(entry) for entry in entries}
    return (
        len(sizes) == 1
        and sizes.pop() > 1
        and all(np.isin(np.asarray(entry), (0, 1)).all() for entry in entries)
    )


def _of_indicators(array: np.ndarray, names: list[Any] | None) -> tuple[list[Any], LabelValues, str]:
    if array.dtype.kind not in "biufO":
        raise DataError(f"expected zeros and ones, one for each label, got an array of {array.dtype}")
    wrong = ~np.isin(array, (0, 1)).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"expected zeros and ones, one for each label, got {array[row].tolist()!r:.60}", row=row + 1
        )
    labels = np.arange(array.shape[1]) if names is None else np.array(names)
    values = LabelValues(dict(zip(map(str, labels.tolist()), labels.tolist(), strict=True)))
    plain = labels.tolist()
    found = [[plain[place] for place in np.flatnonzero(row)] for row in array]
    return found, values, "<i8" if array.dtype.kind == "O" else array.dtype.str


def _values(entries: Sequence[Any]) -> LabelValues:
    return LabelValues.of_list(
        label for entry in entries for label in (sorted(entry, key=str) if isinstance(entry, Set) else entry)
    )


def in_form(found: Sequence[Sequence[Any]], form: str, labels: Sequence[Any]) -> Any:
    """Sets of labels in the form in which others came.

    Args:
        found: the labels of each example.
        form: as `given_sets` says.
        labels: all of them, in the order of an array's columns.

    Example:
        >>> in_form([["a"], []], "<i8", ["a", "b"])
        array([[1, 0],
               [0, 0]])
    """
    if form in COLLECTIONS:
        return [COLLECTIONS[form](each) for each in found]
    place = {label: number for number, label in enumerate(labels)}
    array = np.zeros((len(found), len(labels)), dtype=np.dtype(form))
    for row, each in enumerate(found):
        array[row, [place[label] for label in each]] = 1
    return array
