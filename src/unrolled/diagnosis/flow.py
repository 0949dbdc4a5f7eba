"""How large the gradient of the loss is at every step on its way back: what ordinary training shows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from operator import mul

from unrolled.diagnosis.result import Result

_FEW = 0.25
"""The least share of the sequences that what is left of an error is told of."""


@dataclass(frozen=True, slots=True)
class GradientFlow(Result):
    """Statistics of dL/dh_t of one layer in one direction, by distance from the loss.

    Distance 0 is the last step that the layer reads (in reverse the first of the sequence), where the error
    of a loss at the end comes in. All tuples run over distances.

    Attributes:
        layer: its name in the module, such as ``recurrent.l0`` or ``recurrent.l1_reverse``.
        updates: the backward passes that were seen.
        rows: how many gradients entered the statistics.
        norm: the mean norm of dL/dh_t.
        deviation: the standard deviation of that norm.
        gain: by what factor an error changed on its way over one step, ``[d]`` that from distance d to
            d + 1: the geometric mean of the norm of what arrives from the steps after over the norm that set
            out, of the whole state (for an LSTM h and c together). One shorter than the others.
    """

    layer: str
    updates: int
    rows: tuple[int, ...]
    norm: tuple[float, ...]
    deviation: tuple[float, ...]
    gain: tuple[float, ...]

    @property
    def decay(self) -> tuple[float, ...]:
        """What is left of an error after each number of steps back, 1 at lag 0: the gains multiplied.

        It ends where fewer than a quarter of the sequences go on: a few long ones do not speak for all.

        Example:
            >>> GradientFlow("l0", 1, (8, 8, 8, 1), (4.0,) * 4, (0.0,) * 4, (0.5, 0.5, 0.1)).decay
            (1.0, 0.5, 0.25)
        """
        enough = sum(count >= _FEW * max(self.rows, default=0) for count in self.rows)
        return tuple(accumulate(self.gain[: max(0, enough - 1)], mul, initial=1.0))
