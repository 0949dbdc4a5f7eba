"""The full triangle: the gradient of the loss of every step with respect to every earlier state."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.diagnosis.decay import decay_over_lag
from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class Triangle(Result):
    """The norms of dL_t/dh_k of one layer in one direction, for one sequence.

    Attributes:
        layer: its name in the module.
        loss_steps: the steps t whose losses were taken, rising; one for each row of ``norms``.
        norms: ``[row][k]``, the norm of dL_t/dh_k for the t of that row and every step k of the sequence;
            zero where the loss does not depend on the state, as on later ones of a causal network.
        reverse: the layer reads the sequence from its end, so that its rows decay towards later steps.
    """

    layer: str
    loss_steps: tuple[int, ...]
    norms: tuple[tuple[float, ...], ...]
    reverse: bool

    @property
    def decay(self) -> tuple[float, ...]:
        """What is left of an error after each number of steps back, 1 at lag 0.

        The geometric mean over the loss steps of the norm at each lag over that at lag 0; loss steps where
        the error is 0 from the start count for nothing.
        """
        return decay_over_lag(self.loss_steps, self.norms, self.reverse)
