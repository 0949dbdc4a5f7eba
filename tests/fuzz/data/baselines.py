"""Forecasting baselines beside plain numpy, and scalings that are undone, in whatever units."""

from dataclasses import dataclass
from random import Random

import numpy as np

from tests.fuzz.case import program_of
from unrolled.data.example import Series
from unrolled.data.scaling import Scaling
from unrolled.tasks.baselines.autoregression import LinearAutoregression
from unrolled.tasks.baselines.forecasting import Persistence, SeasonalNaive
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores


@dataclass(frozen=True)
class BaselineCase:
    """A random walk with a season, gaps and a unit, and what is forecast of it."""

    seed: int
    steps: int
    season: int
    order: int
    horizon: int
    unit: float
    gaps: float
    kind: str

    def difference(self) -> str | None:
        """The baseline, or the scaling, that differs from the plain computation."""
        values = self._values()
        series = Series("a", np.arange(self.steps), values, np.zeros((self.steps, 0)), season=self.season)
        cut = self.steps // 2
        fitted = LinearAutoregression.fit([series.slice(0, cut)], self.order)
        origins = np.arange(cut - 1, self.steps - self.horizon)
        weights = self._regression(values[:cut])
        for baseline, plain in (
            (Persistence(), lambda past: [past[-1]] * self.horizon),
            (SeasonalNaive(), self._last_season),
            (fitted, lambda past: self._fed_back(past, weights)),
        ):
            found = baseline.forecast(series, origins, self.horizon)
            true = np.array([plain(_filled(values[: origin + 1])) for origin in origins])
            if not np.allclose(found, true, rtol=1e-6, atol=1e-6 * self.unit):
                return f"{baseline.name}: expected {true.tolist()}, got {found.tolist()}"
            actual = values[origins[:, None] + np.arange(1, self.horizon + 1)]
            if np.isnan(actual).all():
                continue
            error = np.abs(actual - true)
            scores = forecast_scores(
                [Forecasts(actual, found, np.zeros((*found.shape, 0)), seasonal_error=self.unit)]
            )
            expected = {
                "rmse": np.sqrt(np.nanmean(error**2)),
                "mae": np.nanmean(error),
                "mase": np.nanmean(error) / self.unit,
            }
            for name, score in expected.items():
                if not np.isclose(scores[name], score, rtol=1e-5, atol=1e-6 * self.unit ** (name != "mase")):
                    return f"{name} of {baseline.name}: expected {score}, got {scores[name]}"
        scaling = Scaling.fit(values[:cut], self.kind)
        back = scaling.undo(scaling.apply(values))
        if not np.allclose(back, values, rtol=1e-8, atol=1e-8 * self.unit, equal_nan=True):
            return f"scaled by {self.kind} and back: expected {values.tolist()}, got {back.tolist()}"
        return None

    def program(self) -> str:
        """See `Case`."""
        return program_of(self)

    def _values(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        season = np.sin(2 * np.pi * np.arange(self.steps) / self.season)
        values = 3 + season + rng.normal(size=self.steps)
        values[1:][rng.random(self.steps - 1) < self.gaps] = np.nan
        return values * self.unit

    def _last_season(self, past: np.ndarray) -> list[float]:
        grown = list(past)
        for _ in range(self.horizon):
            grown.append(grown[-self.season])
        return grown[len(past) :]

    def _regression(self, values: np.ndarray) -> np.ndarray:
        """Least squares in the raw numbers' own units, one row at a time."""
        numbers, filled = values / self.unit, _filled(values) / self.unit
        known = [step for step in range(self.order, len(numbers)) if not np.isnan(numbers[step])]
        rows = [[*filled[step - self.order : step][::-1], 1.0] for step in known]
        return np.linalg.lstsq(np.array(rows), numbers[known], rcond=None)[0]

    def _fed_back(self, past: np.ndarray, weights: np.ndarray) -> list[float]:
        grown = list(past / self.unit)
        for _ in range(self.horizon):
            grown.append(float(np.dot([*grown[-self.order :][::-1], 1.0], weights)))
        return [number * self.unit for number in grown[len(past) :]]


def _filled(values: np.ndarray) -> np.ndarray:
    filled = values.copy()
    for step in range(1, len(filled)):
        if np.isnan(filled[step]):
            filled[step] = filled[step - 1]
    return filled


def draw(random: Random) -> BaselineCase:
    """A case with enough steps for its order, its season and its horizon."""
    return BaselineCase(
        seed=random.randrange(10**6),
        steps=random.randint(80, 160),
        season=random.randint(1, 24),
        order=random.randint(1, 6),
        horizon=random.randint(1, 12),
        unit=10.0 ** random.randint(-30, 30),
        gaps=random.choice([0.0, 0.05, 0.2]),
        kind=random.choice(["standard", "log", "minmax", "none"]),
    )
