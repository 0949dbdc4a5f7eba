"""A plain cell from its input to its states, and from their gradient to every other, in one call each way.

What `unrolled.ops` splits into a product over all steps, an operator and their gradients is here one
`autograd.Function`: on a short sequence torch's machinery around each of these parts takes longer than the
parts. It also leaves out what only the split needs: the gates overwrite the input's product, an absent
initial state is not made, nothing is kept for a gradient that nobody will ask for, and the padding of a
ragged batch takes part in no product.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor
from torch.nn import functional

from unrolled.ops.direct import unobserved
from unrolled.ops.gru import gru
from unrolled.ops.listening import Listen, listening_probe
from unrolled.ops.lstm import lstm
from unrolled.ops.native import in_use
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import matmul, matmul_both
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.record import addresses, axes, room, run, spread, strided, whole
from unrolled.ops.native.rnn import ACTIVATION_NUMBERS
from unrolled.ops.rnn import rnn
from unrolled.ops.scan import real_steps, zero_padding

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
_ABSENT = (0, 0, 0, 0)
"""A `Strided` of csrc/arguments.h that is not there."""


class Pass(NamedTuple):
    """What a cell is run with. All but the first four are tensors or None.

    Attributes:
        cell: "rnn", "gru" or "lstm".
        activation: of an RNN.
        reverse: scan from the last step to the first.
        listen: hears the norm of every dL/dh_t on the way back, or None; not in a backward pass that is
            itself differentiated.
        values: the input, ``(T, B, I)``.
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        bias_ih: ``(G * H,)``, or None together with bias_hh.
        bias_hh: ``(G * H,)``.
        h_0: ``(B, H)``, or None for zeros.
        c_0: ``(B, H)``, or None for zeros.
        lengths: real steps of each row, ``(B,)`` int64 between 0 and T; past them nothing is read.
    """

    cell: str
    activation: str
    reverse: bool
    listen: Listen | None
    values: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None
    bias_hh: Tensor | None
    h_0: Tensor | None
    c_0: Tensor | None
    lengths: Tensor | None


_TENSORS = Pass._fields.index("values")
"""Where a pass's tensors begin."""


def run_whole(given: Pass) -> tuple[Tensor, ...]:
    """Run a plain cell over all steps.

    Returns:
        All h ``(T, B, H)``, zero past each row's end, and the state at each row's end, ``(B, H)`` each.
    """
    if not (unobserved(given.values, given[_TENSORS:]) and _covered(given)):
        return _in_pieces(given)
    if torch.is_grad_enabled():
        return _Whole.apply(*given)
    return _forward(given, keep=False)[0]


def _in_pieces(given: Pass) -> tuple[Tensor, ...]:
    """The same by the operators, which torch can transform, trace and differentiate as often as one likes."""
    values, reverse, lengths = given.values, given.reverse, given.lengths
    steps, rows, _ = values.shape
    gates_x = functional.linear(
        zero_padding(values, real_steps(lengths, steps)), given.weight_ih, given.bias_ih
    )
    nothing = gates_x.new_zeros(rows, given.weight_hh.shape[1])
    h_0 = nothing if given.h_0 is None else given.h_0
    weights: dict[str, Any] = {"weight_hh": given.weight_hh, "bias_hh": given.bias_hh}
    weights |= {"lengths": lengths, "reverse": reverse}
    if given.listen is not None:
        name = "probe_h" if given.cell == "lstm" else "probe"
        weights[name] = listening_probe(given.listen, h_0, (steps, *h_0.shape))
    if given.cell == "rnn":
        return rnn(gates_x, h_0, activation=given.activation, **weights)[:2]
    if given.cell == "gru":
        return gru(gates_x, h_0, **weights)[:2]
    c_0 = nothing if given.c_0 is None else given.c_0
    hidden, _, h_n, c_n, _ = lstm(gates_x, h_0, c_0, **weights)
    return hidden, h_n, c_n


