"""The probe where each step is told a class: what usually follows the two symbols that stood some steps back.

It is mixed with the model's own answers, as an n-gram with a gap would be: learned on one third of the
sequences, given its share in the mixture on another, and looked at on the last, in turns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.arrays import Floats, Ints, answers_of, chance_of, real_steps, symbols_of

_PAIRED = 64
"""With so many kinds of symbols two neighbours are looked at as one."""
_FARTHEST = 300
"""Lags looked at one by one; of a longer sequence those beyond go unseen."""
_PLACES = 40_000
"""Steps with a target that are looked at, at most."""
_FEWEST = 180
"""Those that a probe needs."""
_FOLDS = 3
_SHARES = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95)
"""The shares that the probe may have in a mixture with the model."""
_BELIEVED = 2.0
"""Nats that a share has to gain; of contexts seen a few times something always looks good."""


class _Places(NamedTuple):
    """Every step that has a target: its row and step, the target, what the model gave it, and its fold."""

    rows: Ints
    steps: Ints
    targets: Ints
    given: Floats
    fold: Ints
    classes: int
    usual: Floats


def probe_steps(measured: Measured) -> Need | None:
    """What a model misses at each lag; None where there is too little data."""
    batch = measured.many()
    symbols = symbols_of(batch)
    if symbols is None:
        return None
    rows, steps = np.nonzero(real_steps(batch))
    # Whole rows, so that every lag can be looked back over.
    kept = rows < max(1, round(batch.size * min(1.0, _PLACES / max(1, len(rows)))))
    rows, steps = rows[kept], steps[kept]
    if len(rows) < _FEWEST:
        return None
    targets = batch.targets.cpu().numpy()[rows, steps].astype(np.int64)
    told = answers_of(measured, batch).log_softmax(-1).numpy()[rows, steps, targets]
    classes = int(targets.max()) + 1
    counts = np.bincount(targets, minlength=classes).astype(np.float64)
    usual = (counts + 0.1) / (len(targets) + 0.1 * classes)
    fold = _folds(rows, steps)
    places = _Places(rows, steps, targets, np.maximum(np.exp(told), 1e-12), fold, classes, usual)
    # What it is worth to know how often each class comes at all is no matter of the past.
    usually = _saved(places, np.zeros_like(targets))
    found = {
        lag: gain
        for lag in range(1, min(_FARTHEST, int(steps.max())) + 1)
        if (gain := _gain(places, symbols, lag, usually)) is not None
    }
    if not found:
        return None
    return Need(
        "an n-gram with a gap",
        tuple(found),
        tuple(gain for gain, _ in found.values()),
        loss=float(-told.mean() - usually.mean()),
        error=float(np.median([error for _, error in found.values()])),
        chance=chance_of(targets),
    )


def _gain(places: _Places, symbols: Ints, lag: int, usually: Floats) -> tuple[float, float] | None:
    """By how much the mean loss falls with what stood so far back, with its standard error."""
    far = places.steps >= lag
    if far.sum() < _FEWEST:
        return None
    rows, steps = places.rows[far], places.steps[far]
    context = symbols[rows, steps - lag]
    kinds = int(symbols.max()) + 1
    if kinds <= _PAIRED:
        before = np.where(steps > lag, symbols[rows, np.maximum(steps - lag - 1, 0)], 0)
        context = context * kinds + before
    # Over all places, those that have nothing so far back included.
    everywhere = np.full(len(far), int(context.max()) + 1)
    everywhere[far] = context
    saved = _saved(places, everywhere) - usually
    return float(saved.mean()), float(saved.std() / np.sqrt(len(saved)))


def _saved(places: _Places, context: Ints) -> Floats:
    """By how much the loss of each place falls in a mixture with what usually follows its context."""
    targets, given, fold = places.targets, places.given, places.fold
    contexts = int(context.max()) + 1
    saved = np.zeros(len(targets))
    for turn in range(_FOLDS):
        learn, choose, score = fold == (turn + 1) % _FOLDS, fold == (turn + 2) % _FOLDS, fold == turn
        if not (learn.any() and choose.any() and score.any()):
            continue
        follows = _Follows(context[learn], targets[learn], places)
        share = _shares(context[choose], follows(context[choose], targets[choose]) / given[choose], contexts)
        own = share[context[score]]
        saved[score] = np.log((1 - own) + own * follows(context[score], targets[score]) / given[score])
    return saved


class _Follows:
    """How often each class follows each context, smoothed towards how often it comes at all."""

    def __init__(self, context: Ints, targets: Ints, places: _Places) -> None:
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
