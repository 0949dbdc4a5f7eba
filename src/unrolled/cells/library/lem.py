"""Rusch, Mishra, Erichson & Mahoney (2022), "Long expressive memory for sequence modeling", equation 3."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class LEM(Cell):
    """Two states that each unit moves at time scales of its own, learned and changing.

    Args:
        step_size: the longest step.
    """

    states = ("y", "z")
    gates = ("scale_z", "scale_y", "drive_z", "drive_y")

    def __init__(self, step_size: float = 1.0) -> None:
        self.step_size = step_size

    def step(self, x: Any, u: Any, y: Any, z: Any) -> Any:
        """One step."""
        dt_z = self.step_size * sigmoid(x.scale_z + u.scale_z(y))
        dt_y = self.step_size * sigmoid(x.scale_y + u.scale_y(y))
        z = (1 - dt_z) * z + dt_z * tanh(x.drive_z + u.drive_z(y))
        y = (1 - dt_y) * y + dt_y * tanh(x.drive_y + u.drive_y(z))
        return y, z
