r"""Long short-term memory over a whole sequence.

Hochreiter & Schmidhuber (1997), with the forget gate of Gers, Schmidhuber & Cummins (2000). With ``x_t``
the input of step t and ``*`` the elementwise product::

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)         input gate
    f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)         forget gate
    g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)         candidate
    o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)         output gate
    c_t = f_t * c_{t-1} + i_t * g_t                              cell
    h_t = o_t * tanh(c_t)                                        hidden state

Everything that depends on ``x`` alone, ``gates_x = W_ih x + b_ih``, is one product for all steps and comes
in from outside. Options, each off where its argument is None:

- ``bias_hh``: the biases ``b_h``;
- projection ``weight_hr`` (Sak, Senior & Beaufays 2014): ``h_t = W_hr (o_t * tanh(c_t))``;
- ``peephole`` (Gers & Schmidhuber 2000): ``p_i * c_{t-1}``, ``p_f * c_{t-1}`` and ``p_o * c_t`` enter the
  gates;
- layer normalisation (Ba, Kiros & Hinton 2016): ``LN(W_hh h_{t-1}; norm_hh_gain)`` over all four gates, and
  ``h_t = o_t * tanh(LN(c_t; norm_cell_gain) + norm_cell_bias)``;
- ``hidden_mask`` (Gal & Ghahramani 2016): ``W_hh (m * h_{t-1})`` with one mask m for all steps;
- ``zoneout_h``, ``zoneout_c`` (Krueger et al. 2017): ``h_t = d_h * h_{t-1} + (1 - d_h) * (new h)`` and
  likewise for the cell, where the new h is computed from the new cell before zoneout;
- ``clip_step`` (Graves 2013): the gradient with respect to what enters each gate is clamped at every step.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``P`` units of h (``H`` without projection). Gates lie
in torch's order ``i f g o`` along the last dimension.
"""

import torch
from torch import Tensor

from unrolled.ops.layer_norm import layer_norm, layer_norm_backward, standardise
from unrolled.ops.operator import recurrence_operators, shaped_like
from unrolled.ops.scan import (
    clamp_gradient,
    each_step,
    keep_weights,
    previous_states,
    real_steps,
    step_order,
    zero_padding,
)

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


