"""Feng, Tung, Ahmed, Bengio & Hajimirsadeghi (2024), "Were RNNs all we needed?", section 3.1."""

from typing import Any

from unrolled.cells import Cell, sigmoid


class MinGRU(Cell):
    """A GRU whose gate and candidate see the input alone."""

    gates = ("update_gate", "candidate")
    write_gate = "update_gate"

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        z = sigmoid(x.update_gate)
        return (1 - z) * h + z * x.candidate
