"""What a cell is run with, from the input's share of its gates on.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``P`` recurrent matrices.
"""

from typing import NamedTuple

from torch import Tensor


class Given(NamedTuple):
    """What a cell is run with.

    Attributes:
        gates_x: the input's share of the gates that have one, ``(T, B, inputs * H)``.
        weight_hh: ``(P * H, H)``.
        initial: the states before the first step, ``(B, H)`` each.
        units: vectors ``(H,)`` that every row reads alike.
        streams: ``(T, B, H)`` each, broadcast or not.
        lengths: ``(B,)`` int64, or None.
        resets: ``(T, B)`` bool, or None.
        reverse: run from the last step to the first.
        bound: of the gradients that are clamped.
    """

    gates_x: Tensor
    weight_hh: Tensor
    initial: tuple[Tensor, ...]
    units: tuple[Tensor, ...]
    streams: tuple[Tensor, ...]
    lengths: Tensor | None
    resets: Tensor | None
    reverse: bool
    bound: float
