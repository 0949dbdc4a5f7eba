"""A cell from its input to its states, and from their gradient to every other, in one call each way.

What `unrolled.ops` splits into a product over all steps, an operator and their gradients is here one
`autograd.Function`: on a short sequence torch's machinery around each of these parts takes longer than the
parts, and on a long one what is handed from one to the next is written to memory and read again. It also
leaves out what only the split needs: the gates overwrite the input's product, an absent initial state is not
made, nothing is kept for a gradient that nobody will ask for, and the padding of a ragged batch takes part in
no product.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from unrolled.ops.direct import unobserved
from unrolled.ops.gru import gru
from unrolled.ops.inputs import project_input
from unrolled.ops.listening import Listen, listening_probe
from unrolled.ops.lstm import lstm
from unrolled.ops.native import in_use
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import matmul, matmul_both
from unrolled.ops.native.memory import empty, large
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.record import addresses, axes, broadcasts, room, run, spread, strided, whole
from unrolled.ops.native.rnn import ACTIVATION_NUMBERS
from unrolled.ops.rnn import rnn
from unrolled.ops.scan import real_steps, zero_padding

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
_ABSENT = (0, 0, 0, 0)
"""A `Strided` of csrc/arguments.h that is not there."""


class Pass(NamedTuple):
    """What a cell is run with; what `unrolled.ops.rnn`, `gru` and `lstm` say of each argument holds here too.

    Attributes:
        cell: "rnn", "gru" or "lstm".
        activation: of an RNN.
        reverse: scan from the last step to the first.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.
        listen: hears the norm of every dL/dh_t on the way back, or None; not in a backward pass that is
            itself differentiated.
        values: the input, ``(T, B, I)``.
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        bias_ih: ``(G * H,)``, or None.
        bias_hh: ``(G * H,)``, or None.
        h_0: ``(B, H)``, or None for zeros.
        c_0: LSTM: ``(B, H)``, or None for zeros.
        lengths: real steps of each row, ``(B,)`` int64 between 0 and T; past them nothing is read.
        norm_ih_gain: of the normalised input's product, ``(G * H,)``, or None.
        norm_hh_gain: of the normalised recurrent product, ``(G * H,)``, or None.
        norm_cell_gain: LSTM: ``(H,)``, or None together with norm_cell_bias.
        norm_cell_bias: LSTM: ``(H,)``.
        peephole: LSTM: ``(3, H)``, or None.
        hidden_mask: ``(B, H)``, or None.
        zoneout_h: broadcastable to ``(T, B, H)``, or None.
        zoneout_c: LSTM: the same for its cell.
    """

    cell: str
    activation: str
    reverse: bool
    clip_step: float
    listen: Listen | None
    values: Tensor
    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None
    h_0: Tensor | None = None
    c_0: Tensor | None = None
    lengths: Tensor | None = None
    norm_ih_gain: Tensor | None = None
    norm_hh_gain: Tensor | None = None
    norm_cell_gain: Tensor | None = None
    norm_cell_bias: Tensor | None = None
    peephole: Tensor | None = None
    hidden_mask: Tensor | None = None
    zoneout_h: Tensor | None = None
    zoneout_c: Tensor | None = None


_TENSORS = Pass._fields.index("values")
_OPTIONS = Pass._fields.index("norm_ih_gain")
"""Where a pass's tensors begin, and the optional ones."""


