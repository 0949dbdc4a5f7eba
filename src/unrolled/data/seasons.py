"""After how many steps series repeat, found in the series themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_CLEAR = 0.3
"""Autocorrelation from which a season counts; that of noise is far below it."""
_RISE = 0.2
"""By how much it rises to a season from what lies around it; noise ripples the slope of smooth series."""
_STANDS_OUT = 0.05
"""By how much the autocorrelation after a cycle exceeds the lowest one at a season inside it."""
_NEAR_BEST = 0.8
"""A season is the first lag whose autocorrelation is this share of the best one's: the others repeat it."""
_LONGEST = 400
_SEASONS = 10
_ENOUGH = 200
_PIECE = 50_000


def find_season(series: Sequence[np.ndarray]) -> int:
    """The steps after which series repeat, by the autocorrelation of their changes; 1 where they do not.

    Args:
        series: arrays `(time,)`, NaN where missing; the median over them counts.

    Example:
        >>> find_season([np.sin(np.arange(100) * 2 * np.pi / 12)])
        12
        >>> find_season([np.random.default_rng(0).normal(size=100)])
        1
    """
    from scipy.signal import find_peaks  # a while to import, which reading dated series can spare

    correlation = _autocorrelation(series)
    peaks, _ = find_peaks(correlation, height=_CLEAR, prominence=_RISE)
    if not len(peaks):
        return 1
    return int(peaks[correlation[peaks] >= _NEAR_BEST * correlation[peaks].max()][0])


def find_cycle(series: Sequence[np.ndarray], season: int) -> int:
    """The number of steps, of several seasons, after which series repeat more closely: a week of days.

    Args:
        series: as for `find_season`.
        season: the shorter season; 1 for none.

    Returns:
        The steps, or `season` where nothing longer stands out.

    Example:
        >>> hours = np.arange(24 * 28)
        >>> week = np.sin(hours * 2 * np.pi / 24) * (1 + (hours // 24 % 7 < 5))
        >>> find_cycle([week], season=24)
        168
    """
    correlation = _autocorrelation(series)[::season] if season > 1 else np.zeros(0)
    after = correlation[: _SEASONS + 2]
    inner = np.arange(2, len(after) - 1)
    fits = [
        k
        for k in inner
        if after[k] > max(after[k - 1], after[k + 1], _CLEAR) and after[k] > after[1:k].min() + _STANDS_OUT
    ]
    return season * int(max(fits, key=lambda k: after[k])) if fits else season


def usual_length(lengths: Sequence[int]) -> int:
    """The length of the series that hold the middle one of all steps: many short series have few of them.

    Example:
        >>> usual_length([500, 3, 3, 3]), usual_length([100, 80, 120])
        (500, 100)
    """
    rising = np.sort(lengths)
    steps = rising.cumsum()
    return int(rising[np.searchsorted(steps, steps[-1] / 2)])


def _autocorrelation(series: Sequence[np.ndarray]) -> np.ndarray:
    """Of the changes, after 0, 1, 2, ... steps: the median over the series that are twice as long."""
    chosen = sorted(series, key=len)[:: -(-len(series) // _ENOUGH)]
    longest = min(_LONGEST, usual_length([len(values) for values in chosen]) // 2)
    found = np.full((len(chosen), longest + 1), np.nan)
    for row, values in zip(found, chosen, strict=True):
        lags = min(longest, len(values) // 2, len(values) - 2)  # of two numbers there is one change
        if len(values) > 1:
            row[: lags + 1] = _one(values, lags)
    return np.nanmedian(found, axis=0) if np.isfinite(found[:, -1]).any() else np.zeros(longest + 1)


def _one(values: np.ndarray, longest: int) -> np.ndarray:
    changes = np.diff(values)
    known = ~np.isnan(changes)
    changes = np.where(known, changes - changes[known].mean() if known.any() else 0.0, 0.0)
    products = np.zeros(longest + 1)
    # A piece at a time beside what comes up to the longest lag after it: of all at once the spectrum would
    # take several times the memory of the series.
    for first in range(0, len(changes), _PIECE):
        piece, after = changes[first : first + _PIECE], changes[first : first + _PIECE + longest]
        size = len(piece) + longest  # nothing comes round from its end
        spectrum = np.fft.rfft(piece, size).conj() * np.fft.rfft(after, size)
        products += np.fft.irfft(spectrum, size)[: longest + 1]
    # Per pair: a long lag has fewer of them.
    products = products / np.arange(len(changes), len(changes) - len(products), -1)
    return products / products[0] if len(products) and products[0] > 0 else np.zeros(longest + 1)
