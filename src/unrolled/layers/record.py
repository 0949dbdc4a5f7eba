"""What `unroll` returns: everything a recurrent layer computed, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from unrolled.layers.state import State


@dataclass(frozen=True, slots=True, repr=False)
class Direction:
    """One layer in one direction, at every step; in the layout of the inputs, zero past each row's end.

    Attributes:
        layer: counted from 0 at the input.
        reverse: it read the sequence from its end.
        states: all states by name, ``(T, B, H)`` each, ``(B, T, H)`` with ``batch_first``: "h", of an LSTM
            "c" too.
        gates: each gate's values by name, where asked for: "input_gate", "forget_gate", "candidate",
            "output_gate" of an LSTM; "reset_gate", "update_gate", "candidate" of a GRU; "candidate" of an
            RNN.
        probes: where asked for, by the name of the state a zero that was added to it at every step: after a
            backward pass its ``grad`` is the total gradient of the loss with respect to each of these states,
            with what the step's other states draw from it (of a cell that is not fused without that).
    """

    layer: int
    reverse: bool
    states: Mapping[str, Tensor]
    gates: Mapping[str, Tensor]
    probes: Mapping[str, Tensor]

    def __repr__(self) -> str:
        named = {"states": self.states, "gates": self.gates, "probes": self.probes}
        shown = [f"{kind}={{{_shapes(tensors)}}}" for kind, tensors in named.items() if tensors]
        return f"Direction(layer={self.layer}, reverse={self.reverse}, {', '.join(shown)})"

    @property
    def hidden(self) -> Tensor:
        """The states that are the output."""
        return next(iter(self.states.values()))

    @property
    def cell(self) -> Tensor | None:
        """The cell states of an LSTM, else None."""
        return self.states.get("c")

    @property
    def probe_hidden(self) -> Tensor | None:
        """The probe of the hidden states, where asked for."""
        return next(iter(self.probes.values()), None)

    @property
    def probe_cell(self) -> Tensor | None:
        """The probe of the cell states of an LSTM, where asked for."""
        return self.probes.get("c")


@dataclass(frozen=True, slots=True, repr=False)
class Unrolled:
    """A layer's results with everything on the way to them.

    Attributes:
        output: what calling the layer returns first.
        state: what it returns second.
        directions: each layer from the input up, in each its direction or both, the forward one first.
    """

    output: Tensor
    state: State
    directions: tuple[Direction, ...]

    def __repr__(self) -> str:
        lines = [f"  {direction!r}," for direction in self.directions]
        return "\n".join([f"Unrolled(output {tuple(self.output.shape)},", *lines, ")"])


def _shapes(tensors: Mapping[str, Tensor]) -> str:
    """Tensors by name with their shapes alone.

    Example:
        >>> import torch
        >>> _shapes({"h": torch.zeros(5, 2, 3)})
        'h: (5, 2, 3)'
    """
    return ", ".join(f"{name}: {tuple(tensor.shape)}" for name, tensor in tensors.items())