def run_whole(given: Pass) -> tuple[Tensor, ...]:
    """Run a cell over all steps.

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
    values, lengths = given.values, given.lengths
    steps, rows, _ = values.shape
    gates_x = project_input(
        zero_padding(values, real_steps(lengths, steps)),
        given.weight_ih,
        given.bias_ih,
        given.norm_ih_gain,
        given.cell,
    )
    nothing = gates_x.new_zeros(rows, given.weight_hh.shape[1])
    h_0 = nothing if given.h_0 is None else given.h_0
    named = ("weight_hh", "bias_hh", "norm_hh_gain", "hidden_mask", "lengths", "reverse", "clip_step")
    options: dict[str, Any] = {name: getattr(given, name) for name in named}
    heard = None
    if given.listen is not None:
        heard = listening_probe(given.listen, h_0, (steps, *h_0.shape))
    if given.cell == "rnn":
        options |= {"activation": given.activation, "zoneout": given.zoneout_h, "probe": heard}
        return rnn(gates_x, h_0, **options)[:2]
    if given.cell == "gru":
        return gru(gates_x, h_0, zoneout=given.zoneout_h, probe=heard, **options)[:2]
    own = ("norm_cell_gain", "norm_cell_bias", "peephole", "zoneout_h", "zoneout_c")
    options |= {name: getattr(given, name) for name in own}
    c_0 = nothing if given.c_0 is None else given.c_0
    hidden, _, h_n, c_n, _ = lstm(gates_x, h_0, c_0, probe_h=heard, **options)
    return hidden, h_n, c_n


def _covered(given: Pass) -> bool:
    values, weight = given.values, given.weight_hh
    wide, units = weight.shape
    dtype = values.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return False
    state, bias = (values.shape[1], units), (wide,)
    fits = _all_fit(
        dtype,
        (weight, (_GATES[given.cell] * units, units)),
        (given.weight_ih, (wide, values.shape[2])),
        (given.bias_ih, bias),
        (given.bias_hh, bias),
        (given.h_0, state),
        (given.c_0, state),
    )
    if fits and _has_options(given):
        fits = _all_fit(
            dtype,
            (given.norm_ih_gain, bias),
            (given.norm_hh_gain, bias),
            (given.norm_cell_gain, (units,)),
            (given.norm_cell_bias, (units,)),
            (given.peephole, (3, units)),
            (given.hidden_mask, state),
        ) and all(
            each is None or broadcasts(each, (len(values), *state), dtype)
            for each in (given.zoneout_h, given.zoneout_c)
        )
    return fits and values.numel() > 0 and in_use() and library() is not None


def _has_options(given: Pass) -> bool:
    return any(option is not None for option in given[_OPTIONS:])


def _all_fit(dtype: torch.dtype, *wanted: tuple[Tensor | None, tuple[int, ...]]) -> bool:
    """Whether each tensor, if it is there, has its shape and can be read by its address."""
    for tensor, shape in wanted:
        if tensor is not None and not (
            tensor.shape == shape
            and tensor.dtype is dtype
            and tensor.is_cpu
            and tensor.is_contiguous()
            and not tensor.is_neg()
        ):
            return False
    return True


class _Kept(NamedTuple):
    """What the backward pass reads of the forward's."""

    values: Tensor  # (N, I)
    hidden: Tensor  # (T, B, H)
    gates: Tensor | None  # (N, G * H), after their activations; None where they are the states
    by_unit: Tensor | None  # (N, H): an LSTM's cells, the recurrent part of a GRU's candidate
    gates_x: Tensor | None  # (N, G * H), the input's product, where it is normalised
    products: Tensor | None  # (N, G * H), the recurrent product, where it is normalised


def _forward(given: Pass, keep: bool) -> tuple[tuple[Tensor, ...], _Kept, Packing | None]:
    steps, rows, _ = given.values.shape
    units = given.weight_hh.shape[1]
    layout = None if given.lengths is None else packing(given.lengths, steps)
    values = given.values.flatten(0, 1) if layout is None else layout.take(given.values)
    gates_x = matmul(values, given.weight_ih.t(), large(values, len(values), len(given.weight_ih)))
    hidden = values.new_empty(steps, rows, units)
    final = [values.new_empty(rows, units) for _ in range(2 if given.cell == "lstm" else 1)]
    zoneout_h, zoneout_c = _zoneouts(given, hidden)

    gates = by_unit = products = None
    # A simple network's values are its states, unless zoneout mixes them.
    if keep and (given.cell != "rnn" or zoneout_h is not None):
        # In the product's place, if nobody asks for it again.
        gates = gates_x if given.norm_ih_gain is None else empty(gates_x, *gates_x.shape)
    if keep and given.cell != "rnn":
        by_unit = empty(values, len(gates_x), units)
    if keep and given.norm_hh_gain is not None:
        products = empty(gates_x, *gates_x.shape)

    record = _axes(given, hidden, layout)
    of_x, of_h, mask = given.norm_ih_gain, given.norm_hh_gain, given.hidden_mask
    record += addresses(gates_x, given.h_0, given.weight_hh, given.bias_ih, given.bias_hh, of_x, of_h, mask)
    record += [*strided(zoneout_h), *_ABSENT, *addresses(hidden, final[0], products)]
    if given.cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], *addresses(gates)]
    elif given.cell == "gru":
        record += addresses(gates, by_unit)
    else:
        record += addresses(given.c_0, given.peephole, given.norm_cell_gain, given.norm_cell_bias)
        record += [*strided(zoneout_c), *_ABSENT, *addresses(by_unit, final[1], gates)]
    run(f"{given.cell}_forward", record, given.clip_step, values.dtype)
    kept = _Kept(values, hidden, gates, by_unit, None if given.norm_ih_gain is None else gates_x, products)
    return (hidden, *final), kept, layout