def lstm_reference(
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
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The recurrence in plain torch, differentiable by autograd: what every faster version is compared with.

    Args:
        gates_x: the input's share of every gate, ``(T, B, 4H)``.
        h_0: initial hidden state, ``(B, P)``.
        c_0: initial cell, ``(B, H)``.
        weight_hh: recurrent matrix, ``(4H, P)``.
        bias_hh: added to the recurrent product, ``(4H,)``.
        weight_hr: projection, ``(P, H)``.
        peephole: weights from the cell to the input, forget and output gate, ``(3, H)``.
        norm_hh_gain: gain of the normalised recurrent product, ``(4H,)``.
        norm_cell_gain: gain of the normalised cell on its way to h, ``(H,)``.
        norm_cell_bias: shift of the cell on its way to h, ``(H,)``.
        hidden_mask: variational dropout of the state, ``(B, P)``.
        zoneout_h: share of the old h kept at each step, in [0, 1], broadcastable to ``(T, B, P)``.
        zoneout_c: the same for the cell, broadcastable to ``(T, B, H)``.
        probe_h: added to every h_t, ``(T, B, P)``. Zero in use: its gradient is the total dL/dh_t.
        probe_c: added to every c_t, ``(T, B, H)``. Its gradient is the total dL/dc_t.
        lengths: real steps of each row, ``(B,)`` int64; past them nothing is read and the state is held.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.

    Returns:
        All h ``(T, B, P)`` and all c ``(T, B, H)``, zero past each row's end; h and c at the end of the scan,
        ``(B, P)`` and ``(B, H)``; the gates' values ``(T, B, 4H)``, zero past each row's end.
    """
    steps, hidden_size = gates_x.shape[0], c_0.shape[1]
    real = real_steps(lengths, steps)
    gates_in = zero_padding(gates_x if bias_hh is None else gates_x + bias_hh, real).unbind(0)
    real_at = each_step(real, gates_x)
    keep_h, keep_c = each_step(zoneout_h, gates_x), each_step(zoneout_c, gates_x)
    probes_h, probes_c = each_step(probe_h, gates_x), each_step(probe_c, gates_x)
    weight = weight_hh.t()
    h, c = h_0, c_0
    all_h, all_c = [h] * steps, [c] * steps
    # Joined after the loop: a join at every step takes memory from the system each time.
    all_if, all_g, all_o = [h] * steps, [h] * steps, [h] * steps

    for t in step_order(steps, reverse):
        shown = h if hidden_mask is None else h * hidden_mask
        if norm_hh_gain is None:
            entering = torch.addmm(gates_in[t], shown, weight)
        else:
            entering = gates_in[t] + layer_norm(shown @ weight, norm_hh_gain)
        enter_if, enter_g, enter_o = entering.split([2 * hidden_size, hidden_size, hidden_size], 1)
        if peephole is not None:
            enter_if = enter_if + torch.cat([peephole[0] * c, peephole[1] * c], 1)
        gate_if = torch.sigmoid(clamp_gradient(enter_if, clip_step))
        gate_i, gate_f = gate_if.chunk(2, 1)
        gate_g = torch.tanh(clamp_gradient(enter_g, clip_step))

        new_c = torch.addcmul(gate_f * c, gate_i, gate_g)
        next_c = new_c if keep_c[t] is None else keep_c[t] * c + (1 - keep_c[t]) * new_c
        if probes_c[t] is not None:
            new_c, next_c = new_c + probes_c[t], next_c + probes_c[t]

        if peephole is not None:
            enter_o = enter_o + peephole[2] * new_c
        gate_o = torch.sigmoid(clamp_gradient(enter_o, clip_step))
        entering_h = new_c if norm_cell_gain is None else layer_norm(new_c, norm_cell_gain)
        if norm_cell_bias is not None:
            entering_h = entering_h + norm_cell_bias
        new_h = gate_o * torch.tanh(entering_h)
        if weight_hr is not None:
            new_h = new_h @ weight_hr.t()
        if keep_h[t] is not None:
            new_h = keep_h[t] * h + (1 - keep_h[t]) * new_h
        if probes_h[t] is not None:
            new_h = new_h + probes_h[t]

        h = new_h if real_at[t] is None else torch.where(real_at[t], new_h, h)
        c = next_c if real_at[t] is None else torch.where(real_at[t], next_c, c)
        all_h[t], all_c[t] = h, c
        all_if[t], all_g[t], all_o[t] = gate_if, gate_g, gate_o

    return (
        zero_padding(torch.stack(all_h), real),
        zero_padding(torch.stack(all_c), real),
        h,
        c,
        zero_padding(torch.cat([torch.stack(gate) for gate in (all_if, all_g, all_o)], -1), real),
    )


def lstm_backward_reference(
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
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradient of `lstm_reference`, backwards over time by hand.

    Only what depends on the step after stays in the loop; the factors that depend on the forward's results
    alone are computed for all steps before it, weight gradients for all steps after it. Past a row's end
    all gates are zero and the keep weights one, so the gradient is handed through there untouched.

    It takes the gradient of every result of the forward in its order, None where there is none; then from the
    forward's results all h, all c and the gates; then everything the forward took except ``gates_x``.

    Returns:
        The gradients of gates_x, h_0, c_0, weight_hh, bias_hh, weight_hr, peephole, norm_hh_gain,
        norm_cell_gain, norm_cell_bias, probe_h, probe_c; an empty tensor for each that was not given.
    """
    steps = gates.shape[0]
    real = real_steps(lengths, steps)
    previous_h = previous_states(hidden, h_0, real, reverse)
    previous_c = previous_states(cell, c_0, real, reverse)
    shown = previous_h if hidden_mask is None else previous_h * hidden_mask
    gate_i, gate_f, gate_g, gate_o = gates.chunk(4, -1)

    if zoneout_c is None:
        new_c = cell
    else:
        new_c = gate_f * previous_c + gate_i * gate_g
        new_c = new_c if probe_c is None else new_c + probe_c
    standard_c, scale_c = each_step(None, gates), each_step(None, gates)
    entering_h = new_c
    if norm_cell_gain is not None:
        standard, scale = standardise(new_c)
        entering_h = standard * norm_cell_gain
        standard_c, scale_c = standard.unbind(0), scale.unbind(0)
    squashed = torch.tanh(entering_h if norm_cell_bias is None else entering_h + norm_cell_bias)
    standard_hh, scale_hh = each_step(None, gates), each_step(None, gates)
    if norm_hh_gain is not None:
        standard, scale = standardise(shown @ weight_hh.t())
        standard_hh, scale_hh = standard.unbind(0), scale.unbind(0)

    # What multiplies the incoming gradient at every step, known before the loop. The backwards of sigmoid and
    # tanh take their results: sigmoid_backward(a, s) = a s (1 - s), tanh_backward(a, s) = a (1 - s^2).
    slope_c = tanh_backward(gate_o, squashed).unbind(0)
    slope_o = sigmoid_backward(squashed, gate_o).unbind(0)
    slope_i, slope_f = sigmoid_backward(gate_g, gate_i), sigmoid_backward(previous_c, gate_f)
    slope_ifg = torch.stack([slope_i, slope_f, tanh_backward(gate_i, gate_g)], 2).unbind(0)
    forget = gate_f.unbind(0)
    keep_h = each_step(keep_weights(zoneout_h, real, gates.dtype), gates)
    keep_c = each_step(keep_weights(zoneout_c, real, gates.dtype), gates)
    from_h = each_step(None if grad_hidden is None else zero_padding(grad_hidden, real), gates)
    from_c = each_step(None if grad_cell is None else zero_padding(grad_cell, real), gates)
    from_ifg, from_o = each_step(None, gates), each_step(None, gates)
    if grad_gates is not None:
        over_i, over_f, over_g, over_o = zero_padding(grad_gates, real).chunk(4, -1)
        through = [sigmoid_backward(over_i, gate_i), sigmoid_backward(over_f, gate_f)]
        from_ifg = torch.cat([*through, tanh_backward(over_g, gate_g)], -1).unbind(0)
        from_o = sigmoid_backward(over_o, gate_o).unbind(0)

    grad_h = torch.zeros_like(h_0) if grad_h_n is None else grad_h_n
    grad_c = torch.zeros_like(c_0) if grad_c_n is None else grad_c_n
    all_entering, all_product = [grad_h] * steps, [grad_h] * steps
    all_h, all_c = [grad_h] * steps, [grad_c] * steps
    all_projected, all_normed = [grad_h] * steps, [grad_c] * steps

    for t in step_order(steps, not reverse):
        grad_h = grad_h if from_h[t] is None else grad_h + from_h[t]
        grad_c = grad_c if from_c[t] is None else grad_c + from_c[t]
        grad_exposed = grad_h if keep_h[t] is None else grad_h * (1 - keep_h[t])
        all_projected[t] = grad_exposed
        if weight_hr is not None:
            grad_exposed = grad_exposed @ weight_hr

        grad_o = grad_exposed * slope_o[t]
        grad_o = grad_o if from_o[t] is None else grad_o + from_o[t]
        grad_o = grad_o.clamp(-clip_step, clip_step) if clip_step else grad_o
        grad_new = grad_exposed * slope_c[t]
        all_normed[t] = grad_new
        if norm_cell_gain is not None:
            grad_new = layer_norm_backward(grad_new, norm_cell_gain, standard_c[t], scale_c[t])
        if peephole is not None:
            grad_new = torch.addcmul(grad_new, grad_o, peephole[2])
        all_c[t] = grad_c + grad_new
        grad_new = all_c[t] if keep_c[t] is None else grad_new + grad_c * (1 - keep_c[t])

        grad_ifg = (grad_new.unsqueeze(1) * slope_ifg[t]).flatten(1)
        grad_ifg = grad_ifg if from_ifg[t] is None else grad_ifg + from_ifg[t]
        grad_ifg = grad_ifg.clamp(-clip_step, clip_step) if clip_step else grad_ifg
        grad_entering = torch.cat([grad_ifg, grad_o], 1)
        if norm_hh_gain is None:
            grad_product = grad_entering
        else:
            grad_product = layer_norm_backward(grad_entering, norm_hh_gain, standard_hh[t], scale_hh[t])
        all_h[t], all_entering[t], all_product[t] = grad_h, grad_entering, grad_product

        kept_h = None if keep_h[t] is None else grad_h * keep_h[t]
        grad_h = grad_product @ weight_hh
        grad_h = grad_h if hidden_mask is None else grad_h * hidden_mask
        grad_h = grad_h if kept_h is None else grad_h + kept_h
        kept_c = None if keep_c[t] is None else grad_c * keep_c[t]
        grad_c = grad_new * forget[t]
        grad_c = grad_c if kept_c is None else grad_c + kept_c
        if peephole is not None:
            grad_i, grad_f, _ = grad_ifg.chunk(3, 1)
            grad_c = grad_c + grad_i * peephole[0] + grad_f * peephole[1]

    grad_gates_x = torch.stack(all_entering)
    grad_products = grad_gates_x if norm_hh_gain is None else torch.stack(all_product)
    absent = gates.new_empty
    grad_peephole = absent(0)
    if peephole is not None:
        over_i, over_f, _, over_o = grad_gates_x.chunk(4, -1)
        grad_peephole = torch.stack(
            [
                (over_i * previous_c).sum((0, 1)),
                (over_f * previous_c).sum((0, 1)),
                (over_o * new_c).sum((0, 1)),
            ]
        )
    grad_cell_gain = absent(0)
    if norm_cell_gain is not None:
        grad_cell_gain = (torch.stack(all_normed) * torch.stack(standard_c)).sum((0, 1))
    return (
        grad_gates_x,
        grad_h,
        grad_c,
        grad_products.flatten(0, 1).t() @ shown.flatten(0, 1),
        absent(0) if bias_hh is None else grad_gates_x.sum((0, 1)),
        absent(0)
        if weight_hr is None
        else torch.stack(all_projected).flatten(0, 1).t() @ (gate_o * squashed).flatten(0, 1),
        grad_peephole,
        absent(0) if norm_hh_gain is None else (grad_gates_x * torch.stack(standard_hh)).sum((0, 1)),
        grad_cell_gain,
        absent(0) if norm_cell_bias is None else torch.stack(all_normed).sum((0, 1)),
        absent(0) if probe_h is None else zero_padding(torch.stack(all_h), real),
        absent(0) if probe_c is None else zero_padding(torch.stack(all_c), real),
    )


lstm, lstm_operator, lstm_backward_operator = recurrence_operators(
    "lstm",
    lstm_reference,
    lstm_backward_reference,
    saved=(0, 1, 4),
    differentiable=(
        "gates_x",
        "h_0",
        "c_0",
        "weight_hh",
        "bias_hh",
        "weight_hr",
        "peephole",
        "norm_hh_gain",
        "norm_cell_gain",
        "norm_cell_bias",
        "probe_h",
        "probe_c",
    ),
)


@lstm_operator.register_fake
def _(gates_x: Tensor, h_0: Tensor, c_0: Tensor, *options: object, **more: object) -> tuple[Tensor, ...]:
    steps = gates_x.shape[0]
    return (
        gates_x.new_empty(steps, *h_0.shape),
        gates_x.new_empty(steps, *c_0.shape),
        h_0.new_empty(h_0.shape),
        c_0.new_empty(c_0.shape),
        gates_x.new_empty(gates_x.shape),
    )


@lstm_backward_operator.register_fake
def _(
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
    *options: object,
) -> tuple[Tensor, ...]:
    always = (gates, h_0, c_0, weight_hh)
    optional = (bias_hh, weight_hr, peephole, norm_hh_gain, norm_cell_gain, norm_cell_bias, probe_h, probe_c)
    return shaped_like(gates, *always, *optional)
