"""What clipping does to the gradients of a run, and which threshold their norms suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unrolled.diagnosis.result import Result
from unrolled.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ClippingUse(Result):
    """The norms of a run's gradients before clipping.

    Attributes:
        updates: how many were looked at.
        clipped: the share that was clipped.
        mean: their mean norm.
        quantiles: the norm at 0, 5, 25, 50, 75, 95 and 100 per cent.
        suggested: the lowest and the highest sensible threshold, half of and ten times the typical norm
            (Pascanu, Mikolov & Bengio 2013, section 3.2, take the mean, which a few that exploded ruin).
    """

    updates: int
    clipped: float
    mean: float
    quantiles: tuple[float, ...]
    suggested: tuple[float, float]

    @property
    def typical(self) -> float:
        """The median norm."""
        return self.quantiles[len(self.quantiles) // 2]


def clipping_use(norms: Sequence[float], clipped: Sequence[bool]) -> ClippingUse:
    """Look at the gradients of a run, one norm before clipping for each update.

    Norms that are not finite count as clipped or not, and for nothing else.

    Example:
        >>> clipping_use([1.0, 3.0], [False, True]).suggested
        (1.0, 20.0)

    Raises:
        ConfigError: there are none.
    """
    finite = np.asarray([norm for norm in norms if np.isfinite(norm)], dtype=float)
    if not finite.size:
        raise ConfigError("expected the gradient norm of one update at least, got none that is finite.")
    mean, typical = float(finite.mean()), float(np.median(finite))
    return ClippingUse(
        updates=len(norms),
        clipped=sum(clipped) / len(norms),
        mean=mean,
        quantiles=tuple(np.quantile(finite, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).tolist()),
        suggested=(0.5 * typical, 10 * typical),
    )