def _zoneouts(given: Pass, hidden: Tensor) -> Sequence[Tensor | None]:
    if given.zoneout_h is None and given.zoneout_c is None:
        return None, None
    return spread(hidden.shape, given.zoneout_h, given.zoneout_c)


def _axes(given: Pass, hidden: Tensor, layout: Packing | None) -> list[int]:
    if layout is None:
        return list(axes(tuple(hidden.shape), None, given.reverse))
    return list(axes(tuple(hidden.shape), layout.lengths, given.reverse, layout.record()))


class _Whole(torch.autograd.Function):
    # With a `setup_context` of its own, torch would bind the arguments to the signature at every call.
    @staticmethod
    def forward(ctx: Any, *fields: Any) -> tuple[Tensor, ...]:
        given = Pass(*fields)
        results, kept, layout = _forward(given, keep=True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*given[_TENSORS:], *kept)
        ctx.constants, ctx.layout = given[:_TENSORS], layout
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        count = len(Pass._fields)
        if all(grad is None for grad in grads):
            return (None,) * count
        saved = ctx.saved_tensors
        given = Pass(*ctx.constants, *saved[: count - _TENSORS])
        needed = Pass(*ctx.needs_input_grad)
        # With `is_grads_batched` the gradients are of a kind that only torch's own functions know.
        if torch.is_grad_enabled() or any(
            grad is not None and is_legacy_batchedtensor(grad) for grad in grads
        ):
            return _backward_in_pieces(given, grads, needed)
        return _backward(given, _Kept(*saved[count - _TENSORS :]), ctx.layout, grads, needed)


def _backward_in_pieces(
    given: Pass, grads: Sequence[Tensor | None], needed: Pass
) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        results = _in_pieces(given)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    receivers = [index for index, wanted in enumerate(needed) if wanted]
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
    return tuple(found)


def _backward(
    given: Pass, kept: _Kept, layout: Packing | None, grads: Sequence[Tensor | None], needed: Pass
) -> tuple[Tensor | None, ...]:
    """The gradient of every field of the pass, None where there is none."""
    hidden = kept.hidden
    grad_hidden, *last = (None if grad is None else grad.resolve_neg() for grad in grads)
    (grad_hidden,) = spread(hidden.shape, grad_hidden)
    zoneout_h, zoneout_c = _zoneouts(given, hidden)
    last = whole(*last)

    joined = _joined(given, kept)
    over_gates, over_product = _room_for_gates(given, kept, joined)
    over: dict[str, Tensor | None] = {
        name: room(getattr(given, name), getattr(needed, name)) for name in _FILLED[given.cell]
    }
    squares = None
    if given.listen is not None:
        squares = hidden.new_zeros(torch.get_num_threads(), *hidden.shape[:2])

    record = [*_axes(given, hidden, layout), *strided(grad_hidden)]
    record += addresses(hidden, given.h_0, given.weight_hh, given.norm_ih_gain, given.norm_hh_gain)
    record += [*addresses(given.hidden_mask, kept.gates_x, kept.products), *strided(zoneout_h)]
    record += addresses(last[0], over_gates, over_product, None, squares, over["h_0"])
    record += addresses(over["bias_ih"], over["bias_hh"], over["norm_ih_gain"], over["norm_hh_gain"])
    if given.cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], *addresses(kept.gates, None)]
    elif given.cell == "gru":
        record += [*addresses(kept.gates, kept.by_unit, None, None), joined]
    else:
        record += [*_ABSENT, *addresses(kept.by_unit, kept.gates, None, given.c_0, given.peephole)]
        record += [*addresses(given.norm_cell_gain, given.norm_cell_bias), *strided(zoneout_c), *_ABSENT]
        record += addresses(last[1], None, over["c_0"], over["peephole"])
        record += addresses(over["norm_cell_gain"], over["norm_cell_bias"])
    run(f"{given.cell}_backward", record, given.clip_step, hidden.dtype)
    if given.listen is not None and squares is not None:
        given.listen(squares.sum(0).sqrt_())

    if needed.values:
        weight_ih = given.weight_ih.roll(hidden.shape[2], 0) if joined else given.weight_ih
        # Of a ragged batch it is seen by nobody before it is spread.
        own = None if layout is None else large(over_gates, len(over_gates), weight_ih.shape[1])
        over_values = matmul(over_gates, weight_ih, own)
        over["values"] = (
            over_values.view(*hidden.shape[:2], -1) if layout is None else layout.spread(over_values)
        )
    over |= _over_weights(given, kept, layout, over_gates, over_product, needed)
    if joined and over["weight_ih"] is not None:
        over["weight_ih"] = over["weight_ih"].roll(-hidden.shape[2], 0)
    return tuple(over.get(name) for name in Pass._fields)


