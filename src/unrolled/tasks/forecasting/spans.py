"""Series, and the part of each that is to be forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrolled.data.example import Series
from unrolled.data.windows import check_length


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

        Raises:
            DataError: a series is too short to be cut.
        """
        for one in self.series:
            check_length(one, 2 + horizon)
        cuts = tuple(len(one) - max(horizon, round(len(one) * share)) for one in self.series)
        before = tuple(one.slice(0, cut) for one, cut in zip(self.series, cuts, strict=True))
        return Span(before, self.starts), Span(self.series, cuts)

    def origins(self, context: int, horizon: int, most: int | None = None) -> list[np.ndarray]:
        """For each series the steps to forecast from: those whose whole horizon counts and is there.

        Args:
            context: the steps to look back where no first step is set.
            horizon: the steps to forecast.
            most: of more origins than these in all, those at even distances up to the last one.

        Raises:
            DataError: a series is too short for a single one.
        """
        found = []
        for one, start in zip(self.series, self.starts, strict=True):
            first = context if start is None else max(start, 1)
            check_length(one, first + horizon)
            found.append(np.arange(first - 1, len(one) - horizon))
        apart = 1 if most is None else -(-sum(map(len, found)) // most)
        return [steps[::-apart][::-1] for steps in found]
