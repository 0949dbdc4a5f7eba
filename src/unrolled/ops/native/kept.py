"""What a cell's backward pass on the library reads of its forward pass.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from typing import NamedTuple

from torch import Tensor


class Kept(NamedTuple):
    """The forward pass's results that are kept, None where there are none.

    Attributes:
        values: the input, ``(T, B, I)``.
        hidden: all h, ``(T, B, H)``.
        gates: after their activations, ``(N, G * H)``; None where they are the states.
        by_unit: an LSTM's cells, the recurrent part of a GRU's candidate, ``(N, H)``.
        gates_x: the input's product, where it is normalised, ``(N, G * H)``.
        products: the recurrent product, where it is normalised, ``(N, G * H)``.
    """

    values: Tensor
    hidden: Tensor
    gates: Tensor | None
    by_unit: Tensor | None
    gates_x: Tensor | None
    products: Tensor | None
