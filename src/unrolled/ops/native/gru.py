"""The gated recurrent unit on the library: what `unrolled.ops.gru` computes, or None where it is not covered.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from torch import Tensor

from unrolled.ops.native.record import (
    ABSENT,
    NO_INPUTS,
    covered,
    head,
    options,
    ragged,
    recurrent_products,
    room,
    run,
    spread,
    strided,
    weight_gradient,
    whole,
)


def gru_forward(
    gates_x: Tensor,
    h_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    probe: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor, ...] | None:
    """See `unrolled.ops.gru.gru_reference`."""
    shape = (*gates_x.shape[:-1], h_0.shape[-1])
    rows, units = shape[-2:]
    exact = [(gates_x, (*shape[:-1], 3 * units)), (h_0, (rows, units)), (weight_hh, (3 * units, units))]
    exact += [(bias_hh, (3 * units,)), (norm_hh_gain, (3 * units,)), (hidden_mask, (rows, units))]
    if not covered(gates_x, lengths, exact, (zoneout, probe), shape):
        return None
    given = whole(gates_x, h_0, None, weight_hh, None, bias_hh)
    lengths, gain, hidden_mask = whole(lengths, norm_hh_gain, hidden_mask)
    zoneout, probe = spread(shape, zoneout, probe)
    hidden, q, gates = gates_x.new_empty(shape), gates_x.new_empty(shape), gates_x.new_empty(gates_x.shape)
    h_n = h_0.new_empty(h_0.shape)
    numbers = head(shape, reverse, clip_step, gates_x.dtype)
    tensors = [*NO_INPUTS, *given, hidden, h_n, None, gates, q]
    special = options(ragged(lengths), (None, gain, None, None), None, hidden_mask, zoneout)
    run("gru_forward", [(numbers, tensors, [*special, *strided(probe), None])])
    return hidden, h_n, gates, q


def gru_backward(
    grad_hidden: Tensor | None,
    grad_h_n: Tensor | None,
    grad_gates: Tensor | None,
    grad_q: Tensor | None,
    hidden: Tensor,
    gates: Tensor,
    q: Tensor,
    h_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    probe: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor | None, ...] | None:
    """See `unrolled.ops.gru.gru_backward_reference`; None for the gradient of what is absent."""
    shape = tuple(hidden.shape)
    steps, rows, units = shape
    exact = [(gates, (steps, rows, 3 * units)), (grad_gates, (steps, rows, 3 * units)), (q, shape)]
    exact += [(grad_q, shape), (grad_h_n, (rows, units)), (h_0, (rows, units))]
    exact += [(weight_hh, (3 * units, units)), (norm_hh_gain, (3 * units,)), (hidden_mask, (rows, units))]
    if not covered(gates, lengths, exact, (grad_hidden, zoneout), shape):
        return None
    (lengths,) = whole(lengths)
    products = None
    if norm_hh_gain is not None:
        products = recurrent_products(hidden, h_0, weight_hh, hidden_mask, lengths, reverse)
    given = whole(hidden, h_0, None, weight_hh, gates, q, grad_h_n, None)
    gain, hidden_mask, grad_gates, grad_q = whole(norm_hh_gain, hidden_mask, grad_gates, grad_q)
    grad_hidden, zoneout = spread(shape, grad_hidden, zoneout)

    over_gates, over_product = gates.new_empty(gates.shape), gates.new_empty(gates.shape)
    over_hidden = None if probe is None else gates.new_empty(shape)
    over_h_0 = h_0.new_empty(h_0.shape)
    over_bias, over_gain = room(bias_hh), room(norm_hh_gain)
    grad_hidden, *strides = strided(grad_hidden)
    numbers = [*head(shape, reverse, clip_step, gates.dtype), 0, 0, *strides]
    tensors = [*NO_INPUTS, None, None, None, grad_hidden, *given]
    tensors += [over_gates, over_product, over_h_0, None, None, over_bias, None]
    special = options(ragged(lengths), (None, gain, None, None), None, hidden_mask, zoneout)
    special += [None, products, *ABSENT, grad_gates, grad_q, over_hidden, None, None, over_gain]
    run("gru_backward", [(numbers, tensors, [*special, None, None, None])])
    over_weight = weight_gradient(over_product, hidden, h_0, hidden_mask, lengths, reverse)
    return over_gates, over_h_0, over_weight, over_bias, over_gain, over_hidden
