"""The probe where a sequence has one answer: a linear model of what stood in ranges of steps before the end.

It is given the model's own answers and, one after the other, what stood 0, 1, 2 to 3, 4 to 7... steps before
the end; two thirds of the sequences are learned from, and the others looked at.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.batches import Batch
from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.arrays import (
    Floats,
    Ints,
    Mask,
    answers_of,
    chance_of,
    real_steps,
    symbols_of,
)

_FEWEST = 60
"""Sequences that a probe needs."""
_SYMBOLS, _CHANNELS, _MULTIPLIED = 32, 12, 4
"""Symbols, and channels of numbers, that are looked at; of so few channels the products as well."""
_RARE = 1e-6


def probe_sequences(measured: Measured, *, classes: bool) -> Need | None:
    """What a model misses at each lag before the end; None where there is too little data.

    Args:
        measured: the model with its data.
        classes: the answers are classes, not numbers.
    """
    batch = measured.many()
    features = _vectors(batch)
    if batch.size < _FEWEST or features is None:
        return None
    learn = np.arange(batch.size) % 3 > 0
    targets: NDArray[Any] = batch.targets.cpu().numpy()
    answers = answers_of(measured, batch)
    if classes:
        fit, given = _classified, answers.log_softmax(-1).numpy()
        chance = chance_of(targets[~learn])
    else:
        fit, given = _regressed, answers.flatten(1).numpy()
        targets = targets.reshape(len(targets), -1)
        chance = float(np.nanvar(targets[~learn], axis=0).mean())
    blocks = list(_blocks(features, batch.lengths.cpu().numpy()))
    alone = fit(given, None, targets, learn)
    saved = [alone - fit(given, block, targets, learn) for _, block in blocks]
    placed = np.concatenate([block for _, block in blocks], 1)
    strewn = np.sum([block for _, block in blocks], axis=0)
    order_gain = fit(given, strewn, targets, learn).mean() - fit(given, placed, targets, learn).mean()
    return Need(
        "a linear model of what stood where",
        tuple(lag for lag, _ in blocks),
        tuple(float(each.mean()) for each in saved),
        loss=float(alone.mean()),
        error=float(np.median([each.std() / np.sqrt(len(each)) for each in saved])),
        order_gain=float(order_gain),
        chance=chance,
    )


def _vectors(batch: Batch) -> Floats | None:
    """What each step reads ``(rows, steps, ·)``: which symbol, or its numbers and their products."""
    real = real_steps(batch)[..., None]
    values = batch.inputs.get("values")
    if values is not None and values.dim() == 3:
        read = values.cpu().numpy().astype(np.float64)[..., :_CHANNELS]
        if read.shape[2] <= _MULTIPLIED:
            first, second = np.triu_indices(read.shape[2])
            read = np.concatenate([read, read[..., first] * read[..., second]], 2)
        return read * real
    symbols = symbols_of(batch)
    if symbols is None:
        return None
    kinds, counts = np.unique(symbols[real[..., 0]], return_counts=True)
    kept = kinds[np.argsort(-counts)][:_SYMBOLS]
    return (symbols[..., None] == kept) * real.astype(np.float64)


def _blocks(features: Floats, lengths: Ints) -> Iterator[tuple[int, Floats]]:
    """What stood in each range of lags, counted from the end, with the farthest lag of the range."""
    sums = np.concatenate([np.zeros_like(features[:, :1]), features.cumsum(1)], 1)
    rows, longest = np.arange(len(lengths)), int(lengths.max())
    start, width = 0, 1
    while start < longest:
        stop = min(start + width, longest)
        last, first = np.maximum(lengths - start, 0), np.maximum(lengths - stop, 0)
        yield stop - 1, sums[rows, last] - sums[rows, first]
        start, width = stop, 2 * width if start else 1


def _classified(given: Floats, block: Floats | None, targets: Ints, learn: Mask) -> Floats:
    """The cross-entropy of each sequence that was not learned from."""
    from sklearn.linear_model import LogisticRegression

    inputs = given if block is None else np.concatenate([given, _scaled(block, learn)], 1)
    known = np.unique(targets[learn])
    if len(known) < 2:
        return np.zeros(int((~learn).sum()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged to the last digit
        model = LogisticRegression(C=0.1, max_iter=200).fit(inputs[learn], targets[learn])
    chances = np.full((int((~learn).sum()), int(targets.max()) + 1), _RARE)
    chances[:, known] = np.maximum(model.predict_proba(inputs[~learn]), _RARE)
    return -np.log(chances[np.arange(len(chances)), targets[~learn]])


def _regressed(given: Floats, block: Floats | None, targets: Floats, learn: Mask) -> Floats:
    """The squared error of each sequence that was not learned from."""
    from sklearn.linear_model import RidgeCV

    known = ~np.isnan(targets).any(1)
    inputs = given if block is None else np.concatenate([given, _scaled(block, learn)], 1)
    model = RidgeCV(alphas=np.logspace(-2, 4, 7)).fit(inputs[learn & known], targets[learn & known])
    test = ~learn & known
    predicted = np.asarray(model.predict(inputs[test])).reshape(int(test.sum()), -1)
    return np.square(predicted - targets[test]).mean(1)


def _scaled(block: Floats, learn: Mask) -> Floats:
    deviation = block[learn].std(0)
    return (block - block[learn].mean(0)) / np.where(deviation > 0, deviation, 1.0)
