"""How far back a forecaster looks, where its options leave that open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.data.example import Series
from unrolled.data.seasons import find_cycle, usual_length

_USUAL_CONTEXT = 28
_USUAL_ORDER = 7
_SEASONS_AS_ORDER = range(7, 53)
"""Seasons that a linear autoregression can look back over with few weights."""

_SEASONS_TO_LEARN = 4
"""Seasons, of all series together, from which a weight for each step of one can be learnt."""
_TEACHING = 8
"""One step of so many in a window at least has all its lags before it."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The past that a forecast is made from.

    Attributes:
        context: the steps that are read.
        lags: the last numbers that the direct connection sees.
    """

    context: int
    lags: int


def usual_order(season: int) -> int:
    """How many steps a linear autoregression looks back.

    Example:
        >>> usual_order(1), usual_order(24), usual_order(365)
        (7, 24, 7)
    """
    return season if season in _SEASONS_AS_ORDER else _USUAL_ORDER


def usual_season(series: Sequence[Series]) -> int:
    """The season that most of the steps have; of several, the longest."""
    counts = Counter[int]()
    for one in series:
        counts[one.season] += len(one)
    return max(counts, key=lambda season: (counts[season], season))


def usual_memory(
    series: Sequence[Series], horizon: int, order: int, context: int | None, lags: int | None
) -> Memory:
    """What suits the series: a cycle of seasons is worth seeing whole, and one season more beside it.

    Series with half of the steps at least have room for the context, the horizon and windows to learn from;
    shorter ones give shorter windows.

    Args:
        series: those to learn from.
        horizon: the steps that are forecast.
        order: of the linear autoregression.
        context: as asked for, or None.
        lags: as asked for, or None.

    Example:
        >>> import numpy as np
        >>> day = Series("a", np.arange(90), np.zeros(90), np.zeros((90, 0)), season=24)
        >>> usual_memory([day], 1, 24, None, None)
        Memory(context=30, lags=15)
    """
    season = usual_season(series)
    cycle = find_cycle([one.values for one in series], season)
    wanted = lags or (cycle + season if cycle > season else order)
    if context is None:
        length = usual_length([len(one) for one in series])
        # What is left gives windows to learn from; of several series each may give fewer.
        most = min(length // (3 if len(series) == 1 else 2), (length - horizon) // 2)
        context = max(2, min(max(_USUAL_CONTEXT, 2 * season, wanted + season if cycle > season else 0), most))
    # The first steps of a window do not have all their lags, and teach nothing.
    room = context - season if cycle > season else context // 2
    if wanted == season and _seen_whole(season, context, sum(map(len, series))):
        room = season
    return Memory(context, lags or max(1, min(wanted, room)))


def _seen_whole(season: int, context: int, steps: int) -> bool:
    """Whether each step of a season gets a lag: fewer lags do not reach back to a season ago."""
    return steps >= _SEASONS_TO_LEARN * season and context - season >= context // _TEACHING
