"""A cell on the library, from its input to its states, and from their gradient to every other.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.cell_pass import OPTIONS, Pass
from unrolled.ops.native.kept import Kept
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import has_tiles, matmul
from unrolled.ops.native.memory import empty
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.products import joined, over_products, room_for_gates
from unrolled.ops.native.record import ABSENT, NO_INPUTS, axes, broadcasts, run, spread, strided, whole
from unrolled.ops.native.rnn import ACTIVATION_NUMBERS

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


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


_NOTHING = frozenset({type(None)})


def _has_options(given: Pass) -> bool:
    return not _NOTHING.issuperset(map(type, given[OPTIONS:]))


def _fits(tensor: Tensor | None, shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """Whether a tensor, if it is there, has its shape and can be read by its address."""
    return tensor is None or (
        tensor.shape == shape
        and tensor.dtype is dtype
        and tensor.is_cpu
        and tensor.is_contiguous()
        and not tensor.is_neg()
    )


def forward(given: Pass, keep: bool) -> tuple[tuple[Tensor, ...], Kept, Packing | None]:
    """Run a pass that is `covered`.

    Gates overwrite the input's product, or it is made and used some steps at a time; an absent initial state
    is not made, nothing is stored for a gradient that nobody will ask for, and the padding of a ragged batch
    takes part in no product.

    Args:
        given: what the cell is run with.
        keep: keep what `backward` reads.

    Returns:
        All h and the last state, as `unrolled.ops.whole.run_whole`; what is kept; and the layout of a ragged
        batch.
    """
    cell, values = given.cell, given.values.contiguous()
    steps, rows, width = values.shape
    wide, units = given.weight_hh.shape
    layout = None if given.lengths is None else packing(given.lengths, steps)
    count = steps * rows if layout is None else len(layout.real)
    normalised = given.norm_ih_gain is not None
    gates_x, inputs = None, NO_INPUTS
    if wide * (width + units) <= _NEAR or _inside(given, count):
        inputs = _inputs(count, values, given, layout)
        if keep and normalised:
            gates_x = empty(values, count, wide)
    else:
        rows_of = values.flatten(0, 1) if layout is None else layout.take(values)
        gates_x = matmul(rows_of, given.weight_ih.t())
    hidden = empty(values, steps, rows, units)
    h_n = values.new_empty(1, rows, units)
    zoneout_h, zoneout_c = _zoneouts(given, hidden)

    # A simple network's values are its states, unless zoneout mixes them.
    gates = None
    if keep and (cell != "rnn" or zoneout_h is not None):
        # In the input's product's place, if there is one that nobody asks for again.
        gates = empty(values, count, wide) if gates_x is None or normalised else gates_x
    by_unit = empty(values, count, units) if keep and cell != "rnn" else None
    products = empty(values, count, wide) if keep and given.norm_hh_gain is not None else None

    record = [*_axes(given, hidden, layout, inputs), gates_x, given.h_0, given.weight_hh, given.bias_ih]
    record += [given.bias_hh, given.norm_ih_gain, given.norm_hh_gain, given.hidden_mask]
    record += [*strided(zoneout_h), *ABSENT, hidden, h_n, products]
    results = hidden, h_n
    if cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], gates]
    elif cell == "gru":
        record += [gates, by_unit]
    else:
        c_n = values.new_empty(1, rows, units)
        results = hidden, h_n, c_n
        record += [given.c_0, given.peephole, given.norm_cell_gain, given.norm_cell_bias]
        record += [*strided(zoneout_c), *ABSENT, by_unit, c_n, gates]
    run(f"{cell}_forward", record, given.clip_step, values.dtype)
    return results, Kept(values, hidden, gates, by_unit, gates_x if normalised else None, products), layout


def _inside(given: Pass, count: int) -> bool:
    """Whether a cell's own call makes the products over all steps, rather than calls for the tiles."""
    return not has_tiles(given.values) or count * given.weight_ih.numel() < _LITTLE_WORK


_LITTLE_WORK = 12_000_000
"""Multiply-adds up to which tiles do not make up for another call."""
_NEAR = 160_000
"""Weights of both matrices that fit in a core's own cache together: then the input's product is made while
the scan runs, some steps at a time, even where there are tiles. Both are measured; see benchmarks/LOG.md."""


