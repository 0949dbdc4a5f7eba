"""Elman (1990), "Finding structure in time"; as `unrolled.RNN` computes it."""

from typing import Any

from unrolled.cells import Cell, relu, sigmoid, tanh

ACTIVATIONS = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid, "identity": lambda value: value}


class Elman(Cell):
    """The simple recurrent network.

    Args:
        activation: "tanh", "relu", "sigmoid" or "identity".
    """

    gates = ("candidate",)

    def __init__(self, activation: str = "tanh") -> None:
        self.activation = ACTIVATIONS[activation]

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        return self.activation(x.candidate + u.candidate(h))
