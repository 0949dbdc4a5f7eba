"""A cell on the library, from its input to its states, and from their gradient to every other.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.ops.cell_pass import OPTIONS, Pass
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import matmul, matmul_both
from unrolled.ops.native.memory import empty, large
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.record import addresses, axes, broadcasts, room, run, spread, strided, whole
from unrolled.ops.native.rnn import ACTIVATION_NUMBERS

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}
_ABSENT = (0, 0, 0, 0)
"""A `Strided` of csrc/arguments.h that is not there."""


def covered(given: Pass) -> bool:
    """Whether the library computes this case."""
    values, weight = given.values, given.weight_hh
    dtype = values.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        return False
    steps, rows, width = values.shape
    wide, units = weight.shape
    state, bias = (rows, units), (wide,)
    fits = (
        wide == _GATES[given.cell] * units
        and _fits(weight, (wide, units), dtype)
        and _fits(given.weight_ih, (wide, width), dtype)
        and _fits(given.bias_ih, bias, dtype)
        and _fits(given.bias_hh, bias, dtype)
        and _fits(given.h_0, state, dtype)
        and _fits(given.c_0, state, dtype)
    )
    if fits and _has_options(given):
        fits = (
            _fits(given.norm_ih_gain, bias, dtype)
            and _fits(given.norm_hh_gain, bias, dtype)
            and _fits(given.norm_cell_gain, (units,), dtype)
            and _fits(given.norm_cell_bias, (units,), dtype)
            and _fits(given.peephole, (3, units), dtype)
            and _fits(given.hidden_mask, state, dtype)
            and all(
                each is None or broadcasts(each, (steps, rows, units), dtype)
                for each in (given.zoneout_h, given.zoneout_c)
            )
        )
    return fits and values.numel() > 0 and library() is not None


def _has_options(given: Pass) -> bool:
    return any(option is not None for option in given[OPTIONS:])


def _fits(tensor: Tensor | None, shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """Whether a tensor, if it is there, has its shape and can be read by its address."""
    return tensor is None or (
        tensor.shape == shape
        and tensor.dtype is dtype
        and tensor.is_cpu
        and tensor.is_contiguous()
        and not tensor.is_neg()
    )


class Kept(NamedTuple):
    """What the backward pass reads of the forward's."""

    values: Tensor  # (N, I); where the library makes all products, (T, B, I)
    hidden: Tensor  # (T, B, H)
    gates: Tensor | None  # (N, G * H), after their activations; None where they are the states
    by_unit: Tensor | None  # (N, H): an LSTM's cells, the recurrent part of a GRU's candidate
    gates_x: Tensor | None  # (N, G * H), the input's product, where it is normalised
    products: Tensor | None  # (N, G * H), the recurrent product, where it is normalised


def forward(given: Pass, keep: bool) -> tuple[tuple[Tensor, ...], Kept, Packing | None]:
    """Run a pass that is `covered`.

    The gates overwrite the input's product, an absent initial state is not made, nothing is stored for a
    gradient that nobody will ask for, and the padding of a ragged batch takes part in no product.

    Args:
        given: what the cell is run with.
        keep: keep what `backward` reads.

    Returns:
        All h and the last state, as `unrolled.ops.whole.run_whole`; what is kept; and the layout of a ragged
        batch.
    """
    steps, rows, width = given.values.shape
    wide, units = given.weight_hh.shape
    layout = None if given.lengths is None else packing(given.lengths, steps)
    count = steps * rows if layout is None else len(layout.real)
    of_x, of_h, mask = given.norm_ih_gain, given.norm_hh_gain, given.hidden_mask
    if small := _small(count, width, wide):
        values = given.values.contiguous()
        gates_x = empty(values, count, wide) if keep else None
    else:
        values = given.values.flatten(0, 1) if layout is None else layout.take(given.values)
        gates_x = matmul(values, given.weight_ih.t(), large(values, count, wide))
    hidden = values.new_empty(steps, rows, units)
    final = [values.new_empty(1, rows, units) for _ in range(2 if given.cell == "lstm" else 1)]
    zoneout_h, zoneout_c = _zoneouts(given, hidden)

    gates = by_unit = products = None
    # A simple network's values are its states, unless zoneout mixes them.
    if keep and (given.cell != "rnn" or zoneout_h is not None):
        # In the product's place, if nobody asks for it again.
        gates = gates_x if of_x is None else empty(values, count, wide)
    if keep and given.cell != "rnn":
        by_unit = empty(values, count, units)
    if keep and of_h is not None:
        products = empty(values, count, wide)

    record = _axes(given, hidden, layout, _inputs(given, values, layout, count) if small else _NO_INPUTS)
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
    kept = Kept(values, hidden, gates, by_unit, None if of_x is None else gates_x, products)
    return (hidden, *final), kept, layout


