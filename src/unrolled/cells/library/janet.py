"""Van der Westhuizen & Lasenby (2018), "The unreasonable effectiveness of the forget gate", equations 7."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class Janet(Cell):
    """An LSTM with its forget gate alone: what is not forgotten leaves no room for the new.

    Args:
        beta: how much more is written than is forgotten.
    """

    gates = ("forget_gate", "candidate")
    keep_gate = "forget_gate"

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        s = x.forget_gate + u.forget_gate(h)
        n = tanh(x.candidate + u.candidate(h))
        return sigmoid(s) * h + (1 - sigmoid(s - self.beta)) * n
