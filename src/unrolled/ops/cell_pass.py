"""What a cell is run with, from its input on.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates.
"""

from typing import NamedTuple

from torch import Tensor

from unrolled.ops.listening import Listen


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
        norm_ih_gain: of the normalised input's product, ``(G * H,)``, or None.
        norm_hh_gain: of the normalised recurrent product, ``(G * H,)``, or None.
        norm_cell_gain: LSTM: ``(H,)``, or None together with norm_cell_bias.
        norm_cell_bias: LSTM: ``(H,)``.
        peephole: LSTM: ``(3, H)``, or None.
        hidden_mask: ``(B, H)``, or None.
        zoneout_h: broadcastable to ``(T, B, H)``, or None.
        zoneout_c: LSTM: the same for its cell.
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
    norm_ih_gain: Tensor | None = None
    norm_hh_gain: Tensor | None = None
    norm_cell_gain: Tensor | None = None
    norm_cell_bias: Tensor | None = None
    peephole: Tensor | None = None
    hidden_mask: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None


TENSORS = Pass._fields.index("values")
OPTIONS = Pass._fields.index("norm_ih_gain")
"""Where a pass's tensors begin, and the optional ones."""
