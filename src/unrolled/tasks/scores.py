"""What is counted when predictions are compared with what was expected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unrolled.data.scaling import power_of_two
from unrolled.tasks.spans import span_scores


def class_scores(expected: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """Accuracy, and F1 averaged over the classes with equal weight.

    Example:
        >>> class_scores(["a", "a", "b", "b"], ["a", "a", "b", "a"])["accuracy"]
        0.75
    """
    from sklearn.metrics import (
        accuracy_score,
        f1_score,
    )  # a second to import, which loading a model can spare

    return {
        "accuracy": float(accuracy_score(expected, predicted)),
        "macro F1": float(f1_score(expected, predicted, average="macro")),
    }


def label_scores(
    expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> dict[str, float]:
    """Scores of sets of labels.

    F1 over all labels of all sets together (micro) and averaged over the labels (macro), the share of sets
    that are right as a whole, and the share of labels that are missed or too many (Hamming loss).

    Args:
        expected: the sets there are.
        predicted: those that were predicted.
        labels: all that might have been.

    Example:
        >>> label_scores([["a", "b"], []], [["a"], []], ["a", "b"])
        {'micro F1': 0.6666666666666666, 'macro F1': 0.5, 'subset accuracy': 0.5, 'Hamming loss': 0.25}
    """
    names = sorted({label for row in (*expected, *predicted) for label in row})
    wanted, got = (
        np.array([[name in row for name in names] for row in rows], dtype=bool).reshape(len(rows), len(names))
        for rows in (expected, predicted)
    )
    both, either = 2.0 * (wanted & got).sum(axis=0), wanted.sum(axis=0) + got.sum(axis=0)
    wrong = wanted != got
    return {
        "micro F1": float(both.sum() / either.sum()) if names else 1.0,
        "macro F1": float((both / either).mean()) if names else 1.0,
        "subset accuracy": float((~wrong.any(axis=1)).mean()),
        "Hamming loss": float(wrong.sum() / (len(expected) * len({*labels, *names}))),
    }


def number_scores(expected: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Root mean squared error, mean absolute error, and the share of the variance explained (R2).

    R2 compares with always predicting the mean of ``expected``; where that has no error, R2 is 1 for a
    perfect prediction and 0 for any other.

    Example:
        >>> number_scores(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
        {'RMSE': 0.7071067811865476, 'MAE': 0.5, 'R2': 0.5}
    """
    wanted, made = np.asarray(expected, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    # Divided by a power of two, which is exact, so that no square of any float is too large or too small.
    unit = float(power_of_two(np.abs(np.append(wanted, made)).max(initial=0.0)))
    wanted, made = wanted / unit, made / unit
    error = made - wanted
    squared = float(np.square(error).sum())
    variation = float(np.square(wanted - wanted.mean()).sum())
    explained = 1 - squared / variation if variation else float(squared == 0)
    root, absolute = float(np.sqrt(squared / len(error))), float(np.abs(error).mean())
    return {"RMSE": root * unit, "MAE": absolute * unit, "R2": explained}


def tag_scores(
    expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], spans: bool
) -> dict[str, float]:
    """Accuracy over all steps and, for tags that mark spans, their precision, recall and F1.

    Example:
        >>> tag_scores([["NOUN", "VERB"]], [["NOUN", "NOUN"]], spans=False)
        {'accuracy': 0.5}
    """
    pairs = [pair for row in zip(expected, predicted, strict=True) for pair in zip(*row, strict=True)]
    scores = {"accuracy": sum(wanted == got for wanted, got in pairs) / len(pairs)}
    if spans:
        found = span_scores(expected, predicted)
        scores |= {"span F1": found.f1, "span precision": found.precision, "span recall": found.recall}
    return scores
