r"""Gated recurrent unit over a whole sequence.

Cho et al. (2014), in the form of cuDNN and torch where the reset gate acts after the recurrent product.
With ``x_t`` the input of step t and ``*`` the elementwise product::

    r_t = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)            reset gate
    z_t = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)            update gate
    q_t = W_hn h_{t-1} + b_hn                                       recurrent candidate
    n_t = tanh(W_in x_t + b_in + r_t * q_t)                         candidate
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}                           hidden state

Everything that depends on ``x`` alone is one product for all steps and comes in from outside as
``gates_x``, with the biases ``b_i`` in it. Options, each off where its argument is None:

- ``bias_hh``: the biases ``b_h``, of which the candidate's stands inside the reset gate's product;
- layer normalisation (Ba, Kiros & Hinton 2016): of the recurrent products, r and z together and n by
  itself, with the gain ``norm_hh_gain``;
- ``hidden_mask`` (Gal & Ghahramani 2016): one mask for all steps on the h that enters the recurrent products;
- ``zoneout`` (Krueger et al. 2017): ``h_t = d * h_{t-1} + (1 - d) * (new h)``;
- ``clip_step`` (Graves 2013): the gradient with respect to what enters each gate is clamped at every step.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units. Gates lie in torch's order ``r z n`` along the last
dimension.
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


def gru_reference(
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
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The recurrence in plain torch, differentiable by autograd: what every faster version is compared with.

    Args:
        gates_x: the input's share of every gate, ``(T, B, 3H)``.
        h_0: initial hidden state, ``(B, H)``.
        weight_hh: recurrent matrix, ``(3H, H)``.
        bias_hh: added to the recurrent product, ``(3H,)``.
        norm_hh_gain: gains of the normalised recurrent products, ``(3H,)``.
        hidden_mask: variational dropout of the state, ``(B, H)``.
        zoneout: share of the old h kept at each step, in [0, 1], broadcastable to ``(T, B, H)``.
        probe: added to every h_t, ``(T, B, H)``. Zero in use: its gradient is the total dL/dh_t.
        lengths: real steps of each row, ``(B,)`` int64; past them nothing is read and the state is held.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.

    Returns:
        All h ``(T, B, H)``, zero past each row's end; h at the end of the scan, ``(B, H)``; the values of
        r, z and n ``(T, B, 3H)``; the recurrent candidate q ``(T, B, H)``, both zero past each row's end.
    """
    steps, hidden_size = gates_x.shape[0], h_0.shape[1]
    sizes = [2 * hidden_size, hidden_size]
    real = real_steps(lengths, steps)
    gates_in = zero_padding(gates_x, real).unbind(0)
    real_at, keep, probes = each_step(real, gates_x), each_step(zoneout, gates_x), each_step(probe, gates_x)
    weight = weight_hh.t()
    h = h_0
    all_h, all_gates, all_q = [h] * steps, [h] * steps, [h] * steps

    for t in step_order(steps, reverse):
        shown = h if hidden_mask is None else h * hidden_mask
        product_rz, q = (shown @ weight).split(sizes, 1)
        if norm_hh_gain is not None:
            gain_rz, gain_n = norm_hh_gain.split(sizes)
            product_rz, q = layer_norm(product_rz, gain_rz), layer_norm(q, gain_n)
        if bias_hh is not None:
            product_rz, q = product_rz + bias_hh[: 2 * hidden_size], q + bias_hh[2 * hidden_size :]
        in_rz, in_n = gates_in[t].split(sizes, 1)
        gate_rz = torch.sigmoid(clamp_gradient(in_rz + product_rz, clip_step))
        gate_r, gate_z = gate_rz.chunk(2, 1)
        gate_n = torch.tanh(clamp_gradient(torch.addcmul(in_n, gate_r, q), clip_step))
        new_h = torch.addcmul(gate_n, gate_z, h - gate_n)
        if keep[t] is not None:
            new_h = keep[t] * h + (1 - keep[t]) * new_h
        if probes[t] is not None:
            new_h = new_h + probes[t]

        h = new_h if real_at[t] is None else torch.where(real_at[t], new_h, h)
        all_h[t], all_gates[t], all_q[t] = h, torch.cat([gate_rz, gate_n], 1), q

    return (
        zero_padding(torch.stack(all_h), real),
        h,
        zero_padding(torch.stack(all_gates), real),
        zero_padding(torch.stack(all_q), real),
    )


