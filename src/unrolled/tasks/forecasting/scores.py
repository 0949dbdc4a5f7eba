"""Scores of forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Forecasts of one series, beside what came.

    Attributes:
        actual: ``(origin, horizon)``, NaN where unknown.
        point: ``(origin, horizon)``.
        quantiles: ``(origin, horizon, quantile)``.
        seasonal_error: the mean absolute error of the seasonal naive forecast within the training data, the
            unit of MASE.
        target: which of several numbers is forecast; None where there is one.
    """

    actual: Numbers
    point: Numbers
    quantiles: Numbers
    seasonal_error: float
    target: str | None = None

    def only(self, origin: int) -> Forecasts:
        """Those from one step alone."""
        at = [origin]
        return replace(self, actual=self.actual[at], point=self.point[at], quantiles=self.quantiles[at])


def forecast_scores(forecasts: Sequence[Forecasts], levels: Sequence[float] = ()) -> dict[str, float]:
    """The scores of the forecasts of some series.

    RMSE, MAE and sMAPE (in per cent, as in the M4 competition, Makridakis et al. 2020) are over all numbers;
    MASE (Hyndman and Koehler 2006) is a mean over the series. With quantiles, the mean pinball loss, and the
    coverage: the share of numbers between the lowest and the highest quantile. Of several targets RMSE and
    MASE of each too.

    Args:
        forecasts: of every series.
        levels: the quantiles' levels, rising; none leaves their scores out.

    Example:
        >>> one = Forecasts(np.array([[3.0]]), np.array([[1.0]]), np.zeros((1, 1, 0)), seasonal_error=4.0)
        >>> forecast_scores([one])
        {'rmse': 2.0, 'mae': 2.0, 'smape': 100.0, 'mase': 0.5}
    """
    known = [~np.isnan(one.actual) for one in forecasts]
    actual = np.concatenate([one.actual[mask] for one, mask in zip(forecasts, known, strict=True)])
    point = np.concatenate([one.point[mask] for one, mask in zip(forecasts, known, strict=True)])
    error = np.abs(actual - point)
    size = np.abs(actual) + np.abs(point)
    scaled = [
        np.abs(one.actual - one.point)[mask].mean() / one.seasonal_error
        for one, mask in zip(forecasts, known, strict=True)
        if mask.any()
    ]
    scores = {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(error.mean()),
        "smape": float(200 * np.mean(error / np.where(size > 0, size, 1))),
        "mase": float(np.mean(scaled)),
    }
    if levels:
        quantiles = np.concatenate([one.quantiles[mask] for one, mask in zip(forecasts, known, strict=True)])
        scores["pinball"] = float(_pinball(actual[:, None] - quantiles, np.array(levels)).mean())
        if len(levels) > 1:
            inside = (quantiles[:, 0] <= actual) & (actual <= quantiles[:, -1])
            scores[f"coverage_{levels[-1] - levels[0]:.2g}"] = float(inside.mean())
    return scores | _by_target(forecasts)


def _by_target(forecasts: Sequence[Forecasts]) -> dict[str, float]:
    """The errors of each target, where there are several."""
    scores = {}
    for target in dict.fromkeys(one.target for one in forecasts if one.target is not None):
        own = [replace(one, target=None) for one in forecasts if one.target == target]
        if any((~np.isnan(one.actual)).any() for one in own):
            found = forecast_scores(own)
            scores |= {f"{name} of {target}": found[name] for name in ("rmse", "mase")}
    return scores


def seasonal_error(values: Numbers, season: int) -> float:
    """The mean absolute change over a season, missing numbers left out.

    Where there is none, or none that is not zero: that over one step, else the numbers' mean size, else 1.
    """
    for apart in (season, 1):
        changes = np.abs(values[apart:] - values[: max(0, len(values) - apart)])
        changes = changes[~np.isnan(changes)]
        if len(changes) and changes.mean() > 0:
            return float(changes.mean())
    sizes = np.abs(values[~np.isnan(values)])
    return float(sizes.mean()) if len(sizes) and sizes.mean() > 0 else 1.0


def _pinball(error: Numbers, levels: Numbers) -> Numbers:
    return np.maximum(levels * error, (levels - 1) * error)
