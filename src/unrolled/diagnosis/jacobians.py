"""The Jacobians of one step, ds_t/ds_{t-1}: what every step does to an error that comes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class RecurrentMatrix(Result):
    """What the recurrent weights alone say.

    Attributes:
        spectral_norm: the largest singular value of the matrix of each gate, by the gate's name.
        spectral_radius: the largest absolute value of its eigenvalues.
        slope: gamma, the steepest the activation can be: 1 for tanh, ReLU and the identity, 1/4 for the
            logistic function. None for gated cells, whose gradient has no bound of this kind.
    """

    spectral_norm: Mapping[str, float]
    spectral_radius: Mapping[str, float]
    slope: float | None

    def bound(self, lag: int) -> float | None:
        """``(gamma lambda)^lag``, which the norm of a product of so many Jacobians cannot exceed.

        Pascanu, Mikolov & Bengio (2013), section 2.1; lambda is the spectral norm. None for gated cells.

        Example:
            >>> RecurrentMatrix({"candidate": 0.5}, {"candidate": 0.4}, 1.0).bound(2)
            0.25
        """
        if self.slope is None:
            return None
        return (self.slope * max(self.spectral_norm.values())) ** lag


@dataclass(frozen=True, slots=True)
class Jacobians(Result):
    """The Jacobians of one layer in one direction along one sequence, of the whole state (h, or h and c).

    Attributes:
        layer: its name in the module.
        state_size: their rows and columns.
        steps: the steps t whose Jacobian ds_t/ds_{t-1} was taken apart.
        largest: their largest singular values.
        smallest: their smallest singular values.
        lags: numbers of steps, rising from 1.
        product_largest: the largest singular value of the product of so many Jacobians, the geometric mean
            over several ends in the sequence.
        product_smallest: the smallest, likewise.
        lyapunov: the largest Lyapunov exponents, falling, in natural logarithms per step: the mean growth
            of small changes of the state along their own directions. Above 0 they grow.
        matrix: what the recurrent weights alone say.
    """

    layer: str
    state_size: int
    steps: tuple[int, ...]
    largest: tuple[float, ...]
    smallest: tuple[float, ...]
    lags: tuple[int, ...]
    product_largest: tuple[float, ...]
    product_smallest: tuple[float, ...]
    lyapunov: tuple[float, ...]
    matrix: RecurrentMatrix

    @property
    def largest_lyapunov(self) -> float:
        """The largest Lyapunov exponent."""
        return self.lyapunov[0]
