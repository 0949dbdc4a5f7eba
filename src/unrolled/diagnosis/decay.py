"""From norms by step to what is left of an error by lag."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log

_LEAST = 1e-300
"""Stands for a norm that underflowed to 0, so that it has a logarithm."""


def decay_over_lag(
    loss_steps: Sequence[int], norms: Sequence[Sequence[float]], reverse: bool
) -> tuple[float, ...]:
    """The geometric mean over loss steps of the norm at each lag over that at lag 0.

    Args:
        loss_steps: one step for each row of ``norms``.
        norms: ``[row][k]``, the norm at step k.
        reverse: lags run towards later steps.

    Example:
        >>> decay_over_lag([1, 2], [[0.5, 1.0, 0.0], [0.5, 1.0, 2.0]], reverse=False)
        (1.0, 0.5, 0.25)
    """
    logs: list[list[float]] = []
    for step, row in zip(loss_steps, norms, strict=True):
        back = list(row[step:]) if reverse else list(row[step::-1])
        if not back or not back[0] > 0 or not isfinite(back[0]):
            continue
        for lag, norm in enumerate(back):
            if lag == len(logs):
                logs.append([])
            logs[lag].append(log(max(norm, _LEAST) / back[0]) if isfinite(norm) else float("inf"))
    return tuple(_exp(sum(each) / len(each)) for each in logs)


def rate_of(decay: Sequence[float]) -> float:
    """The factor per step that takes a decay from lag 0 to its last lag.

    Example:
        >>> rate_of([1.0, 0.5, 0.25])
        0.5
    """
    if len(decay) < 2:
        return 1.0
    return _exp(log(max(decay[-1], _LEAST) / decay[0]) / (len(decay) - 1))


def reach_of(decay: Sequence[float], share: float) -> int | None:
    """The first lag at which less than ``share`` of an error is left; None: it is never so little.

    Example:
        >>> reach_of([1.0, 0.5, 0.25], 0.3), reach_of([1.0, 0.5, 0.25], 0.1)
        (2, None)
    """
    return next((lag for lag, left in enumerate(decay) if left < share), None)


def _exp(power: float) -> float:
    return exp(power) if power < 700 else float("inf")
