"""Forecasts from many steps of many series, in batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.models.base import SequenceModel

_BATCH = 512


def rolling_forecasts(
    model: SequenceModel,
    features: Sequence[NDArray[np.float32]],
    origins: Sequence[NDArray[np.int64]],
    context: int,
) -> list[NDArray[np.float64]]:
    """Forecasts ``(origin, horizon, 1 + quantiles)`` of each series, scaled as its features are.

    Args:
        model: the network.
        features: ``(time, feature)`` of every series.
        origins: for each series the steps to forecast from.
        context: the steps that are read, up to an origin; fewer where the series begins later.
    """
    device = next(model.parameters()).device
    begins = np.cumsum([0, *map(len, features)])[:-1]
    values = features[0] if len(features) == 1 else np.concatenate(features)
    ends = np.concatenate([at + begin for at, begin in zip(origins, begins, strict=True)])
    lengths = np.concatenate([np.minimum(at + 1, context) for at in origins])
    found = []
    for start in range(0, len(ends), _BATCH):
        end, length = ends[start : start + _BATCH], lengths[start : start + _BATCH]
        at = (end + 1 - length)[:, None] + np.arange(length.max())
        read = torch.from_numpy(values[np.minimum(at, end[:, None])]).to(device)
        steps = torch.from_numpy(length).to(device)
        with torch.no_grad():
            outputs, _ = model({"values": read}, steps)
        found.append(outputs[torch.arange(len(end), device=device), steps - 1].double().cpu().numpy())
    return np.split(np.concatenate(found), np.cumsum([len(at) for at in origins])[:-1])
