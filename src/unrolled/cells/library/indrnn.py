"""Li, Li, Cook, Zhu & Gao (2018), "Independently recurrent neural network (IndRNN)", equation 2."""

from typing import Any

from unrolled.cells import Cell, relu, uniform


class IndRNN(Cell):
    """Every unit sees its own past alone; the layers above mix them."""

    gates = ("candidate",)
    parameters = {"recurrent": uniform(-1, 1)}

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        return relu(x.candidate + self.recurrent * h)
