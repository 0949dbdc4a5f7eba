"""Hochreiter & Schmidhuber (1997), the forget gate of Gers et al. (2000); as `unrolled.LSTM` computes it."""

from typing import Any

from unrolled.cells import Cell, constant, normalise, sigmoid, tanh


class LongShortTermMemory(Cell):
    """The LSTM of torch.

    Args:
        peepholes: let the gates see the cell (Gers & Schmidhuber 2000).
        cell_norm: normalise the cell on its way to h (Ba, Kiros & Hinton 2016).
    """

    states = ("h", "c")
    gates = ("input_gate", "forget_gate", "candidate", "output_gate")
    keep_gate = "forget_gate"
    write_gate = "input_gate"

    def __init__(self, peepholes: bool = False, cell_norm: bool = False) -> None:
        self.peepholes, self.cell_norm = peepholes, cell_norm
        seen = dict.fromkeys(("to_input", "to_forget", "to_output"), constant(0.0)) if peepholes else {}
        self.parameters = seen | (
            {"cell_gain": constant(1.0), "cell_bias": constant(0.0)} if cell_norm else {}
        )

    def step(self, x: Any, u: Any, h: Any, c: Any) -> Any:
        """One step."""
        i, f = x.input_gate + u.input_gate(h), x.forget_gate + u.forget_gate(h)
        o = x.output_gate + u.output_gate(h)
        if self.peepholes:
            i, f = i + self.to_input * c, f + self.to_forget * c
        c = sigmoid(f) * c + sigmoid(i) * tanh(x.candidate + u.candidate(h))
        if self.peepholes:
            o = o + self.to_output * c
        shown = normalise(c) * self.cell_gain + self.cell_bias if self.cell_norm else c
        return sigmoid(o) * tanh(shown), c
