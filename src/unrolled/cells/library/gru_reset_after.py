"""Cho et al. (2014) as cuDNN has it, with the reset gate after the product; as `unrolled.GRU` computes it."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class GRUResetAfter(Cell):
    """The gated recurrent unit of torch."""

    gates = ("reset_gate", "update_gate", "candidate")
    keep_gate = "update_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        r = sigmoid(x.reset_gate + u.reset_gate(h))
        z = sigmoid(x.update_gate + u.update_gate(h))
        n = tanh(x.candidate + r * u.candidate(h))
        return (1 - z) * n + z * h
