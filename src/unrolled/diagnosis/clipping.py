"""What clipping does to the gradients of a run, and which threshold their norms suggest."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class ClippingUse(Result):
    """The norms of a run's gradients before clipping.

    Attributes:
        updates: how many were looked at.
        clipped: the share that was clipped.
        mean: their mean norm.
        quantiles: the norm at 0, 5, 25, 50, 75, 95 and 100 per cent.
        suggested: the lowest and the highest sensible threshold, half of and ten times the mean norm
            (Pascanu, Mikolov & Bengio 2013, section 3.2).
    """

    updates: int
    clipped: float
    mean: float
    quantiles: tuple[float, ...]
    suggested: tuple[float, float]