def _covered(given: Pass) -> bool:
    values, weight = given.values, given.weight_hh
    wide, units = weight.shape
    dtype = values.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return False
    state, bias = (values.shape[1], units), (wide,)
    for tensor, shape in (
        (weight, (_GATES[given.cell] * units, units)),
        (given.weight_ih, (wide, values.shape[2])),
        (given.bias_ih, bias),
        (given.bias_hh, bias),
        (given.h_0, state),
        (given.c_0, state),
    ):
        if tensor is not None and not (
            tensor.shape == shape
            and tensor.dtype is dtype
            and tensor.is_cpu
            and tensor.is_contiguous()
            and not tensor.is_neg()
        ):
            return False
    return values.numel() > 0 and in_use() and library() is not None


class _Kept(NamedTuple):
    """What the backward pass reads of the forward's."""

    values: Tensor  # (N, I)
    hidden: Tensor  # (T, B, H)
    steps: list[Tensor]  # (N, ...) each: the cell's values at every step


def _forward(given: Pass, keep: bool) -> tuple[tuple[Tensor, ...], _Kept, Packing | None]:
    steps, rows, _ = given.values.shape
    units = given.weight_hh.shape[1]
    layout = None if given.lengths is None else packing(given.lengths, steps)
    values = given.values.flatten(0, 1) if layout is None else layout.take(given.values)
    gates = matmul(values, given.weight_ih.t(), given.bias_ih)
    hidden = values.new_empty(steps, rows, units)
    final = [values.new_empty(rows, units) for _ in range(2 if given.cell == "lstm" else 1)]
    record = _axes(given, hidden, layout)
    record += addresses(gates, given.h_0, given.weight_hh, given.bias_hh, None, None)
    record += [*_ABSENT, *_ABSENT, *addresses(hidden, final[0])]
    kept = [gates] if keep else []
    # The gates, in their places.
    if given.cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], *addresses(*kept or (None,))]
    else:
        by_unit = values.new_empty(len(gates), units) if keep else None
        if given.cell == "gru":
            record += addresses(*kept or (None,), by_unit)
        else:
            record += [*addresses(given.c_0, None, None, None), *_ABSENT, *_ABSENT]
            record += addresses(by_unit, final[1], *kept or (None,))
        kept += [] if by_unit is None else [by_unit]
    run(f"{given.cell}_forward", record, 0.0, values.dtype)
    return (hidden, *final), _Kept(values, hidden, kept), layout


def _axes(given: Pass, hidden: Tensor, layout: Packing | None) -> list[int]:
    places = () if layout is None else (layout.offsets, layout.ranks)
    return list(axes(tuple(hidden.shape), given.lengths, given.reverse, *places))


class _Whole(torch.autograd.Function):
    # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
    @staticmethod
    def forward(ctx: Any, *fields: Any) -> tuple[Tensor, ...]:
        given = Pass(*fields)
        results, kept, layout = _forward(given, keep=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given[_TENSORS:], kept.values, kept.hidden, *kept.steps)
        ctx.constants, ctx.layout = given[:_TENSORS], layout
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        count = len(Pass._fields)
        if all(grad is None for grad in grads):
            return (None,) * count
        saved = ctx.saved_tensors
        given = Pass(*ctx.constants, *saved[: count - _TENSORS])
        values, hidden, *steps = saved[count - _TENSORS :]
        needed = dict(zip(Pass._fields, ctx.needs_input_grad, strict=True))
        # With `is_grads_batched` the gradients are of a kind that only torch's own functions know.
        if torch.is_grad_enabled() or any(
            grad is not None and is_legacy_batchedtensor(grad) for grad in grads
        ):
            return tuple(_backward_in_pieces(given, grads, needed))
        return _backward(given, _Kept(values, hidden, steps), ctx.layout, grads, needed)


