"""Ravanelli, Brakel, Omologo & Bengio (2018), "Light gated recurrent units", equations 7.

Their batch normalisation of the input's share is `layer_norm` here.
"""

from typing import Any

from unrolled.cells import Cell, relu, sigmoid


class LightGRU(Cell):
    """Li-GRU: a GRU without its reset gate, whose candidate is rectified."""

    gates = ("update_gate", "candidate")
    keep_gate = "update_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        z = sigmoid(x.update_gate + u.update_gate(h))
        n = relu(x.candidate + u.candidate(h))
        return z * h + (1 - z) * n
