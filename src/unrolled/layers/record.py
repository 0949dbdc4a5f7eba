"""What `unroll` returns: everything a recurrent layer computed, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from unrolled.layers.state import State


@dataclass(frozen=True, slots=True)
class Direction:
    """One layer in one direction, at every step; in the layout of the inputs, zero past each row's end.

    Attributes:
        layer: counted from 0 at the input.
        reverse: it read the sequence from its end.
        hidden: all hidden states, ``(T, B, H)``, ``(B, T, H)`` with ``batch_first``.
        cell: all cell states of an LSTM, else None.
        gates: each gate's values by name, where asked for: "input_gate", "forget_gate", "candidate",
            "output_gate" of an LSTM; "reset_gate", "update_gate", "candidate" of a GRU; "candidate" of an
            RNN.
        probe_hidden: where asked for, a zero that was added to every hidden state: after a backward pass
            its ``grad`` is the total gradient of the loss with respect to each of them.
        probe_cell: the same for the cell states of an LSTM.
    """

    layer: int
    reverse: bool
    hidden: Tensor
    cell: Tensor | None
    gates: Mapping[str, Tensor]
    probe_hidden: Tensor | None
    probe_cell: Tensor | None


@dataclass(frozen=True, slots=True)
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
