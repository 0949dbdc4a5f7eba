"""A cell on the library, from its input to its states, and from their gradient to every other.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.ops.cell_pass import OPTIONS, TENSORS, Pass
from unrolled.ops.native.kept import Kept
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import has_tiles, matmul
from unrolled.ops.native.memory import empty
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.products import joined, over_products, room_for_gates
from unrolled.ops.native.record import (
    ABSENT,
    NO_INPUTS,
    Fields,
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


def covered(passes: Sequence[Pass], options: bool) -> bool:
    """Whether the library computes this case; ``options``: there are some."""
    for given in passes:
        if not _plain_covered(given) or (options and not _options_covered(given)):
            return False
    return library() is not None


def _plain_covered(given: Pass) -> bool:
    values, weight_ih, weight_hh = given.values, given.weight_ih, given.weight_hh
    bias_ih, bias_hh, h_0, c_0 = given.bias_ih, given.bias_hh, given.h_0, given.c_0
    dtype = values.dtype
    if (dtype is not torch.float32 and dtype is not torch.float64) or weight_hh.dim() != 2:
        return False
    _, rows, width = values.shape
    wide, units = weight_hh.shape
    return (
        wide == _GATES[given.cell] * units
        and weight_ih.shape == (wide, width)
        and (bias_ih is None or bias_ih.shape == (wide,))
        and (bias_hh is None or bias_hh.shape == (wide,))
        and (h_0 is None or h_0.shape == (rows, units))
        and (c_0 is None or c_0.shape == (rows, units))
        and _readable(dtype, weight_ih, weight_hh, bias_ih, bias_hh, h_0, c_0)
        and values.numel() > 0
    )


def _options_covered(given: Pass) -> bool:
    (steps, rows, _), (wide, units), dtype = given.values.shape, given.weight_hh.shape, given.values.dtype
    of_the_shape = (
        (given.norm_ih_gain, (wide,)),
        (given.norm_hh_gain, (wide,)),
        (given.norm_cell_gain, (units,)),
        (given.norm_cell_bias, (units,)),
        (given.peephole, (3, units)),
        (given.hidden_mask, (rows, units)),
    )
    return (
        all(tensor is None or tensor.shape == shape for tensor, shape in of_the_shape)
        and _readable(dtype, *(tensor for tensor, _ in of_the_shape))
        and all(
            tensor is None or broadcasts(tensor, (steps, rows, units), dtype)
            for tensor in (given.zoneout_h, given.zoneout_c)
        )
    )


_NOTHING = frozenset({type(None)})


def has_options(*passes: Pass) -> bool:
    """Whether a pass has more than its weights and its initial state."""
    return any(not _NOTHING.issuperset(map(type, given[OPTIONS:])) for given in passes)


def _readable(dtype: torch.dtype, *tensors: Tensor | None) -> bool:
    """Whether each tensor can be read by its address."""
    for tensor in tensors:
        if tensor is not None and not (
            tensor.dtype is dtype and tensor.is_cpu and tensor.is_contiguous() and not tensor.is_neg()
        ):
            return False
    return True


def forward(
    passes: Sequence[Pass], options: bool, keep: bool
) -> tuple[tuple[Tensor, ...], tuple[Kept, ...], Packing | None]:
    """Run what is `covered`.

    Gates overwrite the input's product, or it is made and used some steps at a time; an absent initial state
    is not made, nothing is stored for a gradient that nobody will ask for, and the padding of a ragged batch
    takes part in no product. Two directions write their states side by side.

    Args:
        passes: what the cell is run with, in one direction or in both.
        options: they have some.
        keep: keep what `backward` reads.

    Returns:
        All h and the last states, as `unrolled.ops.whole.run_whole`; what is kept of each pass; and the
        layout of a ragged batch.
    """
    first = passes[0]
    cell, values = first.cell, first.values
    if not values.is_contiguous():
        values = values.contiguous()
    steps, rows, width = values.shape
    wide, units = first.weight_hh.shape
    layout = None if first.lengths is None else packing(first.lengths, steps)
    count = steps * rows if layout is None else len(layout.real)
    inside = wide * (width + units) <= _NEAR or _inside(first, count)
    across = units * len(passes)
    hidden = empty(values, steps, rows, across)
    results, kept, fields = [hidden], [], []
    for place, given in enumerate(passes):
        own = hidden if across == units else _of(hidden, place, units)
        gates_x, inputs, normalised = None, NO_INPUTS, given.norm_ih_gain is not None
        if inside:
            inputs = width, values, given.weight_ih
            if keep and normalised:
                gates_x = empty(values, count, wide)
        else:
            rows_of = values.flatten(0, 1) if layout is None else layout.take(values)
            gates_x = matmul(rows_of, given.weight_ih.t())
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
            *axes((steps, rows, units), given.reverse, across),
            *inputs,
            gates_x,
            given.h_0,
            given.c_0,
            given.weight_hh,
            given.bias_ih,
            given.bias_hh,
            own,
            h_n,
            c_n,
            gates,
            by_unit,
            ACTIVATION_NUMBERS[given.activation],
        ]
        rest = (
            [*_options(given, own.shape, layout), *ABSENT, products] if options or layout is not None else ()
        )
        fields.append((plain, rest))  # which hold on to what is not kept
        results += (h_n,) if c_n is None else (h_n, c_n)
        if keep:
            kept.append(Kept(values, own, gates, by_unit, gates_x if normalised else None, products))
    run(f"{cell}_forward", fields, first.clip_step, values.dtype)
    return tuple(results), tuple(kept), layout


def _of(all_directions: Tensor, place: int, units: int) -> Tensor:
    """One direction's part of what stands side by side."""
    return all_directions.narrow(2, place * units, units)


