"""Simple recurrent networks on the library: what `unrolled.ops.rnn` computes, or None where not covered.

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

ACTIVATION_NUMBERS = {"tanh": 0, "relu": 1, "sigmoid": 2, "identity": 3}
"""`Activation` of csrc/activation.h."""


def rnn_forward(
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
) -> tuple[Tensor, ...] | None:
    """See `unrolled.ops.rnn.rnn_reference`."""
    shape = tuple(gates_x.shape)
    exact = [(h_0, shape[1:]), (weight_hh, (*shape[2:], *shape[2:]))]
    exact += [(bias_hh, shape[2:]), (norm_hh_gain, shape[2:]), (hidden_mask, shape[1:])]
    if activation not in ACTIVATION_NUMBERS or not covered(gates_x, lengths, exact, (zoneout, probe), shape):
        return None
    given = whole(gates_x, h_0, None, weight_hh, None, bias_hh)
    lengths, gain, hidden_mask = whole(lengths, norm_hh_gain, hidden_mask)
    zoneout, probe = spread(shape, zoneout, probe)
    hidden, values = gates_x.new_empty(shape), gates_x.new_empty(shape)
    h_n = h_0.new_empty(h_0.shape)
    numbers = head(shape, reverse, clip_step, gates_x.dtype, ACTIVATION_NUMBERS[activation])
    tensors = [*NO_INPUTS, *given, hidden, h_n, None, values, None]
    special = options(ragged(lengths), (None, gain, None, None), None, hidden_mask, zoneout)
    run("rnn_forward", [(numbers, tensors, [*special, *strided(probe), None])])
    return hidden, h_n, values


def rnn_backward(
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
) -> tuple[Tensor | None, ...] | None:
    """See `unrolled.ops.rnn.rnn_backward_reference`; None for the gradient of what is absent."""
    shape = tuple(values.shape)
    exact = [(hidden, shape), (grad_values, shape), (grad_h_n, shape[1:]), (h_0, shape[1:])]
    exact += [(weight_hh, (*shape[2:], *shape[2:])), (norm_hh_gain, shape[2:]), (hidden_mask, shape[1:])]
    if activation not in ACTIVATION_NUMBERS or not covered(
        values, lengths, exact, (grad_hidden, zoneout), shape
    ):
        return None
    (lengths,) = whole(lengths)
    products = None
    if norm_hh_gain is not None:
        products = recurrent_products(hidden, h_0, weight_hh, hidden_mask, lengths, reverse)
    given = whole(hidden, h_0, None, weight_hh, values, None, grad_h_n, None)
    gain, hidden_mask, grad_values = whole(norm_hh_gain, hidden_mask, grad_values)
    grad_hidden, zoneout = spread(shape, grad_hidden, zoneout)

    over_gates = values.new_empty(shape)
    over_product = over_gates if norm_hh_gain is None else values.new_empty(shape)
    over_hidden = None if probe is None else values.new_empty(shape)
    over_h_0 = h_0.new_empty(h_0.shape)
    over_bias, over_gain = room(bias_hh), room(norm_hh_gain)
    grad_hidden, *strides = strided(grad_hidden)
    of_all = head(shape, reverse, clip_step, values.dtype, ACTIVATION_NUMBERS[activation])
    numbers = [*of_all, 0, 0, *strides]
    tensors = [*NO_INPUTS, None, None, None, grad_hidden, *given]
    tensors += [over_gates, over_product, over_h_0, None, None, over_bias, None]
    special = options(ragged(lengths), (None, gain, None, None), None, hidden_mask, zoneout)
    special += [None, products, *ABSENT, grad_values, None, over_hidden, None, None, over_gain]
    run("rnn_backward", [(numbers, tensors, [*special, None, None, None])])
    over_weight = weight_gradient(over_product, hidden, h_0, hidden_mask, lengths, reverse)
    return over_gates, over_h_0, over_weight, over_bias, over_gain, over_hidden
