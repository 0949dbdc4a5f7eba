"""Intervals that hold as much as they claim: conformal prediction on data that training has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

_FEWEST = 20
"""Forecasts so many steps ahead by which those are judged by themselves; of fewer, all steps are together."""


def calibration(quantiles: Numbers, actual: Numbers, levels: Sequence[float]) -> tuple[Numbers, Numbers]:
    """How quantiles are changed so that as many of the numbers lie between them as their levels say.

    Of each forecast it is asked by which factor the interval between its outermost quantiles would have had
    to be as wide as to hold what came; the factor is the one that was enough for the share asked for (split
    conformal prediction with normalised scores, Lei et al. 2018; of quantiles, Romano, Patterson and Candes
    2019). A single quantile is raised instead.

    Args:
        quantiles: ``(forecast, horizon, quantile)``, none of them calibrated.
        actual: ``(forecast, horizon)`` what came, NaN where unknown.
        levels: of the quantiles, rising.

    Returns:
        The factors and what is added, each ``(horizon,)``.

    Example:
        >>> quantiles = np.tile([-1.0, 1.0], (99, 1, 1))
        >>> widening, raising = calibration(quantiles, np.linspace(-5, 5, 99)[:, None], (0.1, 0.9))
        >>> widening.round(2), raising
        (array([4.08]), array([0.]))
    """
    horizon = quantiles.shape[1]
    if len(levels) == 1:
        found = _by_step(actual - quantiles[..., 0], levels[0])
        return np.ones(horizon), np.zeros(horizon) if found is None else found
    middle = (quantiles[..., 0] + quantiles[..., -1]) / 2
    half = (quantiles[..., -1] - quantiles[..., 0]) / 2
    scores = np.abs(actual - middle) / np.maximum(half, np.finfo(np.float64).tiny)
    found = _by_step(scores, levels[-1] - levels[0])
    # Never to nothing: what was foreseen to the digit may not be the next time.
    return np.ones(horizon) if found is None else np.maximum(found, 1e-3), np.zeros(horizon)


def _by_step(scores: Numbers, share: float) -> Numbers | None:
    """For each step ahead the score that a share of them do not exceed; None where there are too few."""
    known = ~np.isnan(scores)
    if known.sum() < _FEWEST:
        return None
    if known.sum(0).min() < _FEWEST:
        return np.full(scores.shape[1], _conformal(scores[known], share))
    return np.array([_conformal(each[here], share) for each, here in zip(scores.T, known.T, strict=True)])


def _conformal(scores: Numbers, share: float) -> float:
    """The smallest score so that a further one exceeds it with the probability of one less the share."""
    place = min(len(scores), ceil((len(scores) + 1) * share))
    return float(np.sort(scores)[place - 1])
