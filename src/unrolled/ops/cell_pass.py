"""What a cell is run with, from its input on.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.ops.listening import Listen


class Options(NamedTuple):
    """What a plain cell does without.

    Attributes:
        norm_ih_gain: of the normalised input's product, ``(G * H,)``, or None.
        norm_hh_gain: of the normalised recurrent product, ``(G * H,)``, or None.
        norm_cell_gain: LSTM: ``(H,)``, or None together with norm_cell_bias.
        norm_cell_bias: LSTM: ``(H,)``.
        peephole: LSTM: ``(3, H)``, or None.
        hidden_mask: ``(B, H)``, or None.
        zoneout_h: broadcastable to ``(T, B, H)``, or None.
        zoneout_c: LSTM: the same for its cell.
    """

    norm_ih_gain: Tensor | None = None
    norm_hh_gain: Tensor | None = None
    norm_cell_gain: Tensor | None = None
    norm_cell_bias: Tensor | None = None
    peephole: Tensor | None = None
    hidden_mask: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None


NO_OPTIONS = Options()


class Pass(NamedTuple):
    """What a cell is run with; what `unrolled.ops.rnn`, `gru` and `lstm` say of each argument holds here too.

    Attributes:
        cell: "rnn", "gru" or "lstm".
        activation: of an RNN.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.
        listen: hears the norm of every dL/dh_t on the way back, or None; not in a backward pass that is
            itself differentiated.
        values: the input, ``(T, B, I)``.
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        bias_ih: ``(G * H,)``, or None.
        bias_hh: ``(G * H,)``, or None.
        h_0: ``(B, H)``, or None for zeros.
        c_0: LSTM: ``(B, H)``, or None for zeros.
        lengths: real steps of each row, ``(B,)`` int64 between 0 and T; past them nothing is read.
        options: None where there are none.
    """

    cell: str
    activation: str
    reverse: bool
    clip_step: float
    listen: Listen | None
    values: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    h_0: Tensor | None = None
    c_0: Tensor | None = None
    lengths: Tensor | None = None
    options: Options | None = None


CONSTANTS = Pass._fields.index("values")
PLAIN = Pass._fields.index("options") - CONSTANTS
"""How many fields come before a pass's tensors, and how many of these every pass has."""


def tensors_of(given: Pass) -> tuple[Tensor | None, ...]:
    """The tensors of a pass, in their order."""
    plain: Any = given[CONSTANTS:-1]
    return plain if given.options is None else plain + given.options


def make_pass(constants: Sequence[Any], tensors: Sequence[Any]) -> Pass:
    """A pass of its other fields and its tensors."""
    options = Options._make(tensors[PLAIN:]) if len(tensors) > PLAIN else None
    return Pass._make((*constants, *tensors[:PLAIN], options))
