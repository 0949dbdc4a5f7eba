"""What a recurrence takes in: the input's share of every gate, for all steps at once.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.ops.deterministic_rows import are_deterministic_rows_enabled
from unrolled.ops.layer_norm import layer_norm
from unrolled.ops.native.row_product import row_linear

NORM_GROUPS = {"rnn": (1,), "gru": (2, 1), "lstm": (4,)}
"""How many gates of each cell a layer normalisation runs over. A GRU's candidate has one of its own, for the
reset gate stands between its two products."""


def project_input(
    values: Tensor,
    weight_ih: Tensor,
    bias_ih: Tensor | None,
    norm_ih_gain: Tensor | None,
    groups: Sequence[int],
) -> Tensor:
    """``W_ih x + b_ih``, or ``LN(W_ih x; norm_ih_gain) + b_ih``.

    Args:
        values: the input, ``(T, B, I)``.
        weight_ih: ``(G * H, I)``.
        bias_ih: ``(G * H,)``, or None.
        norm_ih_gain: ``(G * H,)``, or None.
        groups: how many gates each normalisation runs over; see `NORM_GROUPS`.

    Returns:
        ``(T, B, G * H)``.
    """
    linear = row_linear if are_deterministic_rows_enabled() else functional.linear
    if norm_ih_gain is None:
        return linear(values, weight_ih, bias_ih)
    sizes = [group * len(weight_ih) // sum(groups) for group in groups]
    product = linear(values, weight_ih, None).split(sizes, -1)
    normed = [layer_norm(part, own) for part, own in zip(product, norm_ih_gain.split(sizes), strict=True)]
    joined = normed[0] if len(normed) == 1 else torch.cat(normed, -1)
    return joined if bias_ih is None else joined + bias_ih
