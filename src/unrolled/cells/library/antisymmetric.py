"""Chang, Chen, Haber & Chi (2019), "AntisymmetricRNN", equations 10 and 11."""

from typing import Any

from unrolled.cells import Cell, sigmoid, tanh


class Antisymmetric(Cell):
    """Its Jacobian's eigenvalues lie near the imaginary axis, so that gradients neither vanish nor explode.

    Args:
        step_size: of the differential equation.
        diffusion: subtracted from the matrix's diagonal, for the steps to be stable.
        gated: with the paper's input gate.
    """

    matrices = {"candidate": "antisymmetric"}

    def __init__(self, step_size: float = 0.1, diffusion: float = 0.01, gated: bool = False) -> None:
        self.step_size, self.diffusion = step_size, diffusion
        self.gates = ("input_gate", "candidate") if gated else ("candidate",)
        if gated:
            self.matrices = {"input_gate": "antisymmetric", "candidate": "antisymmetric"}

    def step(self, x: Any, u: Any, h: Any) -> Any:
        """One step."""
        new = tanh(x.candidate + u.candidate(h) - self.diffusion * h)
        if "input_gate" in self.gates:
            new = sigmoid(x.input_gate + u.input_gate(h) - self.diffusion * h) * new
        return h + self.step_size * new