def _inside(given: Pass, count: int) -> bool:
    """Whether a cell's own call makes the products over all steps, rather than calls for the tiles."""
    return not has_tiles(given.values) or count * given.weight_ih.numel() < _LITTLE_WORK


_LITTLE_WORK = 12_000_000
"""Multiply-adds up to which tiles do not make up for another call."""
_NEAR = 160_000
"""Weights of both matrices that fit in a core's own cache together: then the input's product is made while
the scan runs, some steps at a time, even where there are tiles. Both are measured; see benchmarks/LOG.md."""


def backward(
    passes: Sequence[Pass],
    options: bool,
    kept: Sequence[Kept],
    layout: Packing | None,
    grads: Sequence[Tensor | None],
    needed: Sequence[Pass],
) -> list[list[Tensor | None]]:
    """The gradients of each pass's tensors in their order, up to the last that can have one; None for others.

    That of the input, which all passes read, is among the first one's.

    Args:
        passes: what `forward` was given.
        options: they have some.
        kept: by `forward`.
        layout: from `forward`.
        grads: of the results.
        needed: which gradients are asked for.
    """
    first, values = passes[0], kept[0].values
    units, end = first.weight_hh.shape[1], OPTIONS + (_DIFFERENTIABLE if options else 0)
    count = values.shape[0] * values.shape[1] if layout is None else len(layout.real)
    inside, states = _inside(first, count), (len(grads) - 1) // len(passes)
    grads = [grad.resolve_neg() if grad is not None and grad.is_neg() else grad for grad in grads]
    rooms: list[_Room] = []
    fields: list[Fields] = []
    for place, (given, own, asked) in enumerate(zip(passes, kept, needed, strict=True)):
        # What is there already, or comes of products afterwards; the others are made here.
        over: list[Tensor | None] = [None] * 3 if not inside else rooms[0].over[:1] if place else []
        missing: Any = slice(TENSORS + len(over), end)
        over += [
            empty(values, *tensor.shape) if wanted and tensor is not None else None
            for tensor, wanted in zip(given[missing], asked[missing], strict=True)
        ]
        if inside and not place and layout is not None and over[0] is not None:
            over[0].zero_()  # the padding's stay so
        gates, product = (None, None) if inside else room_for_gates(given, own, count)
        norms = None if given.listen is None else values.new_empty(values.shape[:2])
        rooms.append(_Room(over, gates, product, norms))
        grad_hidden, ends = grads[0], grads[1 + place * states : 1 + (place + 1) * states]
        if grad_hidden is not None and len(passes) > 1:
            grad_hidden = _of(grad_hidden, place, units)
        fields.append(_backward_fields(given, own, layout, grad_hidden, ends, rooms[-1], adds=place > 0))
    run(f"{first.cell}_backward", fields, first.clip_step, values.dtype)

    for given, own, room, asked in zip(passes, kept, rooms, needed, strict=True):
        if given.listen is not None and room.norms is not None:
            given.listen(room.norms)
        if room.gates is not None and room.product is not None:
            room.over[:3] = over_products(given, own, layout, room.gates, room.product, asked)
    total = rooms[0].over[0]
    for room in rooms[1:]:
        if total is not None and room.over[0] is not None and room.over[0] is not total:
            total.add_(room.over[0])
        room.over[0] = None
    return [room.over for room in rooms]


