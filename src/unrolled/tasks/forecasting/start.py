"""The weights that a forecaster's direct connection starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.example import Series
from unrolled.data.scaling import fill
from unrolled.data.windows import features

_RIDGE = 1e-5
"""Penalty per step on the squared weights, for inputs that say nearly the same."""


@dataclass(frozen=True, slots=True)
class LinearStart:
    """The least-squares forecast of the changes from the inputs of one step and the last changes.

    Attributes:
        spread: ``(horizon,)``, the standard deviation of the change over 1, 2, ... steps.
        weight: ``(horizon, input + lags - 1)``, for changes in units of their spread.
        bias: ``(horizon,)``.
    """

    spread: Tensor
    weight: Tensor
    bias: Tensor

    @classmethod
    def fit(cls, series: Sequence[Series], horizon: int, lags: int, mask: bool) -> LinearStart:
        """Fit prepared series; changes from or to a missing number are left out."""
        spread = np.array([_spread(series, ahead) for ahead in range(1, horizon + 1)])
        inputs = [_inputs(one, lags, mask, spread[0]) for one in series]
        weights = np.stack(
            [_regression(series, inputs, lags, ahead, size) for ahead, size in enumerate(spread, start=1)]
        )
        stacked = torch.from_numpy(weights).float()
        return cls(torch.from_numpy(spread).float(), stacked[:, :-1], stacked[:, -1])


def _spread(series: Sequence[Series], ahead: int) -> float:
    changes = np.concatenate([_changes(one, ahead) for one in series])
    changes = changes[~np.isnan(changes)]
    return max(float(changes.std()), 1e-6) if len(changes) else 1.0


def _changes(series: Series, ahead: int) -> NDArray[np.float64]:
    return series.values[ahead:] - series.values[: max(0, len(series) - ahead)]


def _inputs(series: Series, lags: int, mask: bool, spread: float) -> NDArray[np.float64]:
    """What the direct connection sees at each step, and a one; see `ForecastNetwork`."""
    numbers = fill(series.values)
    changes = np.diff(numbers, prepend=numbers[:1]) / spread
    padded = np.concatenate([np.zeros(max(0, lags - 2)), changes])
    last = [padded[lags - 2 - back :][: len(changes)] for back in range(lags - 1)]
    return np.column_stack([features(series, mask=mask), *last, np.ones(len(changes))])


def _regression(
    series: Sequence[Series], inputs: Sequence[NDArray[np.float64]], lags: int, ahead: int, spread: float
) -> NDArray[np.float64]:
    changes = [_changes(one, ahead) for one in series]
    # The first steps do not have all their lags; training leaves them out as well.
    known = [~np.isnan(change) & (np.arange(len(change)) >= lags - 1) for change in changes]
    target = np.concatenate([change[mask] for change, mask in zip(changes, known, strict=True)]) / spread
    rows = np.concatenate([given[: len(mask)][mask] for given, mask in zip(inputs, known, strict=True)])
    width = rows.shape[1]
    penalty = np.diag([_RIDGE * len(rows)] * (width - 1) + [0.0])
    weights = np.linalg.lstsq(rows.T @ rows + penalty, rows.T @ target, rcond=None)[0]
    return weights.astype(np.float64)
