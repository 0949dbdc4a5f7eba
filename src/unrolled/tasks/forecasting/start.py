"""The weights that a forecaster's direct connection starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.example import Series
from unrolled.data.scaling import fill
from unrolled.data.windows import features

Steps = NDArray[np.int64]

_ROWS = 20_000
"""Steps that are looked at, at most; more of them would hardly change the weights."""
_PENALTIES = (1e-5, 1e-3, 1e-2, 3e-2, 1e-1)
"""Penalties per step on the squared weights: the least is for inputs that say nearly the same, the others for
series too short for so many lags."""
_HELD_OUT = 0.2
"""The share of each series' steps, the last ones, that the penalty is chosen by."""


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
    def fit(
        cls, series: Sequence[Series], horizon: int, lags: int, mask: bool, relative: bool = False
    ) -> LinearStart:
        """Fit prepared series; changes from or to a missing number are left out."""
        spread = np.array([_spread(series, ahead) for ahead in range(1, horizon + 1)])
        # The first steps do not have all their lags; training leaves them out as well.
        series = [one for one in series if len(one) >= lags + horizon] or series
        steps = [np.arange(lags - 1, len(one) - horizon) for one in series]
        if not sum(map(len, steps)):  # all are short: no change is forecast to begin with
            own = features(series[0], mask=mask).shape[1]
            weight = torch.zeros(horizon, own + lags - 1)
            return cls(torch.from_numpy(spread).float(), weight, torch.zeros(horizon))
        apart = -(-sum(map(len, steps)) // _ROWS)
        chosen = [at[::apart] for at in steps]
        pairs = list(zip(series, chosen, strict=True))
        inputs = np.concatenate([_inputs(one, at, lags, mask, relative, spread[0]) for one, at in pairs])
        ahead = np.arange(1, horizon + 1)
        targets = np.concatenate([_changes_from(one, at, ahead) for one, at in pairs]) / spread
        late, early = (
            np.concatenate([at >= _end(at) for at in chosen]),
            # What is forecast from the steps just before the late ones lies among them.
            np.concatenate([at < _end(at) - horizon for at in chosen]),
        )
        # One penalty does not suit several series, whose errors are of several sizes.
        penalty = _penalty(inputs, targets, early, late) if len(series) == 1 else _PENALTIES[0]
        weights = _weights(inputs, targets, penalty)
        stacked = torch.from_numpy(weights).float()
        return cls(torch.from_numpy(spread).float(), stacked[:, :-1], stacked[:, -1])


def _spread(series: Sequence[Series], ahead: int) -> float:
    changes = np.concatenate([one.values[ahead:] - one.values[: max(0, len(one) - ahead)] for one in series])
    changes = changes[~np.isnan(changes)]
    return max(float(changes.std()), 1e-6) if len(changes) else 1.0


def _changes_from(series: Series, steps: Steps, ahead: Steps) -> NDArray[np.float64]:
    return series.values[steps[:, None] + ahead] - series.values[steps, None]


def _inputs(
    series: Series, steps: Steps, lags: int, mask: bool, relative: bool, spread: float
) -> NDArray[np.float64]:
    """What the direct connection sees at each of the steps, and a one; see `ForecastNetwork`."""
    numbers = fill(series.values)
    changes = np.diff(numbers, prepend=numbers[:1]) / spread
    last = changes[steps[:, None] - np.arange(lags - 1)]
    own = features(series, mask=mask)[steps].astype(np.float64)
    if relative:
        own[:, 0] -= numbers[steps[:, None] - np.arange(lags)].mean(axis=1)
    return np.column_stack([own, last, np.ones(len(steps))])


def _end(steps: Steps) -> float:
    """Where the part of a series that the penalty is chosen by begins."""
    return steps[-1] - _HELD_OUT * (steps[-1] - steps[0]) if len(steps) else 0.0


def _penalty(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], early: NDArray[Any], late: NDArray[Any]
) -> float:
    """That with which the weights of the early rows forecast the late ones best.

    Where either are few it is the least, and so it is where another is no better.
    """
    if early.sum() < inputs.shape[1] or np.isnan(targets[late]).all():
        return _PENALTIES[0]
    errors = [
        np.nanmean((inputs[late] @ _weights(inputs[early], targets[early], penalty).T - targets[late]) ** 2)
        for penalty in _PENALTIES
    ]
    return _PENALTIES[int(np.argmin(errors))]


def _weights(
    inputs: NDArray[np.float64], targets: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Of every step ahead, ``(horizon, input)``."""
    weights = np.zeros((targets.shape[1], inputs.shape[1]))
    # Numbers of steps ahead with the same targets missing, usually all of them, share one system.
    kinds, kind_of = np.unique(~np.isnan(targets), axis=1, return_inverse=True)
    for kind, known in enumerate(kinds.T):
        where = kind_of.ravel() == kind
        weights[where] = _regression(inputs[known], targets[known][:, where], penalty).T
    return weights


def _regression(
    rows: NDArray[np.float64], targets: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    width = rows.shape[1]
    penalties = np.diag([penalty * len(rows)] * (width - 1) + [0.0])
    return np.linalg.lstsq(rows.T @ rows + penalties, rows.T @ targets, rcond=None)[0].astype(np.float64)
