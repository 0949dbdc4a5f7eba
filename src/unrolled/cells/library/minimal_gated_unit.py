"""Zhou, Wu, Zhang & Zhou (2016), "Minimal gated unit for recurrent neural networks", equations 6."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class MinimalGatedUnit(Cell):
    """A GRU with one gate, which both forgets and lets in."""

    gates = ("forget_gate", "candidate")
    write_gate = "forget_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        f = sigmoid(x.forget_gate + u.forget_gate(h))
        n = tanh(x.candidate + u.candidate(f * h))
        return (1 - f) * h + f * n
