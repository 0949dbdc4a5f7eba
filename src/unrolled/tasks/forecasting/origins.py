"""Forecasts from steps of the past, beside what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import time_texts
from unrolled.data.example import Series
from unrolled.models.base import SequenceModel
from unrolled.tasks.details import errors_ahead
from unrolled.tasks.evaluation import Scored
from unrolled.tasks.forecasting.drawn import drawn_example
from unrolled.tasks.forecasting.preparation import Preparation
from unrolled.tasks.forecasting.rolling import rolling_forecasts
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores

_DRAWN = 3
"""Series whose forecasts a report draws."""


@dataclass(frozen=True, eq=False)
class RollingOrigins:
    """Series, and the steps of each that are forecast from.

    A series that training has not seen is scaled by what is known of it before its first forecast.

    Attributes:
        series: the series, with what came after.
        steps: of each those to forecast from.
        preparation: what was learned of the training series.
        context: the steps that are read, up to one of these.
        horizon: the steps to forecast.
    """

    series: tuple[Series, ...]
    steps: Sequence[NDArray[np.int64]]
    preparation: Preparation
    context: int
    horizon: int

    @cached_property
    def read(self) -> list[NDArray[np.float32]]:
        """What the network reads of each series, ``(time, feature)``."""
        return [
            self.preparation.read(one, int(at[0]) + 1)
            for one, at in zip(self.series, self.steps, strict=True)
        ]

    def actual(self) -> list[NDArray[np.float64]]:
        """What came after each step, ``(origin, horizon)``, NaN where unknown."""
        ahead = np.arange(1, self.horizon + 1)
        return [one.values[at[:, None] + ahead] for one, at in zip(self.series, self.steps, strict=True)]

    def scaled(self, model: SequenceModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The forecasts of all series, ``(origin, horizon, 1 + quantiles)``, beside what came, as scaled."""
        found = rolling_forecasts(model, self.read, self.steps, self.context)
        came = [
            self.preparation.scaling(one, int(at[0]) + 1).apply(numbers)
            for one, at, numbers in zip(self.series, self.steps, self.actual(), strict=True)
        ]
        return np.concatenate(found), np.concatenate(came)

    def forecasts(self, model: SequenceModel, *, beyond: bool = False) -> list[NDArray[np.float64]]:
        """The forecasts of each series, ``(origin, horizon, 1 + quantiles)``, on its own scale.

        Args:
            model: the network.
            beyond: after them, also what follows the last step of all.
        """
        steps = self.steps
        if beyond:
            steps = [np.append(at, len(one) - 1) for one, at in zip(self.series, steps, strict=True)]
        found = rolling_forecasts(model, self.read, steps, self.context)
        return [
            self.preparation.scaling(one, int(at[0]) + 1).undo(each)
            for one, at, each in zip(self.series, self.steps, found, strict=True)
        ]

    def beside(self, found: Sequence[NDArray[np.float64]]) -> list[Forecasts]:
        """Forecasts ``(origin, horizon, 1 + quantiles)`` of each series, beside what came."""
        return [
            Forecasts(
                actual,
                each[..., 0],
                each[..., 1:],
                self.preparation.seasonal_error(one, int(at[0]) + 1),
                one.target,
            )
            for one, at, actual, each in zip(self.series, self.steps, self.actual(), found, strict=True)
        ]

    def scored(
        self, model: SequenceModel, levels: Sequence[float], by_origin: str, last: int | None
    ) -> Scored:
        """How good a network's forecasts are, and what a report shows of them.

        Args:
            model: the network.
            levels: its quantiles' levels.
            by_origin: the score that is also given of each of the last steps by itself.
            last: how many these are; None leaves it out.
        """
        made = self.forecasts(model, beyond=True)
        found = self.beside([each[:-1] for each in made])
        drawn = list(zip(self.series, self.steps, made, strict=True))[:_DRAWN]
        before = [one.values[at] for one, at in zip(self.series, self.steps, strict=True)]
        return Scored(
            forecast_scores(found, levels),
            sum(int((~np.isnan(each.actual)).sum()) for each in found),
            "forecasts",
            tuple(drawn_example(one, at, each[:-1], levels, each[-1]) for one, at, each in drawn),
            groups={}
            if last is None
            else {f"{by_origin} by origin": self._by_origin(found, by_origin, last)},
            details={"ahead": errors_ahead(found, before)},
        )

    def _by_origin(self, found: Sequence[Forecasts], score: str, last: int) -> dict[str, float]:
        """The score of the forecasts from each step, by its time; or by its place, where series differ."""
        scores = {}
        for place in range(last, 0, -1):
            chosen = [
                (one, int(at[-place]), each)
                for one, at, each in zip(self.series, self.steps, found, strict=True)
                if len(at) >= place
            ]
            times = {time_texts(one, one.times[[at]])[0] for one, at, _ in chosen}
            label = times.pop() if len(times) == 1 else f"{place} from the end"
            parts = [each.only(-place) for _, _, each in chosen]
            if any((~np.isnan(part.actual)).any() for part in parts):
                scores[str(label)] = forecast_scores(parts)[score]
        return scores
