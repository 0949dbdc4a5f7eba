"""Collins, Sohl-Dickstein & Sussillo (2017), "Capacity and trainability in RNNs", equations 7."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class UGRNN(Cell):
    """The update gate RNN: one gate between the old state and the new."""

    gates = ("update_gate", "candidate")
    keep_gate = "update_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        g = sigmoid(x.update_gate + u.update_gate(h))
        return g * h + (1 - g) * tanh(x.candidate + u.candidate(h))