class _Room(NamedTuple):
    """Where a pass's gradients go.

    Attributes:
        over: in the order of its tensors, None where one is not asked for.
        gates: with ``product`` from `room_for_gates`, where the products over all steps are made elsewhere.
        product: see ``gates``.
        norms: of every dL/dh_t, where something listens.
    """

    over: list[Tensor | None]
    gates: Tensor | None
    product: Tensor | None
    norms: Tensor | None


def _backward_fields(
    given: Pass,
    kept: Kept,
    layout: Packing | None,
    grad_hidden: Tensor | None,
    ends: Sequence[Tensor | None],
    room: _Room,
    adds: bool,
) -> Fields:
    """``adds``: to the input's gradient, which another pass has made."""
    hidden, inside = kept.hidden, room.gates is None
    *products, over_bias_ih, over_bias_hh, over_h_0, over_c_0 = room.over[:7]
    (grad_hidden,) = spread(hidden.shape, grad_hidden)
    grad_h_n, grad_c_n = (*whole(*ends), None)[:2]
    inputs = (kept.values.shape[2], kept.values, given.weight_ih) if inside else NO_INPUTS
    plain = [*axes(hidden.shape, given.reverse, hidden.stride(1)), *inputs]
    plain += [
        *products,
        int(adds),
        *strided(grad_hidden),
        hidden,
        given.h_0,
        given.c_0,
        given.weight_hh,
        kept.gates,
        kept.by_unit,
    ]
    plain += [grad_h_n, grad_c_n, room.gates, room.product, over_h_0, over_c_0, over_bias_ih, over_bias_hh]
    plain += [ACTIVATION_NUMBERS[given.activation], int(not inside and joined(given)), room.norms]
    of_options = room.over[OPTIONS - TENSORS :]
    if layout is None and not of_options:
        return plain, ()
    rest = [*_options(given, hidden.shape, layout), kept.gates_x, kept.products, *ABSENT, None, None]
    return plain, [*rest, None, None, *(of_options or (None,) * _DIFFERENTIABLE)]


_DIFFERENTIABLE = 5
"""Options that have gradients, the first ones of a pass."""


def _options(given: Pass, shape: torch.Size, layout: Packing | None) -> list[Any]:
    """``Options`` of csrc/arguments.h."""
    norms = given.norm_ih_gain, given.norm_hh_gain, given.norm_cell_gain, given.norm_cell_bias
    rows = ragged(None) if layout is None else layout.record()
    return options(rows, norms, given.peephole, given.hidden_mask, *_zoneouts(given, shape))


def _zoneouts(given: Pass, shape: torch.Size) -> Sequence[Tensor | None]:
    if given.zoneout_h is None and given.zoneout_c is None:
        return None, None
    return spread(shape, given.zoneout_h, given.zoneout_c)
