"""What a report shows of an evaluation beyond its scores, as plain JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.tasks.forecasting.scores import Forecasts

_CLASSES = 20
"""Classes of a confusion matrix at most, the most frequent; the others share its last row and column."""
_BINS = 10
_WORST = 10
_OTHERS = "(others)"


def confusion(expected: Sequence[str], predicted: Sequence[str]) -> dict[str, Any]:
    """How often which class was taken for which.

    Returns:
        ``classes``, the most frequent first, and ``counts``, a row for each expected class with a number for
        each predicted one.

    Example:
        >>> confusion(["a", "a", "b"], ["a", "b", "b"])
        {'classes': ['a', 'b'], 'counts': [[1, 1], [0, 1]]}
    """
    frequent = Counter(expected)
    frequent.update(dict.fromkeys(predicted, 0))
    classes = [name for name, _ in sorted(frequent.items(), key=lambda each: (-each[1], each[0]))]
    if len(classes) > _CLASSES:
        classes = [*classes[: _CLASSES - 1], _OTHERS]
    place = {name: number for number, name in enumerate(classes)}
    last = len(classes) - 1
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for wanted, got in zip(expected, predicted, strict=True):
        counts[place.get(wanted, last), place.get(got, last)] += 1
    return {"classes": classes, "counts": counts.tolist()}


def confidence(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, Any]:
    """How sure a classifier was where it was right, and where it was wrong.

    Args:
        sure: the probability of the class that it chose, for each sequence.
        right: whether that was the expected one.

    Returns:
        ``edges`` of ten bins, the counts ``right`` and ``wrong`` in each, the ``mean`` probability, and the
        ``accuracy``.

    Example:
        >>> found = confidence(np.array([0.95, 0.55]), np.array([True, False]))
        >>> found["right"][-1], found["wrong"][5], found["mean"], found["accuracy"]
        (1, 1, 0.75, 0.5)
    """
    edges = np.linspace(0, 1, _BINS + 1)
    bins = np.clip(np.digitize(sure, edges) - 1, 0, _BINS - 1)
    return {
        "edges": edges.round(10).tolist(),
        "right": np.bincount(bins[right], minlength=_BINS).tolist(),
        "wrong": np.bincount(bins[~right], minlength=_BINS).tolist(),
        "mean": float(sure.mean()) if len(sure) else 0.0,
        "accuracy": float(right.mean()) if len(right) else 0.0,
    }


def most_wrong(badness: NDArray[np.float64]) -> list[int]:
    """The rows that are the furthest from right, the worst first; what is 0 or less is right.

    Example:
        >>> most_wrong(np.array([0.0, 0.9, 0.4]))
        [1, 2]
    """
    return [int(row) for row in np.argsort(-badness, kind="stable")[:_WORST] if badness[row] > 0]


def errors_ahead(forecasts: Sequence[Forecasts], before: Sequence[NDArray[np.float64]]) -> dict[str, Any]:
    """The mean absolute error of forecasts by how many steps ahead they are.

    Of several series each is measured in its own unit, as MASE is.

    Args:
        forecasts: of each series.
        before: for each series the last number before each forecast, ``(origin,)``, which who knows no better
            takes for all that follow.

    Example:
        >>> one = Forecasts(np.array([[3.0, 5.0]]), np.array([[3.5, 4.0]]), np.zeros((1, 2, 0)), 1.0)
        >>> errors_ahead([one], [np.array([2.0])])
        {'score': 'mae', 'model': [0.5, 1.0], 'persistence': [1.0, 3.0]}
    """
    several = len(forecasts) > 1
    unit = [one.seasonal_error if several else 1.0 for one in forecasts]
    made = [np.abs(one.actual - one.point) / size for one, size in zip(forecasts, unit, strict=True)]
    simple = [
        np.abs(one.actual - last[:, None]) / size
        for one, last, size in zip(forecasts, before, unit, strict=True)
    ]
    return {
        "score": "mase" if several else "mae",
        "model": _means(np.concatenate(made)),
        "persistence": _means(np.concatenate(simple)),
    }


def _means(errors: NDArray[np.float64]) -> list[float | None]:
    """Of each column, numbers that are not known left out."""
    known = ~np.isnan(errors)
    counts = known.sum(0)
    sums = np.where(known, errors, 0.0).sum(0)
    return [float(each / count) if count else None for each, count in zip(sums, counts, strict=True)]
