"""The weights that a forecaster's direct connection starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.example import Series
from unrolled.data.windows import features

_RIDGE = 1e-3
"""Penalty per step on the squared weights, for inputs that say nearly the same."""


@dataclass(frozen=True, slots=True)
class LinearStart:
    """The least-squares forecast of the changes from the inputs of one step.

    Attributes:
        spread: ``(horizon,)``, the standard deviation of the change over 1, 2, ... steps.
        weight: ``(horizon, input)``, for changes in units of their spread.
        bias: ``(horizon,)``.
    """

    spread: Tensor
    weight: Tensor
    bias: Tensor

    @classmethod
    def fit(cls, series: Sequence[Series], horizon: int, mask: bool) -> LinearStart:
        """Fit prepared series; changes from or to a missing number are left out."""
        inputs = [features(one, mask=mask).astype(np.float64) for one in series]
        fits = [_regression(series, inputs, ahead) for ahead in range(1, horizon + 1)]
        spread, weights = zip(*fits, strict=True)
        stacked = torch.from_numpy(np.stack(weights)).float()
        return cls(torch.tensor(spread), stacked[:, :-1], stacked[:, -1])


def _regression(
    series: Sequence[Series], inputs: Sequence[NDArray[np.float64]], ahead: int
) -> tuple[float, NDArray[np.float64]]:
    changes = [one.values[ahead:] - one.values[: len(one.values) - ahead] for one in series]
    known = [~np.isnan(change) for change in changes]
    target = np.concatenate([change[mask] for change, mask in zip(changes, known, strict=True)])
    width = inputs[0].shape[1] + 1
    spread = float(target.std()) if len(target) else 0.0
    if spread < 1e-6:
        return max(spread, 1e-6), np.zeros(width)
    rows = np.concatenate(
        [given[: len(mask)][mask] for given, mask in zip(inputs, known, strict=True) if len(mask)]
    )
    rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    penalty = np.diag([_RIDGE * len(rows)] * (width - 1) + [0.0])
    weights = np.linalg.lstsq(rows.T @ rows + penalty, rows.T @ (target / spread), rcond=None)[0]
    return spread, weights.astype(np.float64)
