"""A cell on the library, from its input to its states, and from their gradient to every other.

Legend: ``T`` steps, ``B`` rows, ``I`` features of the input, ``H`` hidden units, ``G`` gates, ``N`` the steps
that are computed: ``T * B``, or in a ragged batch those before each row's end.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.ops.kernel_pass import NO_OPTIONS, PLAIN, KernelPass, tensors_of
from unrolled.ops.native.kept import Kept
from unrolled.ops.native.known import fit, known_weights, readable
from unrolled.ops.native.library import library
from unrolled.ops.native.matmul import has_tiles, matmul
from unrolled.ops.native.memory import empty
from unrolled.ops.native.packing import Packing, packing
from unrolled.ops.native.products import joined, over_products, room_for_gates
from unrolled.ops.native.record import (
    ACTIVATION_NUMBERS,
    NO_INPUTS,
    Fields,
    broadcasts,
    head,
    lies_here,
    options,
    ragged,
    run,
    spread,
    strided,
    whole,
)


def covered(passes: Sequence[KernelPass]) -> bool:
    """Whether the library computes this case."""
    for given in passes:
        if not _plain_covered(given) or (given.options is not None and not _options_covered(given)):
            return False
    return library() is not None


def _plain_covered(given: KernelPass) -> bool:
    values = given.values
    known = known_weights(given.cell, given.weight_ih, given.weight_hh, given.bias_ih, given.bias_hh)
    if known is None:
        return False
    _, rows, width = values.shape
    return (
        lies_here(values, known.dtype)
        and width == known.width
        and values.numel() > 0
        and (
            (given.h_0 is None and given.c_0 is None)
            or fit((rows, known.units), known.dtype, given.h_0, given.c_0)
        )
    )


def _options_covered(given: KernelPass) -> bool:
    (steps, rows, _), (wide, units), dtype = given.values.shape, given.weight_hh.shape, given.values.dtype
    options = given.options or NO_OPTIONS
    of_the_shape = (
        (options.norm_ih_gain, (wide,)),
        (options.norm_hh_gain, (wide,)),
        (options.norm_cell_gain, (units,)),
        (options.norm_cell_bias, (units,)),
        (options.peephole, (3, units)),
        (options.hidden_mask, (rows, units)),
    )
    return (
        all(tensor is None or tensor.shape == shape for tensor, shape in of_the_shape)
        and readable(dtype, *(tensor for tensor, _ in of_the_shape))
        and all(
            tensor is None or broadcasts(tensor, (steps, rows, units), dtype)
            for tensor in (options.zoneout_h, options.zoneout_c)
        )
    )


def forward(
    passes: Sequence[KernelPass], keep: bool
) -> tuple[tuple[Tensor, ...], tuple[Kept, ...], Packing | None]:
    """Run what is `covered`.

    Gates overwrite the input's product, or it is made and used some steps at a time; an absent initial state
    is not made, nothing is stored for a gradient that nobody will ask for, and the padding of a ragged batch
    takes part in no product. Two directions write their states side by side.

    Args:
        passes: what the cell is run with, in one direction or in both.
        keep: keep what `backward` reads.

    Returns:
        All h and the last states, as `unrolled.ops.kernels.run_kernel`; what is kept of each pass; and the
        layout of a ragged batch.
    """
    first = passes[0]
    cell, values, clip_step = first.cell, first.values, first.clip_step
    if not values.is_contiguous():
        values = values.contiguous()
    steps, rows, width = values.shape
    wide, units = first.weight_hh.shape
    layout = None if first.lengths is None else packing(first.lengths, steps)
    count = steps * rows if layout is None else len(layout.real)
    inside = inside_forward(first.weight_ih, first.weight_hh, count)
    activation, across = ACTIVATION_NUMBERS[first.activation], units * len(passes)
    hidden = empty(values, steps, rows, across)
    results, kept, fields = [hidden], [], []
    for place, given in enumerate(passes):
        own = hidden if across == units else _of(hidden, place, units)
        options = given.options or NO_OPTIONS
        gates_x, inputs, normalised = None, NO_INPUTS, options.norm_ih_gain is not None
        if inside:
            inputs = values, given.weight_ih
            if keep and normalised:
                gates_x = empty(values, count, wide)
        else:
            rows_of = values.flatten(0, 1) if layout is None else layout.take(values)
            gates_x = matmul(rows_of, given.weight_ih.t())
        h_n = empty(values, 1, rows, units)
        c_n = empty(values, 1, rows, units) if cell == "lstm" else None

        # A simple network's values are its states, unless zoneout mixes them.
        gates = by_unit = products = None
        if keep:
            if cell != "rnn" or options.zoneout_h is not None:
                # In the input's product's place, if there is one that nobody asks for again.
                gates = empty(values, count, wide) if gates_x is None or normalised else gates_x
            if cell != "rnn":
                by_unit = empty(values, count, units)
            if options.norm_hh_gain is not None:
                products = empty(values, count, wide)

        shape = steps, rows, units
        numbers = head(
            shape, given.reverse, clip_step, values.dtype, activation, width if inside else 0, across
        )
        tensors = [*inputs, gates_x, given.h_0, given.c_0, given.weight_hh, given.bias_ih, given.bias_hh]
        tensors += [own, h_n, c_n, gates, by_unit]
        special = ()
        if given.options is not None or layout is not None:
            special = [*_special(given, shape, layout), products]
        fields.append((numbers, tensors, special))  # which hold on to what is not kept
        results += (h_n,) if c_n is None else (h_n, c_n)
        if keep:
            kept.append(Kept(values, own, gates, by_unit, gates_x if normalised else None, products))
    run(f"{cell}_forward", fields)
    return tuple(results), tuple(kept), layout


def _of(all_directions: Tensor, place: int, units: int) -> Tensor:
    """One direction's part of what stands side by side."""
    return all_directions.narrow(2, place * units, units)


