r"""The simple recurrent network over a whole sequence.

Elman (1990). With ``x_t`` the input of step t::

    h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)

where ``act`` is tanh, relu, sigmoid or identity. Everything that depends on ``x`` alone, ``W_ih x + b_ih``,
is one product for all steps and comes in from outside as ``gates_x``. Options, each off where its argument
is None:

- ``bias_hh``: the bias ``b_hh``;
- layer normalisation of the recurrent product with the gain ``norm_hh_gain`` (Ba, Kiros & Hinton 2016);
- ``hidden_mask`` (Gal & Ghahramani 2016): ``W_hh (m * h_{t-1})`` with one mask m for all steps;
- ``zoneout`` (Krueger et al. 2017): ``h_t = d * h_{t-1} + (1 - d) * act(...)``;
- ``clip_step`` (Graves 2013): the gradient with respect to what enters ``act`` is clamped at every step.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Callable

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

ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "tanh": (torch.tanh, lambda value: 1 - value * value),
    "relu": (torch.relu, lambda value: (value > 0).to(value.dtype)),
    "sigmoid": (torch.sigmoid, lambda value: value * (1 - value)),
    "identity": (torch.clone, torch.ones_like),
}
"""Each activation with its derivative, the latter as a function of the activation's value."""


def rnn_reference(
    gates_x: Tensor,
    h_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    probe: Tensor | None = None,
    lengths: Tensor | None = None,
    activation: str = "tanh",
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """The recurrence in plain torch, differentiable by autograd: what every faster version is compared with.

    Args:
        gates_x: what the input adds at every step, ``(T, B, H)``.
        h_0: initial hidden state, ``(B, H)``.
        weight_hh: recurrent matrix, ``(H, H)``.
        bias_hh: added to the recurrent product, ``(H,)``.
        norm_hh_gain: gain of the normalised recurrent product, ``(H,)``.
        hidden_mask: variational dropout of the state, ``(B, H)``.
        zoneout: share of the old h kept at each step, in [0, 1], broadcastable to ``(T, B, H)``.
        probe: added to every h_t, ``(T, B, H)``. Zero in use: its gradient is the total dL/dh_t.
        lengths: real steps of each row, ``(B,)`` int64; past them nothing is read and the state is held.
        activation: a key of `ACTIVATIONS`.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the activation's input; 0 for none.

    Returns:
        All h ``(T, B, H)``, zero past each row's end; h at the end of the scan, ``(B, H)``; the
        activation's values ``(T, B, H)``, zero past each row's end.
    """
    steps = gates_x.shape[0]
    act, _ = ACTIVATIONS[activation]
    real = real_steps(lengths, steps)
    gates_in = zero_padding(gates_x if bias_hh is None else gates_x + bias_hh, real).unbind(0)
    real_at, keep, probes = each_step(real, gates_x), each_step(zoneout, gates_x), each_step(probe, gates_x)
    weight = weight_hh.t()
    h = h_0
    all_h, all_values = [h] * steps, [h] * steps

    for t in step_order(steps, reverse):
        shown = h if hidden_mask is None else h * hidden_mask
        if norm_hh_gain is None:
            entering = torch.addmm(gates_in[t], shown, weight)
        else:
            entering = gates_in[t] + layer_norm(shown @ weight, norm_hh_gain)
        value = act(clamp_gradient(entering, clip_step))
        new_h = value if keep[t] is None else keep[t] * h + (1 - keep[t]) * value
        if probes[t] is not None:
            new_h = new_h + probes[t]
        h = new_h if real_at[t] is None else torch.where(real_at[t], new_h, h)
        all_h[t], all_values[t] = h, value

    return zero_padding(torch.stack(all_h), real), h, zero_padding(torch.stack(all_values), real)


def rnn_backward_reference(
    grad_hidden: Tensor | None,
    grad_h_n: Tensor | None,
    grad_values: Tensor | None,
    hidden: Tensor,
    values: Tensor,
    h_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    probe: Tensor | None = None,
    lengths: Tensor | None = None,
    activation: str = "tanh",
    reverse: bool = False,
    clip_step: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The gradient of `rnn_reference`, backwards over time by hand.

    Past a row's end the keep weights are one, so the gradient is handed through there untouched.

    It takes the gradient of every result of the forward in its order, None where there is none; then from the
    forward's results all h and the activation's values; then everything the forward took except ``gates_x``.

    Returns:
        The gradients of gates_x, h_0, weight_hh, bias_hh, norm_hh_gain, probe; an empty tensor for each
        that was not given.
    """
    steps = values.shape[0]
    _, derivative = ACTIVATIONS[activation]
    real = real_steps(lengths, steps)
    previous = previous_states(hidden, h_0, real, reverse)
    shown = previous if hidden_mask is None else previous * hidden_mask
    standard_hh, scale_hh = each_step(None, values), each_step(None, values)
    if norm_hh_gain is not None:
        standard_hh, scale_hh = (part.unbind(0) for part in standardise(shown @ weight_hh.t()))

    slopes = derivative(values)
    slope = slopes.unbind(0)
    keep = each_step(keep_weights(zoneout, real, values.dtype), values)
    from_h = each_step(None if grad_hidden is None else zero_padding(grad_hidden, real), values)
    direct = each_step(None if grad_values is None else zero_padding(grad_values, real) * slopes, values)
    grad_h = torch.zeros_like(h_0) if grad_h_n is None else grad_h_n
    all_entering, all_product, all_h = [grad_h] * steps, [grad_h] * steps, [grad_h] * steps

    for t in step_order(steps, not reverse):
        grad_h = grad_h if from_h[t] is None else grad_h + from_h[t]
        all_h[t] = grad_h
        grad_entering = (grad_h if keep[t] is None else grad_h * (1 - keep[t])) * slope[t]
        grad_entering = grad_entering if direct[t] is None else grad_entering + direct[t]
        grad_entering = grad_entering.clamp(-clip_step, clip_step) if clip_step else grad_entering
        if norm_hh_gain is None:
            grad_product = grad_entering
        else:
            grad_product = layer_norm_backward(grad_entering, norm_hh_gain, standard_hh[t], scale_hh[t])
        all_entering[t], all_product[t] = grad_entering, grad_product

        kept = None if keep[t] is None else grad_h * keep[t]
        grad_h = grad_product @ weight_hh
        grad_h = grad_h if hidden_mask is None else grad_h * hidden_mask
        grad_h = grad_h if kept is None else grad_h + kept

    grad_gates_x = torch.stack(all_entering)
    grad_products = grad_gates_x if norm_hh_gain is None else torch.stack(all_product)
    absent = values.new_empty
    return (
        grad_gates_x,
        grad_h,
        grad_products.flatten(0, 1).t() @ shown.flatten(0, 1),
        absent(0) if bias_hh is None else grad_gates_x.sum((0, 1)),
        absent(0) if norm_hh_gain is None else (grad_gates_x * torch.stack(standard_hh)).sum((0, 1)),
        absent(0) if probe is None else zero_padding(torch.stack(all_h), real),
    )


rnn, rnn_operator, rnn_backward_operator = recurrence_operators(
    "rnn",
    rnn_reference,
    rnn_backward_reference,
    saved=(0, 2),
    differentiable=("gates_x", "h_0", "weight_hh", "bias_hh", "norm_hh_gain", "probe"),
)


@rnn_operator.register_fake
def _(gates_x: Tensor, h_0: Tensor, *options: object, **more: object) -> tuple[Tensor, ...]:
    return (
        gates_x.new_empty(gates_x.shape),
        h_0.new_empty(h_0.shape),
        gates_x.new_empty(gates_x.shape),
    )


@rnn_backward_operator.register_fake
def _(
    grad_hidden: Tensor | None,
    grad_h_n: Tensor | None,
    grad_values: Tensor | None,
    hidden: Tensor,
    values: Tensor,
    h_0: Tensor,
    weight_hh: Tensor,
    bias_hh: Tensor | None = None,
    norm_hh_gain: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    probe: Tensor | None = None,
    *options: object,
) -> tuple[Tensor, ...]:
    return shaped_like(values, values, h_0, weight_hh, bias_hh, norm_hh_gain, probe)
