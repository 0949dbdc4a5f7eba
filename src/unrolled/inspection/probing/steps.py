"""The probe where each step is told a class: what usually follows two symbols that stood some steps back."""

from __future__ import annotations

import numpy as np

from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.arrays import Floats, Ints, chance_of, real_steps, symbols_of, told_by
from unrolled.inspection.probing.mixture import FEWEST, Places, saved

_PAIRED = 64
"""With so many kinds of symbols two neighbours are looked at as one."""
_FARTHEST = 300
"""Lags looked at one by one; of a longer sequence those beyond go unseen."""
_PLACES = 40_000
"""Steps with a target that are looked at, at most."""


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
    if len(rows) < FEWEST:
        return None
    targets = batch.targets.cpu().numpy()[rows, steps].astype(np.int64)
    told = told_by(measured, batch)[rows, steps]
    places = Places.of(rows, steps, targets, told)
    # What it is worth to know how often each class comes at all is no matter of the past.
    usually = saved(places, np.zeros_like(targets))
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


def _gain(places: Places, symbols: Ints, lag: int, usually: Floats) -> tuple[float, float] | None:
    """By how much the mean loss falls with what stood so far back, with its standard error."""
    far = places.steps >= lag
    if far.sum() < FEWEST:
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
    gains = saved(places, everywhere) - usually
    return float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