def backward(
    given: Pass, kept: Kept, layout: Packing | None, grads: Sequence[Tensor | None], needed: Pass
) -> tuple[Tensor | None, ...]:
    """The gradient of every field of the pass, None where there is none."""
    cell, hidden = given.cell, kept.hidden
    grads = [grad.resolve_neg() if grad is not None and grad.is_neg() else grad for grad in grads]
    (grad_hidden,) = spread(hidden.shape, grads[0])
    last = whole(*grads[1:])
    zoneout_h, zoneout_c = _zoneouts(given, hidden)

    count = kept.values.shape[0] * kept.values.shape[1] if layout is None else len(layout.real)
    inside = _inside(given, count)
    over: dict[str, Tensor | None] = {
        name: empty(hidden, *getattr(given, name).shape)
        for name in (_FILLED[cell] + _OF_PRODUCTS if inside else _FILLED[cell])
        if getattr(needed, name)
    }
    of = over.get
    if inside:
        over_values = of("values")
        if layout is not None and over_values is not None:
            over_values.zero_()  # the padding's stay so
        inputs = _inputs(count, kept.values, given, layout, [of(name) for name in _OF_PRODUCTS])
        over_gates = over_product = None
    else:
        inputs, (over_gates, over_product) = NO_INPUTS, room_for_gates(given, kept, count)
    squares = None
    if given.listen is not None:
        squares = hidden.new_zeros(torch.get_num_threads(), *hidden.shape[:2])

    record = [
        *_axes(given, hidden, layout, inputs),
        *strided(grad_hidden),
        hidden,
        given.h_0,
        given.weight_hh,
    ]
    record += [given.norm_ih_gain, given.norm_hh_gain, given.hidden_mask, kept.gates_x, kept.products]
    record += [*strided(zoneout_h), last[0], over_gates, over_product, None, squares, of("h_0")]
    record += [of("bias_ih"), of("bias_hh"), of("norm_ih_gain"), of("norm_hh_gain")]
    if cell == "rnn":
        record += [ACTIVATION_NUMBERS[given.activation], kept.gates, None]
    elif cell == "gru":
        record += [kept.gates, kept.by_unit, None, None, int(not inside and joined(given))]
    else:
        record += [*ABSENT, kept.by_unit, kept.gates, None, given.c_0, given.peephole]
        record += [given.norm_cell_gain, given.norm_cell_bias, *strided(zoneout_c), *ABSENT, last[1], None]
        record += [of("c_0"), of("peephole"), of("norm_cell_gain"), of("norm_cell_bias")]
    run(f"{cell}_backward", record, given.clip_step, hidden.dtype)
    if given.listen is not None and squares is not None:
        given.listen(squares.sum(0).sqrt_())
    if over_gates is not None and over_product is not None:
        over |= over_products(given, kept, layout, over_gates, over_product, needed)
    return tuple([of(name) for name in Pass._fields])


_OF_ALL = ("h_0", "bias_ih", "bias_hh", "norm_ih_gain", "norm_hh_gain")
_FILLED = {
    "rnn": _OF_ALL,
    "gru": _OF_ALL,
    "lstm": (*_OF_ALL, "c_0", "peephole", "norm_cell_gain", "norm_cell_bias"),
}
_OF_PRODUCTS = ("values", "weight_ih", "weight_hh")
"""The fields whose gradients the library fills in, always and where it makes the products."""


def _inputs(
    count: int,
    values: Tensor,
    given: Pass,
    layout: Packing | None,
    over: Sequence[Tensor | None] = (None, None, None),
) -> Sequence[Any]:
    """``Inputs`` of csrc/arguments.h; ``over``: the gradients of `_OF_PRODUCTS`, to be filled."""
    return (count, values.shape[2], values, given.weight_ih, None if layout is None else layout.real, *over)


def _zoneouts(given: Pass, hidden: Tensor) -> Sequence[Tensor | None]:
    if given.zoneout_h is None and given.zoneout_c is None:
        return None, None
    return spread(hidden.shape, given.zoneout_h, given.zoneout_c)


def _axes(given: Pass, hidden: Tensor, layout: Packing | None, inputs: Sequence[Any]) -> tuple[Any, ...]:
    if layout is None:
        return axes(hidden.shape, None, given.reverse, inputs=inputs)
    return axes(hidden.shape, layout.lengths, given.reverse, layout.record(), inputs)
