"""Free running: a forecaster that reads its own forecasts, along many possible paths at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

from unrolled.layers.state import State, map_state
from unrolled.models.base import SequenceModel

Numbers = NDArray[np.float64]

_WITHIN = 25
"""Points by which the forecast of each path stands in the mixture of all."""


def free_run(
    model: SequenceModel,
    features: NDArray[np.float32],
    ahead: Callable[[int], NDArray[np.float32]],
    levels: Sequence[float],
    paths: int,
    generator: np.random.Generator,
) -> Iterator[Numbers]:
    """Forecasts of the steps that follow, a horizon at a time, without end; the state is carried.

    The point forecast is fed back as if it had come. The quantiles cannot be: what comes after a forecast is
    as uncertain as the forecast, and more. So many paths run beside it, each fed with numbers drawn from its
    own quantiles, and the quantiles of a step are those of all paths' forecasts together. The steps of one
    horizon are drawn at one level, as the errors of steps forecast together go together.

    Args:
        model: the network.
        features: ``(time, feature)``, what came before.
        ahead: the features of the horizon that begins so many steps after; their first column, the number, is
            filled in here.
        levels: the quantiles' levels, rising.
        paths: how many are drawn; where there is no spread to draw from, none are.
        generator: draws.

    Yields:
        ``(horizon, 1 + quantiles)``: the point, then the quantiles, scaled as the features are.
    """
    device = next(model.parameters()).device
    spread_known = any(level != 0.5 for level in levels)
    rows = 1 + paths if spread_known else 1

    def read(values: NDArray[np.float32], state: State | None) -> tuple[Numbers, State]:
        with torch.no_grad():
            outputs, after = model({"values": torch.from_numpy(values).to(device)}, None, state)
        return outputs[:, -1].double().cpu().numpy(), after

    made, state = read(features[None], None)
    yield made[0]
    made = np.repeat(made, rows, axis=0)
    state = map_state(lambda tensor: _repeated(tensor, rows), state)
    steps = 0
    while True:
        horizon = made.shape[1]
        numbers = made[..., 0].copy()
        if rows > 1:
            scores = ndtri((generator.permutation(paths) + 0.5) / paths)
            numbers[1:] = _at(made[1:], levels, scores[:, None])[..., 0]
        values = np.repeat(ahead(steps)[None], rows, axis=0)
        values[..., 0] = numbers
        made, state = read(values, state)
        steps += horizon
        yield made[0] if rows == 1 else _mixed(made, levels)


def _repeated(tensor: Tensor, rows: int) -> Tensor:
    return tensor.expand(-1, rows, *tensor.shape[2:]).contiguous()


def _mixed(made: Numbers, levels: Sequence[float]) -> Numbers:
    """The first row's point, and the quantiles of the other rows' forecasts together."""
    scores = ndtri((np.arange(_WITHIN) + 0.5) / _WITHIN)
    drawn = _at(made[1:], levels, np.broadcast_to(scores, (len(made) - 1, _WITHIN)))
    together = np.moveaxis(drawn, 2, 1).reshape(-1, made.shape[1])
    return np.concatenate([made[0, :, :1], np.quantile(together, levels, axis=0).T], axis=1)


def _at(made: Numbers, levels: Sequence[float], scores: Numbers) -> Numbers:
    """Numbers at given levels of forecasts, along straight lines in a normal distribution's numbers.

    Args:
        made: ``(row, horizon, 1 + quantiles)``.
        levels: of the quantiles.
        scores: ``(row, draw)``, the levels, as a standard normal distribution's numbers.

    Returns:
        ``(row, horizon, draw)``.
    """
    knots, heights = ndtri(levels), made[..., 1:]
    if len(levels) == 1:  # a second one: the point stands for the middle
        knots, heights = np.append(knots, 0.0), made[..., [1, 0]]
        order = np.argsort(knots)
        knots, heights = knots[order], heights[..., order]
    # Outside the lowest and the highest, the outermost lines go on.
    right = np.clip(np.searchsorted(knots, scores), 1, len(knots) - 1)
    share = (scores - knots[right - 1]) / (knots[right] - knots[right - 1])
    rows = np.arange(len(made))[:, None, None]
    horizon = np.arange(made.shape[1])[None, :, None]
    low, high = heights[rows, horizon, right[:, None] - 1], heights[rows, horizon, right[:, None]]
    return low + share[:, None] * (high - low)