_LITTLE_WORK = 12_000_000
"""Multiply-adds of a product over all steps up to which the library makes it. Measured; see benchmarks/LOG.md."""


def _small(count: int, width: int, wide: int) -> bool:
    """Whether the library makes the products over all steps: to hand them on would take longer."""
    return count * width * wide < _LITTLE_WORK


_NO_INPUTS = (0,) * 8


def _inputs(
    given: Pass, values: Tensor, layout: Packing | None, count: int, over: Sequence[Tensor | None] = (None,) * 3
) -> Sequence[int]:
    """``Inputs`` of csrc/arguments.h; ``over``: gradients of the input and of both matrices, to be filled."""
    entering = addresses(values, given.weight_ih, None if layout is None else layout.real)
    return (count, values.shape[2], *entering, *addresses(*over))


def _zoneouts(given: Pass, hidden: Tensor) -> Sequence[Tensor | None]:
    if given.zoneout_h is None and given.zoneout_c is None:
        return None, None
    return spread(hidden.shape, given.zoneout_h, given.zoneout_c)


def _axes(given: Pass, hidden: Tensor, layout: Packing | None, inputs: Sequence[int]) -> list[int]:
    if layout is None:
        return list(axes(tuple(hidden.shape), None, given.reverse, inputs=inputs))
    return list(axes(tuple(hidden.shape), layout.lengths, given.reverse, layout.record(), inputs))


def backward(
    given: Pass, kept: Kept, layout: Packing | None, grads: Sequence[Tensor | None], needed: Pass
) -> tuple[Tensor | None, ...]:
    """The gradient of every field of the pass, None where there is none."""
    hidden = kept.hidden
    grad_hidden, *last = (None if grad is None else grad.resolve_neg() for grad in grads)
    (grad_hidden,) = spread(hidden.shape, grad_hidden)
    zoneout_h, zoneout_c = _zoneouts(given, hidden)
    last = whole(*last)

    over: dict[str, Tensor | None] = {
        name: room(getattr(given, name), getattr(needed, name)) for name in _FILLED[given.cell]
    }
    over_gates = over_product = None
    joined, inputs = False, _NO_INPUTS
    if kept.values.dim() == 3:
        over |= {name: room(getattr(given, name), getattr(needed, name)) for name in ("weight_ih", "weight_hh")}
        if needed.values:
            over["values"] = kept.values.new_empty(kept.values.shape)
            if layout is not None:
                over["values"].zero_()
        count = len(layout.real) if layout is not None else kept.values.shape[0] * kept.values.shape[1]
        products = (over.get("values"), over["weight_ih"], over["weight_hh"])
        inputs = _inputs(given, kept.values, layout, count, products)
    else:
        joined = _joined(given, kept)
        over_gates, over_product = _room_for_gates(given, kept, joined)
    squares = None
    if given.listen is not None:
        squares = hidden.new_zeros(torch.get_num_threads(), *hidden.shape[:2])

    record = [*_axes(given, hidden, layout, inputs), *strided(grad_hidden)]
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

    if over_gates is None or over_product is None:
        return tuple(over.get(name) for name in Pass._fields)
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


def _joined(given: Pass, kept: Kept) -> bool:
    """Whether the gradients of a GRU's gates stand in one array: not where turning its matrix costs more."""
    return given.cell == "gru" and not _normalised(given) and len(kept.values) > 256


def _normalised(given: Pass) -> bool:
    return given.norm_ih_gain is not None or given.norm_hh_gain is not None


def _room_for_gates(given: Pass, kept: Kept, joined: bool) -> tuple[Tensor, Tensor]:
    """For the gradients of what the input and of what the state bring to the gates, ``(N, G * H)`` each.

    They are the same unless each is normalised. But a GRU's candidate takes the state's through the reset
    gate: joined, the columns ``n r z q`` hold both, the input's first and the state's last three.
    """
    steps, wide, units = len(kept.values), *given.weight_hh.shape
    if joined:
        all_four = empty(kept.hidden, steps, 4 * units)
        return all_four[:, :wide], all_four[:, units:]
    over_gates = empty(kept.hidden, steps, wide)
    apart = given.cell == "gru" or _normalised(given)
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
    kept: Kept,
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
