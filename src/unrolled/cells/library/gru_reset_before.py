"""Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", equations 5 to 8.

torch's and cuDNN's GRU lets the reset gate act after the recurrent product.
"""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class GRUResetBefore(Cell):
    """The GRU as it was published: the reset gate acts on the state that enters the product."""

    gates = ("reset_gate", "update_gate", "candidate")
    keep_gate = "update_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        r = sigmoid(x.reset_gate + u.reset_gate(h))
        z = sigmoid(x.update_gate + u.update_gate(h))
        n = tanh(x.candidate + u.candidate(r * h))
        return z * h + (1 - z) * n