def _backward_in_pieces(
    given: Pass, grads: Sequence[Tensor | None], needed: Mapping[str, bool]
) -> list[Tensor | None]:
    with torch.enable_grad():
        results = _in_pieces(given)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    receivers = [index for index, name in enumerate(Pass._fields) if needed[name]]
    inputs: list[Any] = [given[index] for index in receivers]
    gradients = torch.autograd.grad(
        [result for result, _ in arrived],
        inputs,
        [grad for _, grad in arrived],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    found: list[Tensor | None] = [None] * len(given)
    for index, gradient in zip(receivers, gradients, strict=True):
        found[index] = gradient
    return found


def _backward(
    given: Pass,
    kept: _Kept,
    layout: Packing | None,
    grads: Sequence[Tensor | None],
    needed: Mapping[str, bool],
) -> tuple[Tensor | None, ...]:
    values, hidden = kept.values, kept.hidden
    gates, *by_unit = kept.steps
    grad_hidden, *last = (None if grad is None else grad.resolve_neg() for grad in grads)
    (grad_hidden,) = spread(hidden.shape, grad_hidden)
    last = whole(*last)

    over_gates = torch.empty_like(gates)
    # A GRU's candidate enters through the reset gate, all else as it is.
    over_product = torch.empty_like(gates) if given.cell == "gru" else over_gates
    over_h_0, over_c_0 = room(given.h_0, needed["h_0"]), room(given.c_0, needed["c_0"])
    over_bias_ih, over_bias_hh = (
        room(given.bias_ih, needed["bias_ih"]),
        room(given.bias_hh, needed["bias_hh"]),
    )
    record = [*_axes(given, hidden, layout), *strided(grad_hidden)]
    record += [*addresses(hidden, given.h_0, given.weight_hh, None, None, None), *_ABSENT]
    squares = None
    if given.listen is not None:
        squares = values.new_zeros(torch.get_num_threads(), *hidden.shape[:2])
    record += addresses(
        last[0], over_gates, over_product, None, squares, over_h_0, over_bias_ih, over_bias_hh, None
    )
    if given.cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], *addresses(gates, None)]
    elif given.cell == "gru":
        record += addresses(gates, *by_unit, None, None)
    else:
        record += [
            *_ABSENT,
            *addresses(*by_unit, gates, None, given.c_0, None, None, None),
            *_ABSENT,
            *_ABSENT,
        ]
        record += addresses(last[1], None, over_c_0, None, None, None)
    run(f"{given.cell}_backward", record, 0.0, values.dtype)
    if given.listen is not None and squares is not None:
        given.listen(squares.sum(0).sqrt_())

    over_values = over_weight_ih = over_weight_hh = None
    if needed["values"]:
        over_values = matmul(over_gates, given.weight_ih)
        steps, rows = hidden.shape[:2]
        over_values = (
            over_values.view(steps, rows, -1) if layout is None else layout.spread(over_values, steps)
        )
    if needed["weight_ih"] and needed["weight_hh"] and over_product is over_gates:
        entered, first = _entered(hidden, layout, given.reverse)
        over_weight_ih, over_weight_hh = matmul_both(over_gates.t(), values, entered, first)
    else:
        if needed["weight_ih"]:
            over_weight_ih = matmul(over_gates.t(), values)
        if needed["weight_hh"]:
            entered, first = _entered(hidden, layout, given.reverse)
            over_weight_hh = matmul(over_product[first : first + len(entered)].t(), entered)
    if over_weight_hh is not None and given.h_0 is not None:
        _add_first(over_weight_hh, over_product, given, layout)
    return (
        *(None,) * _TENSORS,
        over_values,
        over_weight_ih,
        over_weight_hh,
        over_bias_ih,
        over_bias_hh,
        over_h_0,
        over_c_0,
        None,
    )


def _entered(hidden: Tensor, layout: Packing | None, reverse: bool) -> tuple[Tensor, int]:
    """The states that entered a product, but for the initial ones, and the place of the first one's step."""
    flat, rows = hidden.flatten(0, 1), hidden.shape[1]
    if layout is not None:
        return layout.entered(flat, reverse)
    return (flat[rows:], 0) if reverse else (flat[:-rows], rows)


def _add_first(over_weight_hh: Tensor, over_product: Tensor, given: Pass, layout: Packing | None) -> None:
    """Adds what the initial state entered to the gradient of the recurrent matrix."""
    assert given.h_0 is not None
    rows = len(given.h_0)
    if layout is not None:
        first, initial = layout.first(over_product, given.h_0, given.reverse)
    else:
        first, initial = over_product[-rows:] if given.reverse else over_product[:rows], given.h_0
    over_weight_hh.addmm_(first.t(), initial)
