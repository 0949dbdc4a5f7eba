"""Series, and the part of each that is to be forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from unrolled.data.example import Series
from unrolled.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Series with, for each, the first step that counts; the steps before it are only looked back at.

    Attributes:
        series: the series.
        starts: one step for each of them; None where all count that have a full context before them.
        last: how many steps of each series are forecast from, the last ones, a horizon apart; None: all.

    Example:
        >>> week = Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0)))
        >>> before, last = Span((week,), (None,)).split(share=0.4, horizon=1)
        >>> before.series[0].values.tolist(), last.origins(context=2, horizon=1)[0].tolist()
        ([0.0, 1.0, 2.0, 3.0], [3, 4, 5])
    """

    series: tuple[Series, ...]
    starts: tuple[int | None, ...]
    last: int | None = None

    def require_steps(self, shares: Sequence[float], horizon: int) -> None:
        """Look for a series that can be split by each of the shares in turn, before any is.

        Raises:
            DataError: all are too short; says how long one must be.
        """
        longest = max(map(len, self.series))
        if _left(longest, shares, horizon) <= horizon:
            needed = next(steps for steps in count(longest + 1) if _left(steps, shares, horizon) > horizon)
            parts = "to learn from, to choose the best by and to score"
            if len(shares) == 1:
                parts = "to learn from and to choose the best by"
            raise self._too_short(needed, parts)

    def split(self, share: float, horizon: int) -> tuple[Span, Span]:
        """The steps before the last share of each series, and that share, with a past to look back at.

        A series that would keep no more than a horizon stays whole, and has no part in the share; not all may
        (see `require_steps`).
        """
        cuts = [_cut(len(one), share, horizon) for one in self.series]
        lengths = map(len, self.series)
        return self._split(
            [cut if cut > horizon else whole for cut, whole in zip(cuts, lengths, strict=True)]
        )

    def split_horizons(self, count: int, horizon: int) -> tuple[Span, Span]:
        """As `split`, with the last so many horizons of each series, forecast from the step before each.

        A series without room for all of them has a part of as many as it has room for.

        Raises:
            DataError: no series has as many.
        """
        room = [min(count, (len(one) - 1) // horizon - 1) for one in self.series]
        if max(room) < count:
            raise self._too_short((count + 1) * horizon + 1, f"to learn from and to score {count} forecasts")
        before, last = self._split(
            [len(one) - horizon * max(0, own) for one, own in zip(self.series, room, strict=True)]
        )
        return before, replace(last, last=count)

    def _split(self, cuts: Sequence[int]) -> tuple[Span, Span]:
        """The steps before each cut, and those after it; a series that is cut at its end stays whole."""
        before = tuple(one.slice(0, cut) for one, cut in zip(self.series, cuts, strict=True))
        last = [(one, cut) for one, cut in zip(self.series, cuts, strict=True) if cut < len(one)]
        series, starts = zip(*last, strict=True)
        return Span(before, self.starts), Span(series, starts)

    def rolling(self, share: float, horizon: int, place: int) -> tuple[Span, Span]:
        """The steps before one of the last parts of each series, and that part, with a past to look back at.

        Args:
            share: of the steps that a part takes, a horizon at least.
            horizon: the steps to forecast.
            place: which part, the last one being 1.

        Raises:
            DataError: all series are too short for it.

        Example:
            >>> week = Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0)))
            >>> before, part = Span((week,), (None,)).rolling(share=0.3, horizon=1, place=2)
            >>> len(before.series[0]), len(part.series[0]), part.starts
            (3, 5, (3,))
        """
        kept, held_out = [], []
        for one in self.series:
            steps = max(horizon, round(len(one) * share))
            begin, end = len(one) - place * steps, len(one) - (place - 1) * steps
            if begin > horizon:
                kept.append(one.slice(0, begin))
                held_out.append((one.slice(0, end), begin))
        if not kept:
            raise self._too_short(horizon * (place + 1) + 1, f"to score {place} parts of it")
        series, starts = zip(*held_out, strict=True)
        return Span(tuple(kept), (None,) * len(kept)), Span(series, starts)

    def scored(self, context: int, horizon: int) -> Span:
        """Those series that have a step to forecast from.

        Raises:
            DataError: there is none.
        """
        pairs = [
            (one, start)
            for one, start in zip(self.series, self.starts, strict=True)
            if len(_origins(one, start, context, horizon))
        ]
        if not pairs:
            raise self._too_short(horizon + 1, "for a forecast and what came")
        series, starts = zip(*pairs, strict=True)
        return replace(self, series=series, starts=starts)

    def backtested(self, last: int, context: int, horizon: int) -> Span:
        """The same, to be forecast from the last so many steps, a horizon apart.

        Raises:
            DataError: no series has so many to forecast from.

        Example:
            >>> week = Span((Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0))),), (None,))
            >>> week.backtested(2, context=2, horizon=2).origins(context=2, horizon=2)[0].tolist()
            [2, 4]
        """
        span = replace(self, last=last)
        found = max(map(len, span.scored(context, horizon).origins(context, horizon)))
        if found < last:
            raise self.series[0].source.error(
                f"expected {last} steps to forecast from, {horizon} apart, each with {horizon} steps after "
                f"it to compare with, got {found} in the longest series",
                remedy="ask for fewer --origins, or give longer series",
            )
        return span

    def origins(self, context: int, horizon: int, most: int | None = None) -> list[np.ndarray]:
        """For each series the steps to forecast from: those whose whole horizon counts and is there.

        Where the ``last`` are asked for, a series too short for all of them has those that it has room for.

        Args:
            context: the steps to look back where no first step is set, or what a shorter series has.
            horizon: the steps to forecast.
            most: of more origins than these in all, those at even distances up to the last one.
        """
        found = [
            _origins(one, start, context, horizon)
            for one, start in zip(self.series, self.starts, strict=True)
        ]
        if self.last is not None:
            found = [steps[::-horizon][: self.last][::-1] for steps in found]
        apart = 1 if most is None else max(1, -(-sum(map(len, found)) // most))
        return [steps[::-apart][::-1] for steps in found]

    def _too_short(self, steps: int, purpose: str) -> DataError:
        longest = max(self.series, key=len)
        if not any(np.isfinite(one.values).any() for one in self.series):
            return longest.source.error("expected numbers to forecast, got none")
        return longest.source.error(
            f"expected a series of at least {steps} steps, {purpose}, got {len(longest)} in the longest, "
            f"{longest.unique_id!r}",
            remedy="give longer series, or a shorter horizon",
        )


def _cut(steps: int, share: float, horizon: int) -> int:
    """The steps before the last share of so many, or before the last horizon where that is longer."""
    return steps - max(horizon, round(steps * share))


def _left(steps: int, shares: Sequence[float], horizon: int) -> int:
    """The steps before all of the shares, each of what the one before has left."""
    for share in shares:
        steps = _cut(steps, share, horizon)
    return steps


def _origins(series: Series, start: int | None, context: int, horizon: int) -> np.ndarray:
    first = min(context, len(series) - horizon) if start is None else start
    known = np.flatnonzero(~np.isnan(series.values))
    # Before the first number there is nothing to forecast from.
    first = max(first, 1, int(known[0]) + 1 if len(known) else len(series))
    return np.arange(first - 1, len(series) - horizon)
