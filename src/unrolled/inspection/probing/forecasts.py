"""The probe of a forecaster: what the numbers so many steps back tell of its errors.

Beyond what its direct connection sees, a linear model of each single lag is given the forecasts themselves
and what stood there; it is learned on two thirds of the places, and looked at on the last, in turns.
"""

from __future__ import annotations

import numpy as np

from unrolled.diagnosis import Need
from unrolled.inspection.measuring import Measured
from unrolled.inspection.probing.arrays import Floats, Ints, answers_of, real_steps
from unrolled.models.forecaster import ForecastNetwork

_FEWEST = 120
"""Places that a probe needs."""
_PLACES = 10_000
"""Places that are looked at, at most, in the last third of each window."""
_FARTHEST = 400
_AHEAD, _CHANNELS = 6, 8
"""Steps ahead, and channels of numbers, that are looked at."""
_BLOCKS, _FOLDS = 9, 3
"""Windows overlap: neighbours are learned from, or looked at, together."""
_RIDGE = 1e-3


def probe_forecasts(measured: Measured, network: ForecastNetwork) -> Need | None:
    """What a forecaster misses at each lag; None where there is too little data.

    Args:
        measured: the model with its data.
        network: the model itself.
    """
    batch = measured.many()
    values = batch.inputs["values"].cpu().double().numpy()[..., :_CHANNELS]
    ahead = np.arange(0, network.horizon, -(-network.horizon // _AHEAD))
    rows, steps = np.nonzero(real_steps(batch))
    lengths = batch.lengths.cpu().numpy()
    late = steps >= 2 * lengths[rows] // 3
    rows, steps = rows[late], steps[late]
    targets = batch.targets.cpu().double().numpy()[rows, steps][:, ahead]
    known = ~np.isnan(targets).any(1)
    kept = np.flatnonzero(known)
    kept = kept[:: max(1, -(-len(kept) // _PLACES))]
    rows, steps, targets = rows[kept], steps[kept], targets[kept]
    if len(rows) < _FEWEST:
        return None
    told = answers_of(measured, batch)[..., 0].numpy()[rows, steps][:, ahead]
    spread = network.spread.cpu().double().numpy()[ahead]
    now = values[rows, steps, :1]
    fitted = _Fitted(
        np.concatenate([np.ones_like(now), (told - now) / spread], 1),
        (targets - told) / spread,
        (rows * _BLOCKS // (int(rows.max()) + 1)) % _FOLDS,
    )
    alone = fitted.errors(None)
    found: dict[int, tuple[float, float]] = {}
    for lag in range(max(1, network.lags), min(_FARTHEST, int(steps.max())) + 1):
        far = steps > lag
        if far.sum() < _FEWEST:
            break
        there, before = (values[rows, np.maximum(steps - back, 0)] for back in (lag, lag + 1))
        there = np.concatenate([there[:, :1] - now, there[:, :1] - before[:, :1], there[:, 1:]], 1)
        saved = alone - fitted.errors(np.where(far[:, None], there, 0.0))
        found[lag] = float(saved.mean()), float(saved.std() / np.sqrt(len(saved)))
    if not found:
        return None
    return Need(
        "a linear model of the numbers at each lag",
        tuple(found),
        tuple(gain for gain, _ in found.values()),
        loss=float(alone.mean()),
        error=float(np.median([error for _, error in found.values()])),
        chance=float(np.square((targets - targets.mean(0)) / spread).mean()),
    )


class _Fitted:
    """Linear models of a forecaster's errors.

    Args:
        given: what every one of them reads, ``(places, ·)``.
        errors: of the forecaster, ``(places, steps ahead)``.
        fold: of each place.
    """

    def __init__(self, given: Floats, errors: Floats, fold: Ints) -> None:
        self._given, self._errors, self._fold = given, errors, fold

    def errors(self, further: Floats | None) -> Floats:
        """The mean squared error of every place that is left by a model of other places."""
        read = self._given if further is None else np.concatenate([self._given, _scaled(further)], 1)
        left = np.zeros(len(read))
        for turn in range(_FOLDS):
            learn, test = self._fold != turn, self._fold == turn
            square = read[learn].T @ read[learn]
            square += _RIDGE * learn.sum() * np.eye(len(square))
            weights = np.linalg.solve(square, read[learn].T @ self._errors[learn])
            left[test] = np.square(self._errors[test] - read[test] @ weights).mean(1)
        return left


def _scaled(values: Floats) -> Floats:
    deviation = values.std(0)
    return (values - values.mean(0)) / np.where(deviation > 0, deviation, 1.0)
