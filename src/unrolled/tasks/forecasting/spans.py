"""Series, and the part of each that is to be forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrolled.data.example import Series
from unrolled.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Series with, for each, the first step that counts; the steps before it are only looked back at.

    Attributes:
        series: the series.
        starts: one step for each of them; None where all count that have a full context before them.

    Example:
        >>> week = Series("a", np.arange(7), np.arange(7.0), np.zeros((7, 0)))
        >>> before, last = Span((week,), (None,)).split(share=0.4, horizon=1)
        >>> before.series[0].values.tolist(), last.origins(context=2, horizon=1)[0].tolist()
        ([0.0, 1.0, 2.0, 3.0], [3, 4, 5])
    """

    series: tuple[Series, ...]
    starts: tuple[int | None, ...]

    def split(self, share: float, horizon: int) -> tuple[Span, Span]:
        """The steps before the last share of each series, and that share, with a past to look back at.

        A series that would keep no more than a horizon stays whole, and has no part in the share.

        Raises:
            DataError: all series are too short to be cut.
        """
        cuts = [len(one) - max(horizon, round(len(one) * share)) for one in self.series]
        cuts = [cut if cut > horizon else None for cut in cuts]
        before = tuple(
            one if cut is None else one.slice(0, cut) for one, cut in zip(self.series, cuts, strict=True)
        )
        last = [(one, cut) for one, cut in zip(self.series, cuts, strict=True) if cut is not None]
        if not last:
            raise self._too_short(2 * horizon + 1, "for training and held-out steps to forecast")
        series, starts = zip(*last, strict=True)
        return Span(before, self.starts), Span(series, starts)

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
        return Span(series, starts)

    def origins(self, context: int, horizon: int, most: int | None = None) -> list[np.ndarray]:
        """For each series the steps to forecast from: those whose whole horizon counts and is there.

        Args:
            context: the steps to look back where no first step is set, or what a shorter series has.
            horizon: the steps to forecast.
            most: of more origins than these in all, those at even distances up to the last one.
        """
        found = [
            _origins(one, start, context, horizon)
            for one, start in zip(self.series, self.starts, strict=True)
        ]
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


def _origins(series: Series, start: int | None, context: int, horizon: int) -> np.ndarray:
    first = min(context, len(series) - horizon) if start is None else start
    known = np.flatnonzero(~np.isnan(series.values))
    # Before the first number there is nothing to forecast from.
    first = max(first, 1, int(known[0]) + 1 if len(known) else len(series))
    return np.arange(first - 1, len(series) - horizon)
