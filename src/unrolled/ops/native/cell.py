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
from unrolled.ops.native.record import (
    ABSENT,
    NO_INPUTS,
    axes,
    broadcasts,
    options,
    ragged,
    run,
    spread,
    strided,
    whole,
)
from unrolled.ops.native.rnn import ACTIVATION_NUMBERS

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def covered(given: Pass, options: bool) -> bool:
    """Whether the library computes this case; ``options``: it has some."""
    values, weight = given.values, given.weight_hh
    dtype = values.dtype
    if (dtype is not torch.float32 and dtype is not torch.float64) or weight.dim() != 2:
        return False
    steps, rows, width = values.shape
    wide, units = weight.shape
    bias, state = (wide,), (rows, units)
    if not _fit(
        dtype,
        (given.weight_ih, (wide, width)),
        (weight, (_GATES[given.cell] * units, units)),
        (given.bias_ih, bias),
        (given.bias_hh, bias),
        (given.h_0, state),
        (given.c_0, state),
    ):
        return False
    if options:
        if not _fit(
            dtype,
            (given.norm_ih_gain, bias),
            (given.norm_hh_gain, bias),
            (given.norm_cell_gain, (units,)),
            (given.norm_cell_bias, (units,)),
            (given.peephole, (3, units)),
            (given.hidden_mask, state),
        ):
            return False
        for tensor in (given.zoneout_h, given.zoneout_c):
            if not (tensor is None or broadcasts(tensor, (steps, rows, units), dtype)):
                return False
    return values.numel() > 0 and library() is not None


_NOTHING = frozenset({type(None)})


def has_options(given: Pass) -> bool:
    """Whether a pass has more than its weights and its initial state."""
    return not _NOTHING.issuperset(map(type, given[OPTIONS:]))


def _fit(dtype: torch.dtype, *pairs: tuple[Tensor | None, tuple[int, ...]]) -> bool:
    """Whether each tensor has its shape and can be read by its address."""
    for tensor, shape in pairs:
        if tensor is not None and not (
            tensor.shape == shape
            and tensor.dtype is dtype
            and tensor.is_cpu
            and tensor.is_contiguous()
            and not tensor.is_neg()
        ):
            return False
    return True