def _joined(given: Pass, kept: _Kept) -> bool:
    """Whether the gradients of a GRU's gates stand in one array: not where turning its matrix costs more."""
    if given.cell != "gru" or given.norm_ih_gain is not None or given.norm_hh_gain is not None:
        return False
    return len(kept.values) > 256


def _room_for_gates(given: Pass, kept: _Kept, joined: bool) -> tuple[Tensor, Tensor]:
    """For the gradients of what the input and of what the state bring to the gates, ``(N, G * H)`` each.

    They are the same unless each is normalised. But a GRU's candidate takes the state's through the reset
    gate: joined, the columns ``n r z q`` hold both, the input's first and the state's last three.
    """
    steps, wide, units = len(kept.values), *given.weight_hh.shape
    if joined:
        all_four = empty(kept.hidden, steps, 4 * units)
        return all_four[:, :wide], all_four[:, units:]
    over_gates = empty(kept.hidden, steps, wide)
    apart = given.cell == "gru" or given.norm_ih_gain is not None or given.norm_hh_gain is not None
    return over_gates, empty(kept.hidden, steps, wide) if apart else over_gates


_OF_ALL = ("h_0", "bias_ih", "bias_hh", "norm_ih_gain", "norm_hh_gain")
_FILLED = {
    "rnn": _OF_ALL,
    "gru": _OF_ALL,
    "lstm": (*_OF_ALL, "c_0", "peephole", "norm_cell_gain", "norm_cell_bias"),
}
"""The fields whose gradients the library fills in."""


def _over_weights(
    given: Pass,
    kept: _Kept,
    layout: Packing | None,
    over_gates: Tensor,
    over_product: Tensor,
    needed: Pass,
) -> dict[str, Tensor | None]:
    """The gradients of both matrices: products over all steps."""
    if not needed.weight_hh:
        return {"weight_ih": matmul(over_gates.t(), kept.values) if needed.weight_ih else None}
    states, initial = kept.hidden, given.h_0
    if given.hidden_mask is not None:
        states, initial = states * given.hidden_mask, None if initial is None else initial * given.hidden_mask
    entered, first = _entered(states, layout, given.reverse)
    over_weight_ih = None
    if needed.weight_ih and over_product is over_gates:
        over_weight_ih, over_weight_hh = matmul_both(over_gates.t(), kept.values, entered, first)
    else:
        if needed.weight_ih:
            over_weight_ih = matmul(over_gates.t(), kept.values)
        over_weight_hh = matmul(over_product[first : first + len(entered)].t(), entered)
    if initial is not None:
        rows = len(initial)
        if layout is not None:
            begun, initial = layout.first(over_product, initial, given.reverse)
        else:
            begun = over_product[-rows:] if given.reverse else over_product[:rows]
        over_weight_hh.addmm_(begun.t(), initial)
    return {"weight_ih": over_weight_ih, "weight_hh": over_weight_hh}


def _entered(states: Tensor, layout: Packing | None, reverse: bool) -> tuple[Tensor, int]:
    """The states that entered a product, but for the initial ones, and the place of the first one's step."""
    flat, rows = states.flatten(0, 1), states.shape[1]
    if layout is not None:
        return layout.entered(flat, reverse)
    return (flat[rows:], 0) if reverse else (flat[:-rows], rows)
