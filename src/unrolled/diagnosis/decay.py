"""From norms by step to what is left of an error by lag."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log

_LEAST = 1e-300
"""Stands for a norm of 0, so that it has a logarithm."""
_UNDERFLOWS = 1e-30
"""A norm that follows one so small and is 0 is taken to have underflowed in float32, not to be 0."""


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
        for lag, left in enumerate(_logarithms(back)):
            if lag == len(logs):
                logs.append([])
            logs[lag].append(left)
    return tuple(_exp(sum(each) / len(each)) for each in logs)


def _logarithms(norms: Sequence[float]) -> list[float]:
    """Of norms over the first of them; where they underflow they go on falling as they did so far."""
    first = log(norms[0])
    logs = [0.0]
    smallest = norms[0]
    for lag, norm in enumerate(norms[1:], start=1):
        if not isfinite(norm):
            logs.append(float("inf"))
        elif norm > 0:
            logs.append(log(norm) - first)
            smallest = norm
        elif smallest < _UNDERFLOWS:
            logs.append(logs[-1] * lag / (lag - 1))
        else:
            logs.append(log(_LEAST) - first)
    return logs


def rate_of(decay: Sequence[float]) -> float:
    """The factor per step that takes a decay from lag 0 to the last lag at which it is a number.

    What is 0 or infinite there lies beyond the smallest or the largest number there is: the factor is that of
    the lags before.

    Example:
        >>> rate_of([1.0, 0.5, 0.25]), rate_of([1.0, 1.0, float("inf")])
        (0.5, 1.0)
    """
    if len(decay) < 2:
        return 1.0
    last = max((lag for lag, left in enumerate(decay) if _LEAST < left < float("inf")), default=0)
    if last == 0:
        return 0.0 if decay[1] <= _LEAST else decay[1]
    return _exp(log(decay[last] / decay[0]) / last)


def reach_of(decay: Sequence[float], share: float) -> int | None:
    """The first lag at which less than ``share`` of an error is left; None: it is never so little.

    Example:
        >>> reach_of([1.0, 0.5, 0.25], 0.3), reach_of([1.0, 0.5, 0.25], 0.1)
        (2, None)
    """
    return next((lag for lag, left in enumerate(decay) if left < share), None)


def _exp(power: float) -> float:
    return exp(power) if power < 700 else float("inf")
