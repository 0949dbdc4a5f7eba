"""Long short-term memory on the library: what `unrolled.ops.lstm` computes, or None where it is not covered.

Not covered is the projection. Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from torch import Tensor

from unrolled.ops.native.record import (
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


def lstm_forward(
    gates_x: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    weight_hr: Tensor | None = None,
    peephole: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    norm_cell_gain: Tensor | None = None,
    norm_cell_bias: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout_h: Tensor | None = None,
    zoneout_c: Tensor | None = None,
    probe_h: Tensor | None = None,
    probe_c: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor, ...] | None:
    """See `unrolled.ops.lstm.lstm_reference`."""
    shape = (*gates_x.shape[:-1], c_0.shape[-1])
    rows, units = shape[-2:]
    exact = [(gates_x, (*shape[:-1], 4 * units)), (h_0, (rows, units)), (c_0, (rows, units))]
    exact += [(weight_hh, (4 * units, units)), (peephole, (3, units)), (norm_hh_gain, (4 * units,))]
    exact += [(norm_cell_gain, (units,)), (norm_cell_bias, (units,)), (hidden_mask, (rows, units))]
    exact += [(bias_hh, (4 * units,))]
    broadcast = (zoneout_h, zoneout_c, probe_h, probe_c)
    if (norm_cell_gain is None) != (norm_cell_bias is None):
        return None
    if not covered(gates_x, lengths, exact, broadcast, shape, projection=weight_hr is not None):
        return None
    given = whole(gates_x, h_0, c_0, weight_hh, None, bias_hh)
    lengths, peephole, hidden_mask = whole(lengths, peephole, hidden_mask)
    norms = whole(None, norm_hh_gain, norm_cell_gain, norm_cell_bias)
    zoneout_h, zoneout_c, probe_h, probe_c = spread(shape, *broadcast)
    hidden, cell, gates = gates_x.new_empty(shape), gates_x.new_empty(shape), gates_x.new_empty(gates_x.shape)
    h_n, c_n = h_0.new_empty(h_0.shape), c_0.new_empty(c_0.shape)
    tensors = [*NO_INPUTS, *given, hidden, h_n, c_n, gates, cell]
    special = options(ragged(lengths), norms, peephole, hidden_mask, zoneout_h, zoneout_c, probe_c)
    numbers = head(shape, reverse, clip_step, gates_x.dtype)
    run("lstm_forward", [(numbers, tensors, [*special, *strided(probe_h), None])])
    return hidden, cell, h_n, c_n, gates


def lstm_backward(
    grad_hidden: Tensor | None,
    grad_cell: Tensor | None,
    grad_h_n: Tensor | None,
    grad_c_n: Tensor | None,
    grad_gates: Tensor | None,
    hidden: Tensor,
    cell: Tensor,
    gates: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    weight_hr: Tensor | None = None,
    peephole: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    norm_cell_gain: Tensor | None = None,
    norm_cell_bias: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout_h: Tensor | None = None,
    zoneout_c: Tensor | None = None,
    probe_h: Tensor | None = None,
    probe_c: Tensor | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor | None, ...] | None:
    """See `unrolled.ops.lstm.lstm_backward_reference`; None for the gradient of what is absent."""
    shape = tuple(cell.shape)
    steps, rows, units = shape
    state, wide = (rows, units), (steps, rows, 4 * units)
    exact = [(hidden, shape), (gates, wide), (grad_gates, wide), (h_0, state), (c_0, state)]
    exact += [(grad_h_n, state), (grad_c_n, state), (hidden_mask, state), (peephole, (3, units))]
    exact += [(weight_hh, (4 * units, units)), (norm_hh_gain, (4 * units,))]
    exact += [(norm_cell_gain, (units,)), (norm_cell_bias, (units,))]
    broadcast = (grad_hidden, grad_cell, zoneout_h, zoneout_c, probe_c)
    if (norm_cell_gain is None) != (norm_cell_bias is None):
        return None
    if not covered(gates, lengths, exact, broadcast, shape, projection=weight_hr is not None):
        return None
    (lengths,) = whole(lengths)
    products = None
    if norm_hh_gain is not None:
        products = recurrent_products(hidden, h_0, weight_hh, hidden_mask, lengths, reverse)
    given = whole(hidden, h_0, c_0, weight_hh, gates, cell, grad_h_n, grad_c_n)
    norms = whole(None, norm_hh_gain, norm_cell_gain, norm_cell_bias)
    peephole, hidden_mask, grad_gates = whole(peephole, hidden_mask, grad_gates)
    grad_hidden, grad_cell, zoneout_h, zoneout_c, seen_probe_c = spread(shape, *broadcast)

    over_gates = gates.new_empty(wide)
    over_product = over_gates if norm_hh_gain is None else gates.new_empty(wide)
    over_hidden = None if probe_h is None else gates.new_empty(shape)
    over_cell = None if probe_c is None else gates.new_empty(shape)
    over_h_0, over_c_0 = h_0.new_empty(state), c_0.new_empty(state)
    over_bias, over_gain = room(bias_hh), room(norm_hh_gain)
    over_norm_cell, over_peephole = [room(norm_cell_gain), room(norm_cell_bias)], room(peephole)
    grad_hidden, *strides = strided(grad_hidden)
    numbers = [*head(shape, reverse, clip_step, gates.dtype), 0, 0, *strides]
    tensors = [*NO_INPUTS, None, None, None, grad_hidden, *given]
    tensors += [over_gates, over_product, over_h_0, over_c_0, None, over_bias, None]
    special = options(ragged(lengths), norms, peephole, hidden_mask, zoneout_h, zoneout_c, seen_probe_c)
    special += [None, products, *strided(grad_cell), grad_gates, None, over_hidden, over_cell]
    special += [None, over_gain, *over_norm_cell, over_peephole]
    run("lstm_backward", [(numbers, tensors, special)])
    over_weight = weight_gradient(over_product, hidden, h_0, hidden_mask, lengths, reverse)
    # None for the projection, which is not covered.
    first = (over_gates, over_h_0, over_c_0, over_weight, over_bias, None)
    return *first, over_peephole, over_gain, *over_norm_cell, over_hidden, over_cell