def gru_backward_reference(
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
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradient of `gru_reference`, backwards over time by hand.

    Only what depends on the step after stays in the loop. Past a row's end all gates are zero and the keep
    weights one, so the gradient is handed through there untouched.

    It takes the gradient of every result of the forward in its order, None where there is none; then from the
    forward's results all h, the gates and the recurrent candidates; then everything the forward took except
    ``gates_x``.

    Returns:
        The gradients of gates_x, h_0, weight_hh, bias_hh, norm_hh_gain, probe; an empty tensor for each
        that was not given.
    """
    steps, hidden_size = gates.shape[0], h_0.shape[1]
    sizes = [2 * hidden_size, hidden_size]
    real = real_steps(lengths, steps)
    previous = previous_states(hidden, h_0, real, reverse)
    shown = previous if hidden_mask is None else previous * hidden_mask
    gate_r, gate_z, gate_n = gates.chunk(3, -1)

    none = each_step(None, gates)
    standard_rz, scale_rz, standard_n, scale_n = none, none, none, none
    gain_rz, gain_n = (None, None) if norm_hh_gain is None else norm_hh_gain.split(sizes)
    if norm_hh_gain is not None:
        product_rz, product_n = (shown @ weight_hh.t()).split(sizes, -1)
        standard_rz, scale_rz = (part.unbind(0) for part in standardise(product_rz))
        standard_n, scale_n = (part.unbind(0) for part in standardise(product_n))

    # What multiplies the incoming gradient at every step, known before the loop. The backwards of sigmoid and
    # tanh take their results: sigmoid_backward(a, s) = a s (1 - s), tanh_backward(a, s) = a (1 - s^2).
    slope_n = tanh_backward(1 - gate_z, gate_n).unbind(0)
    slope_z = sigmoid_backward(previous - gate_n, gate_z).unbind(0)
    slope_r = sigmoid_backward(q, gate_r).unbind(0)
    reset, update = gate_r.unbind(0), gate_z.unbind(0)
    keep = each_step(keep_weights(zoneout, real, gates.dtype), gates)
    from_h = each_step(None if grad_hidden is None else zero_padding(grad_hidden, real), gates)
    from_q = each_step(None if grad_q is None else zero_padding(grad_q, real), gates)
    from_r, from_z, from_n = none, none, none
    if grad_gates is not None:
        direct_r, direct_z, direct_n = zero_padding(grad_gates, real).chunk(3, -1)
        from_r = sigmoid_backward(direct_r, gate_r).unbind(0)
        from_z = sigmoid_backward(direct_z, gate_z).unbind(0)
        from_n = tanh_backward(direct_n, gate_n).unbind(0)

    def clip(grad: Tensor) -> Tensor:
        return grad.clamp(-clip_step, clip_step) if clip_step else grad

    grad_h = torch.zeros_like(h_0) if grad_h_n is None else grad_h_n
    all_rz, all_n, all_q = [grad_h] * steps, [grad_h] * steps, [grad_h] * steps
    all_product, all_h = [grad_h] * steps, [grad_h] * steps

    for t in step_order(steps, not reverse):
        grad_h = grad_h if from_h[t] is None else grad_h + from_h[t]
        all_h[t] = grad_h
        grad_new = grad_h if keep[t] is None else grad_h * (1 - keep[t])

        grad_n = grad_new * slope_n[t]
        grad_n = clip(grad_n if from_n[t] is None else grad_n + from_n[t])
        grad_z = grad_new * slope_z[t]
        grad_z = grad_z if from_z[t] is None else grad_z + from_z[t]
        grad_r = grad_n * slope_r[t]
        grad_r = grad_r if from_r[t] is None else grad_r + from_r[t]
        grad_rz = clip(torch.cat([grad_r, grad_z], 1))
        grad_q_t = grad_n * reset[t]
        grad_q_t = grad_q_t if from_q[t] is None else grad_q_t + from_q[t]
        all_rz[t], all_n[t], all_q[t] = grad_rz, grad_n, grad_q_t
        if gain_rz is not None and gain_n is not None:
            grad_rz = layer_norm_backward(grad_rz, gain_rz, standard_rz[t], scale_rz[t])
            grad_q_t = layer_norm_backward(grad_q_t, gain_n, standard_n[t], scale_n[t])
        all_product[t] = torch.cat([grad_rz, grad_q_t], 1)

        through = grad_new * update[t]
        kept = through if keep[t] is None else through + grad_h * keep[t]
        grad_h = all_product[t] @ weight_hh
        grad_h = kept + (grad_h if hidden_mask is None else grad_h * hidden_mask)

    grad_rz, grad_q_all = torch.stack(all_rz), torch.stack(all_q)
    absent = gates.new_empty
    grad_gain = absent(0)
    if norm_hh_gain is not None:
        over_rz, over_n = grad_rz * torch.stack(standard_rz), grad_q_all * torch.stack(standard_n)
        grad_gain = torch.cat([over_rz, over_n], -1).sum((0, 1))
    return (
        torch.cat([grad_rz, torch.stack(all_n)], -1),
        grad_h,
        torch.stack(all_product).flatten(0, 1).t() @ shown.flatten(0, 1),
        absent(0) if bias_hh is None else torch.cat([grad_rz, grad_q_all], -1).sum((0, 1)),
        grad_gain,
        absent(0) if probe is None else zero_padding(torch.stack(all_h), real),
    )


gru, gru_operator, gru_backward_operator = recurrence_operators(
    "gru",
    gru_reference,
    gru_backward_reference,
    saved=(0, 2, 3),
    differentiable=("gates_x", "h_0", "weight_hh", "bias_hh", "norm_hh_gain", "probe"),
)


@gru_operator.register_fake
def _(gates_x: Tensor, h_0: Tensor, *options: object, **more: object) -> tuple[Tensor, ...]:
    steps = gates_x.shape[0]
    return (
        gates_x.new_empty(steps, *h_0.shape),
        h_0.new_empty(h_0.shape),
        gates_x.new_empty(gates_x.shape),
        gates_x.new_empty(steps, *h_0.shape),
    )


@gru_backward_operator.register_fake
def _(
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
    *options: object,
) -> tuple[Tensor, ...]:
    return shaped_like(gates, gates, h_0, weight_hh, bias_hh, norm_hh_gain, probe)