def inside_forward(weight_ih: Tensor, weight_hh: Tensor, count: int) -> bool:
    """Whether a cell's own call makes the input's product too, rather than one for the tiles.

    Args:
        weight_ih: ``(G * H, I)``.
        weight_hh: ``(G * H, H)``.
        count: ``N``.
    """
    return weight_ih.numel() + weight_hh.numel() <= _NEAR or _inside(weight_ih, count)


def _inside(weight_ih: Tensor, count: int) -> bool:
    """The same of all products over all steps, on the way back."""
    return not has_tiles(weight_ih) or count * weight_ih.numel() < _LITTLE_WORK


_LITTLE_WORK = 12_000_000
"""Multiply-adds up to which tiles do not make up for another call."""
_NEAR = 160_000
"""Weights of both matrices that fit in a core's own cache together: then the input's product is made while
the scan runs, some steps at a time, even where there are tiles. Both are measured; see benchmarks/LOG.md."""


def backward(
    passes: Sequence[KernelPass],
    kept: Sequence[Kept],
    layout: Packing | None,
    grads: Sequence[Tensor | None],
    needed: Sequence[Sequence[bool]],
) -> list[list[Tensor | None]]:
    """The gradients of each pass's tensors in their order, up to the last that can have one; None for others.

    That of the input, which all passes read, is among the first one's.

    Args:
        passes: what `forward` was given.
        kept: by `forward`.
        layout: from `forward`.
        grads: of the results.
        needed: of each pass's tensors, whether its gradient is asked for.
    """
    first, values = passes[0], kept[0].values
    units, end = first.weight_hh.shape[1], PLAIN + (_DIFFERENTIABLE if first.options is not None else 0)
    count = values.shape[0] * values.shape[1] if layout is None else len(layout.real)
    inside, states = _inside(first.weight_ih, count), (len(grads) - 1) // len(passes)
    grads = [grad.resolve_neg() if grad is not None and grad.is_neg() else grad for grad in grads]
    rooms: list[_Room] = []
    fields: list[Fields] = []
    for place, (given, own, asked) in enumerate(zip(passes, kept, needed, strict=True)):
        # What is there already, or comes of products afterwards; the others are made here.
        over: list[Tensor | None] = [None] * 3 if not inside else rooms[0].over[:1] if place else []
        missing = slice(len(over), end)
        over += [
            empty(values, *tensor.shape) if wanted and tensor is not None else None
            for tensor, wanted in zip(tensors_of(given)[missing], asked[missing], strict=True)
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
    run(f"{first.cell}_backward", fields)

    for given, own, room, asked in zip(passes, kept, rooms, needed, strict=True):
        if given.listen is not None and room.norms is not None:
            given.listen(room.norms)
        if room.gates is not None and room.product is not None:
            room.over[:3] = over_products(given, own, layout, room.gates, room.product, asked[:3])
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
    given: KernelPass,
    kept: Kept,
    layout: Packing | None,
    grad_hidden: Tensor | None,
    ends: Sequence[Tensor | None],
    room: _Room,
    adds: bool,
) -> Fields:
    """``adds``: to the input's gradient, which another pass has made."""
    hidden, inside = kept.hidden, room.gates is None
    *products, over_bias_ih, over_bias_hh, over_h_0, over_c_0, _ = room.over[:PLAIN]
    (grad_hidden,) = spread(hidden.shape, grad_hidden)
    grad_hidden, *strides = strided(grad_hidden)
    grad_h_n, grad_c_n = (*whole(*ends), None)[:2]
    numbers = head(
        hidden.shape,
        given.reverse,
        given.clip_step,
        hidden.dtype,
        ACTIVATION_NUMBERS[given.activation],
        kept.values.shape[2] if inside else 0,
        hidden.stride(1),
    )
    numbers += (adds, not inside and joined(given), *strides)
    tensors = [*((kept.values, given.weight_ih) if inside else NO_INPUTS), *products, grad_hidden]
    tensors += [hidden, given.h_0, given.c_0, given.weight_hh, kept.gates, kept.by_unit, grad_h_n, grad_c_n]
    tensors += [room.gates, room.product, over_h_0, over_c_0, over_bias_ih, over_bias_hh, room.norms]
    if layout is None and given.options is None:
        return numbers, tensors, ()
    special = [*_special(given, hidden.shape, layout), kept.gates_x, kept.products]
    special += room.over[PLAIN:] or (None,) * _DIFFERENTIABLE
    return numbers, tensors, special


_DIFFERENTIABLE = 5
"""Options that have gradients, the first ones."""


def _special(given: KernelPass, shape: tuple[int, ...], layout: Packing | None) -> list[Any]:
    """``Options`` of csrc/arguments.h."""
    of = given.options or NO_OPTIONS
    norms = of.norm_ih_gain, of.norm_hh_gain, of.norm_cell_gain, of.norm_cell_bias
    zoneouts = spread(shape, of.zoneout_h, of.zoneout_c)
    rows = ragged(None) if layout is None else layout.record()
    return options(rows, norms, of.peephole, of.hidden_mask, *zoneouts)
