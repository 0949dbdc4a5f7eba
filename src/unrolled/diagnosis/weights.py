"""Where the gradient of the recurrent weights comes from: its explicit parts, by distance back."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class WeightParts(Result):
    """The gradient dL/dW_hh of one layer in one direction taken apart by distance.

    The same weights are used at every step. The explicit derivative at a step holds the state before it
    fixed; the gradient is the sum of the explicit parts of all distances between a loss and a use.

    Attributes:
        layer: its name in the module.
        loss_steps: the steps whose losses were added up.
        explicit: ``[d]``, the norm of the part of all uses of the weights d steps before a loss.
        accumulated: ``[d]``, the norm of the sum of the parts 0 to d; the last is that of the gradient.
    """

    layer: str
    loss_steps: tuple[int, ...]
    explicit: tuple[float, ...]
    accumulated: tuple[float, ...]

    @property
    def share(self) -> tuple[float, ...]:
        """The explicit parts as shares of the sum of their norms.

        Example:
            >>> WeightParts("l0", (1,), (3.0, 1.0), (3.0, 4.0)).share
            (0.75, 0.25)
        """
        total = sum(self.explicit)
        return tuple(part / total if total else 0.0 for part in self.explicit)