def forward(given: Pass, options: bool, keep: bool) -> tuple[tuple[Tensor, ...], Kept, Packing | None]:
    """Run a pass that is `covered`.

    Gates overwrite the input's product, or it is made and used some steps at a time; an absent initial state
    is not made, nothing is stored for a gradient that nobody will ask for, and the padding of a ragged batch
    takes part in no product.

    Args:
        given: what the cell is run with.
        options: it has some.
        keep: keep what `backward` reads.

    Returns:
        All h and the last state, as `unrolled.ops.whole.run_whole`; what is kept; and the layout of a ragged
        batch.
    """
    cell, values = given.cell, given.values
    if not values.is_contiguous():
        values = values.contiguous()
    steps, rows, width = values.shape
    wide, units = given.weight_hh.shape
    layout = None if given.lengths is None else packing(given.lengths, steps)
    count = steps * rows if layout is None else len(layout.real)
    normalised = given.norm_ih_gain is not None
    special = layout is not None or options
    gates_x, inputs = None, NO_INPUTS
    if wide * (width + units) <= _NEAR or _inside(given, count):
        inputs = width, values, given.weight_ih
        if keep and normalised:
            gates_x = empty(values, count, wide)
    else:
        rows_of = values.flatten(0, 1) if layout is None else layout.take(values)
        gates_x = matmul(rows_of, given.weight_ih.t())
    hidden = empty(values, steps, rows, units)
    h_n = values.new_empty(1, rows, units)
    c_n = values.new_empty(1, rows, units) if cell == "lstm" else None

    # A simple network's values are its states, unless zoneout mixes them.
    gates = by_unit = products = None
    if keep:
        if cell != "rnn" or given.zoneout_h is not None:
            # In the input's product's place, if there is one that nobody asks for again.
            gates = empty(values, count, wide) if gates_x is None or normalised else gates_x
        if cell != "rnn":
            by_unit = empty(values, count, units)
        if given.norm_hh_gain is not None:
            products = empty(values, count, wide)

    plain = [
        *axes((steps, rows, units), given.reverse),
        *(*inputs, gates_x, given.h_0, given.c_0, given.weight_hh, given.bias_ih, given.bias_hh),
        *(hidden, h_n, c_n, gates, by_unit, ACTIVATION_NUMBERS[given.activation]),
    ]
    rest = [*_options(given, hidden, layout), *ABSENT, products] if special else ()
    run(f"{cell}_forward", plain, rest, given.clip_step, values.dtype)
    results = (hidden, h_n) if c_n is None else (hidden, h_n, c_n)
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
    """The gradients of the pass's tensors in their order, None where there is none.

    Those of its options only where it has any.
    """
    cell, hidden, values = given.cell, kept.hidden, kept.values
    grads = [grad.resolve_neg() if grad is not None and grad.is_neg() else grad for grad in grads]
    (grad_hidden,) = spread(hidden.shape, grads[0])
    grad_h_n, grad_c_n = (*whole(*grads[1:]), None)[:2]
    special = layout is not None or has_options(given)

    def room(field: Tensor | None, wanted: Any) -> Tensor | None:
        return empty(hidden, *field.shape) if wanted and field is not None else None

    count = values.shape[0] * values.shape[1] if layout is None else len(layout.real)
    over_values = over_weight_ih = over_weight_hh = over_gates = over_product = None
    inside = _inside(given, count)
    if inside:
        inputs: tuple[Any, ...] = values.shape[2], values, given.weight_ih
        over_values = room(values, needed.values)
        over_weight_ih = room(given.weight_ih, needed.weight_ih)
        over_weight_hh = room(given.weight_hh, needed.weight_hh)
        if layout is not None and over_values is not None:
            over_values.zero_()  # the padding's stay so
    else:
        inputs, (over_gates, over_product) = NO_INPUTS, room_for_gates(given, kept, count)
    over_h_0, over_c_0 = room(given.h_0, needed.h_0), room(given.c_0, needed.c_0)
    over_bias_ih, over_bias_hh = room(given.bias_ih, needed.bias_ih), room(given.bias_hh, needed.bias_hh)

    plain = [*axes(hidden.shape, given.reverse), *inputs, over_values, over_weight_ih, over_weight_hh]
    plain += [*strided(grad_hidden), hidden, given.h_0, given.c_0, given.weight_hh, kept.gates, kept.by_unit]
    plain += [grad_h_n, grad_c_n, over_gates, over_product, over_h_0, over_c_0, over_bias_ih, over_bias_hh]
    norms = None if given.listen is None else hidden.new_empty(hidden.shape[:2])
    plain += [ACTIVATION_NUMBERS[given.activation], int(not inside and joined(given)), norms]
    over_special: dict[str, Tensor | None] = {}
    rest: list[Any] = []
    if special:
        over_special = {name: room(getattr(given, name), getattr(needed, name)) for name in _OF_OPTIONS}
        rest = [*_options(given, hidden, layout), kept.gates_x, kept.products, *ABSENT, None, None]
        rest += [None, None, *over_special.values()]
    run(f"{cell}_backward", plain, rest, given.clip_step, hidden.dtype)
    if given.listen is not None and norms is not None:
        given.listen(norms)
    if over_gates is not None and over_product is not None:
        over_values, over_weight_ih, over_weight_hh = over_products(
            given, kept, layout, over_gates, over_product, needed
        )
    first = over_values, over_weight_ih, over_weight_hh, over_bias_ih, over_bias_hh, over_h_0, over_c_0, None
    if not special:
        return first
    return *first, *(over_special.get(name) for name in Pass._fields[OPTIONS:])


_OF_OPTIONS = ("norm_ih_gain", "norm_hh_gain", "norm_cell_gain", "norm_cell_bias", "peephole")
"""The options that have gradients, in the order of ``BackwardRecord``."""


def _options(given: Pass, hidden: Tensor, layout: Packing | None) -> list[Any]:
    """``Options`` of csrc/arguments.h."""
    norms = given.norm_ih_gain, given.norm_hh_gain, given.norm_cell_gain, given.norm_cell_bias
    rows = ragged(None) if layout is None else layout.record()
    return options(rows, norms, given.peephole, given.hidden_mask, *_zoneouts(given, hidden))


def _zoneouts(given: Pass, hidden: Tensor) -> Sequence[Tensor | None]:
    if given.zoneout_h is None and given.zoneout_c is None:
        return None, None
    return spread(hidden.shape, given.zoneout_h, given.zoneout_c)
