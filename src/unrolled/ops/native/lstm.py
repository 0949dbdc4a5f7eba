"""Long short-term memory on the library: what `unrolled.ops.lstm` computes, or None where it is not covered.

Not covered is the projection. Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

import torch
from torch import Tensor

from unrolled.ops.layer_norm import standardise
from unrolled.ops.native.record import (
    addresses,
    axes,
    covered,
    run,
    spread,
    standardised_products,
    strided,
    weight_gradient,
    whole,
)
from unrolled.ops.scan import previous_states, real_steps


def lstm_forward(
    gates_x: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    weight_hh: Tensor,
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
    broadcast = (zoneout_h, zoneout_c, probe_h, probe_c)
    if (norm_cell_gain is None) != (norm_cell_bias is None):
        return None
    if not covered(gates_x, lengths, exact, broadcast, shape, projection=weight_hr is not None):
        return None
    given = whole(gates_x, h_0, weight_hh, norm_hh_gain, hidden_mask)
    own = whole(c_0, peephole, norm_cell_gain, norm_cell_bias)
    (lengths,) = whole(lengths)
    zoneout_h, zoneout_c, probe_h, probe_c = spread(shape, *broadcast)
    hidden, cell, gates = gates_x.new_empty(shape), gates_x.new_empty(shape), gates_x.new_empty(gates_x.shape)
    h_n, c_n = h_0.new_empty(h_0.shape), c_0.new_empty(c_0.shape)
    record = [*axes(shape, lengths, reverse), *addresses(*given), *strided(zoneout_h), *strided(probe_h)]
    record += [*addresses(hidden, h_n, *own), *strided(zoneout_c), *strided(probe_c)]
    record += addresses(cell, c_n, gates)
    run("lstm_forward", record, clip_step, gates_x.dtype)
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
    previous_c = new_c = None
    if peephole is not None or norm_cell_gain is not None:
        previous_c = previous_states(cell, c_0, real_steps(lengths, steps), reverse)
        new_c = cell if zoneout_c is None else _before_zoneout(gates, previous_c, probe_c)
    cell_standard = cell_scale = None
    if norm_cell_gain is not None and new_c is not None:
        cell_standard, cell_scale = standardise(new_c)
    hh_standard = hh_scale = None
    if norm_hh_gain is not None:
        hh_standard, hh_scale = standardised_products(
            hidden, h_0, weight_hh, hidden_mask, lengths, reverse, [4 * units]
        )
    given = whole(hidden, h_0, weight_hh, norm_hh_gain, hidden_mask, hh_standard, hh_scale)
    own = whole(cell, gates, grad_gates, c_0, peephole, norm_cell_gain, norm_cell_bias)
    own += whole(cell_standard, cell_scale)
    grad_h_n, grad_c_n = whole(grad_h_n, grad_c_n)
    grad_hidden, grad_cell, zoneout_h, zoneout_c, seen_probe_c = spread(shape, *broadcast)

    over_gates = gates.new_empty(wide)
    over_product = over_gates if norm_hh_gain is None else gates.new_empty(wide)
    over_hidden = None if probe_h is None else gates.new_empty(shape)
    over_cell = None if probe_c is None else gates.new_empty(shape)
    over_normed = None if norm_cell_gain is None else gates.new_empty(shape)
    over_h_0, over_c_0 = h_0.new_empty(state), c_0.new_empty(state)
    record = [*axes(shape, lengths, reverse), *strided(grad_hidden), *addresses(*given), *strided(zoneout_h)]
    record += addresses(grad_h_n, over_gates, over_product, over_hidden, over_h_0)
    record += [*strided(grad_cell), *addresses(*own), *strided(zoneout_c), *strided(seen_probe_c)]
    record += addresses(grad_c_n, over_cell, over_normed, over_c_0)
    run("lstm_backward", record, clip_step, gates.dtype)

    over_peephole = over_gain = over_bias = None
    if peephole is not None and previous_c is not None and new_c is not None:
        over_i, over_f, _, over_o = over_gates.chunk(4, -1)
        over = [over_i * previous_c, over_f * previous_c, over_o * new_c]
        over_peephole = torch.stack([part.sum((0, 1)) for part in over])
    if over_normed is not None and cell_standard is not None:
        over_gain, over_bias = (over_normed * cell_standard).sum((0, 1)), over_normed.sum((0, 1))
    return (
        over_gates,
        over_h_0,
        over_c_0,
        weight_gradient(over_product, hidden, h_0, hidden_mask, lengths, reverse),
        None,
        over_peephole,
        None if hh_standard is None else (over_gates * hh_standard).sum((0, 1)),
        over_gain,
        over_bias,
        over_hidden,
        over_cell,
    )


def _before_zoneout(gates: Tensor, previous_c: Tensor, probe_c: Tensor | None) -> Tensor:
    """The new cell of every step, of which zoneout then kept a share."""
    gate_i, gate_f, gate_g, _ = gates.chunk(4, -1)
    new_c = gate_f * previous_c + gate_i * gate_g
    return new_c if probe_c is None else new_c + probe_c
