"""What usually follows a context, mixed with a model's own answers as an n-gram would be.

It is learned on one third of the places, given its share in the mixture on another, and looked at on the
last, in turns.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from unrolled.inspection.probing.arrays import Floats, Ints

FEWEST = 180
"""Places that a probe needs."""
_FOLDS = 3
_SHARES = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95)
"""The shares that the probe may have in a mixture with the model."""
_BELIEVED = 2.0
"""Nats that a share has to gain; of contexts seen a few times something always looks good."""


class Places(NamedTuple):
    """Every step that has a target: its row and step, the target, what the model gave it, and its fold."""

    rows: Ints
    steps: Ints
    targets: Ints
    given: Floats
    fold: Ints
    classes: int
    usual: Floats

    @classmethod
    def of(cls, rows: Ints, steps: Ints, targets: Ints, told: Floats) -> Self:
        """With all that follows from them.

        Args:
            rows: of each place.
            steps: of each place.
            targets: the class that each is told.
            told: the logarithm of the chance that the model gave it.
        """
        classes = int(targets.max()) + 1
        counts = np.bincount(targets, minlength=classes).astype(np.float64)
        usual = (counts + 0.1) / (len(targets) + 0.1 * classes)
        given = np.maximum(np.exp(told), 1e-12)
        return cls(rows, steps, targets, given, _folds(rows, steps), classes, usual)


def saved(places: Places, context: Ints) -> Floats:
    """By how much the loss of each place falls in a mixture with what usually follows its context."""
    targets, given, fold = places.targets, places.given, places.fold
    contexts = int(context.max()) + 1
    gained = np.zeros(len(targets))
    for turn in range(_FOLDS):
        learn, choose, score = fold == (turn + 1) % _FOLDS, fold == (turn + 2) % _FOLDS, fold == turn
        if not (learn.any() and choose.any() and score.any()):
            continue
        follows = _Follows(context[learn], targets[learn], places)
        share = _shares(context[choose], follows(context[choose], targets[choose]) / given[choose], contexts)
        own = share[context[score]]
        gained[score] = np.log((1 - own) + own * follows(context[score], targets[score]) / given[score])
    return gained


class _Follows:
    """How often each class follows each context, smoothed towards how often it comes at all."""

    def __init__(self, context: Ints, targets: Ints, places: Places) -> None:
        self._classes, self._usual = places.classes, places.usual
        self._pairs, self._counts = np.unique(context * self._classes + targets, return_counts=True)
        self._contexts, self._totals = np.unique(context, return_counts=True)

    def __call__(self, context: Ints, targets: Ints) -> Floats:
        seen = _looked_up(self._pairs, self._counts, context * self._classes + targets)
        total = _looked_up(self._contexts, self._totals, context)
        return (seen + 2.0 * self._usual[targets]) / (total + 2.0)


def _looked_up(keys: Ints, values: Ints, wanted: Ints) -> Floats:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0).astype(np.float64)


def _shares(context: Ints, ratio: Floats, contexts: int) -> Floats:
    """For each context the share of the probe in the mixture that tells most; 0 where that is not sure.

    Args:
        context: of each place.
        ratio: by how many times as likely as the model the probe thinks what came.
        contexts: how many there are.
    """
    total = np.stack(
        [np.bincount(context, np.log((1 - share) + share * ratio), contexts) for share in _SHARES], 1
    )
    total[:, 1:] -= _BELIEVED
    return np.asarray(_SHARES)[total.argmax(1)]


def _folds(rows: Ints, steps: Ints) -> Ints:
    """A number of folds by row; of few rows by stretches of each."""
    if int(rows.max()) + 1 >= 10 * _FOLDS:
        return rows % _FOLDS
    stretch = max(1, (int(steps.max()) + 1) // 12)
    return (rows + steps // stretch) % _FOLDS
