"""Programs on the library: all steps of a cell, and their gradient.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``P`` recurrent matrices, ``K`` values that are kept.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.gradient import Gradient, differentiate
from unrolled.ops.cells.reference import Ran
from unrolled.ops.cells.surrounded import Surrounded
from unrolled.ops.native.library import Library, addresses, library
from unrolled.ops.native.memory import empty
from unrolled.ops.native.program_record import (
    Extent,
    Layout,
    arrays_read,
    backward_layout,
    forward_layout,
    record,
    step_layout,
)


class Kept(NamedTuple):
    """What the gradient needs.

    Attributes:
        states: after every step, with the initial one at the end from which the run comes, ``(T + 1, B, H)``
            each.
        values: ``(T, B, K, H)``.
    """

    states: tuple[Tensor, ...]
    values: Tensor


class Over(NamedTuple):
    """Gradients, None where they are not asked for.

    Attributes:
        gates_x: of the input's share.
        weight_hh: of the matrices.
        initial: of every initial state.
        units: of every vector of units.
        streams: of every stream.
        norms: of dL/dh_t, ``(T, B)``.
    """

    gates_x: Tensor
    weight_hh: Tensor | None
    initial: tuple[Tensor, ...]
    units: tuple[Tensor | None, ...]
    streams: tuple[Tensor | None, ...]
    norms: Tensor | None


def forward(cell: Surrounded, given: Given, keep: bool, watched: bool = False) -> tuple[Ran, Kept | None]:
    """Run a cell over all steps.

    Args:
        cell: its program with its surroundings.
        given: what it is run with, `prepared`.
        keep: keep what `backward` needs.
        watched: give all states and the gates' values, not the first state alone.
    """
    like, count = given.gates_x, len(given.initial)
    layout = forward_layout(cell, Extent.of(given), keep, watched, _strides(given.streams))
    steps, rows, size = like.shape[0], layout.extent.rows, layout.extent.size
    # All steps of the states that somebody reads, and of the others this step and the one before in turns.
    wanted = count if keep or watched else 1
    states = [empty(like, steps + keep if at < wanted else 2, rows, size) for at in range(count)]
    final = tuple([empty(like, rows, size) for _ in given.initial])
    values = empty(like, steps, rows, layout.kept, size) if keep else None
    gates = empty(like, steps, rows, len(cell.gate_values) * size) if watched else None
    extra = [each for each in (values, gates) if each is not None]
    if given.lengths is not None:
        for each in (*states[:wanted], *extra):
            each.zero_()
    if keep:
        for state, initial in zip(states, given.initial, strict=True):
            state[-1 if given.reverse else 0] = initial
    _run(layout, given, (*arrays_read(given), *states, *final, *extra), backward=False)
    shown = states[: count if watched else 1]
    if keep:
        shown = [each[:-1] if given.reverse else each[1:] for each in shown]
    return Ran(tuple(shown), final, gates), None if values is None else Kept(tuple(states), values)


def backward(
    cell: Surrounded,
    given: Given,
    kept: Kept,
    grads: Sequence[Tensor | None],
    watched: bool,
    needs_weight: bool,
    needs_units: Sequence[bool],
    norms: bool,
) -> Over:
    """The gradients of what a cell was run with, from those of what came of it.

    Args:
        cell: its program with its surroundings.
        given: what it was run with.
        kept: by `forward`.
        grads: of the states after every step, of those at the end, of the gates' values: of the first state
            and of those at the end where nothing was watched.
        watched: as `forward` was told.
        needs_weight: the matrices' gradient is asked for.
        needs_units: the same of each vector of units.
        norms: those of dL/dh_t are.
    """
    gradient = differentiate(cell, watched)
    like, count, ragged = given.gates_x, len(given.initial), given.lengths is not None
    seen = count if watched else 1
    arrived = [_nothing(like.dtype) if grad is None else _readable(grad) for grad in grads[:seen]]
    if watched:
        arrived.append(_nothing(like.dtype) if grads[-1] is None else grads[-1].contiguous())
    layout = backward_layout(
        cell,
        Extent.of(given),
        norms,
        watched,
        tuple(needs_units),
        _strides(given.streams),
        _strides(arrived),
    )
    steps, rows, size = like.shape[0], layout.extent.rows, layout.extent.size
    # Of every state what is carried from step to step, of two steps in turns; then what its initial one gets.
    carried = like.new_zeros(3 * count, rows, size)
    ends = carried[2 * count :].unbind()
    for state, grad in enumerate(grads[seen : seen + count]):
        if grad is None:
            continue
        carried[2 * state : 2 * state + 2] = grad
        if given.lengths is not None:
            ends[state].copy_(torch.where((given.lengths == 0).unsqueeze(1), grad, 0.0))
    make = like.new_zeros if ragged else partial(empty, like)
    over_product = make(steps, rows, len(gradient.order) * size)
    over_input = over_product if layout.code.joined else make(*like.shape)
    over_streams = tuple([make(steps, rows, size) if at >= 0 else None for at in gradient.over_stream])
    over_units = tuple(
        [
            empty(like, *unit.shape) if needed else None
            for unit, needed in zip(given.units, needs_units, strict=True)
        ]
    )
    heard = like.new_zeros(steps, rows) if norms else None
    results = over_product, over_input, *over_streams, *over_units, heard
    # Where there is no array nothing is written; something must stand in its place.
    results = [carried if each is None else each for each in results]
    arrays = (*arrays_read(given), *kept.states, kept.values, *arrived, carried, *results)
    _run(layout, given, arrays, backward=True)
    over_weight = _over_weight(gradient, given, kept, over_product) if needs_weight else None
    return Over(over_input, over_weight, ends, over_units, over_streams, heard)


@lru_cache(maxsize=8)
def _nothing(dtype: torch.dtype) -> Tensor:
    """A gradient of zeros, of as many steps, rows and units as are read."""
    return torch.zeros((), dtype=dtype).expand(1, 1, 1)


def _strides(tensors: Sequence[Tensor]) -> tuple[tuple[int, ...], ...]:
    return tuple([tensor.stride() for tensor in tensors])


def _over_weight(gradient: Gradient, given: Given, kept: Kept, over_product: Tensor) -> Tensor:
    """Of the matrices: what entered each product, times what came back to it."""
    size = given.initial[0].shape[-1]
    over = torch.empty_like(given.weight_hh)
    flat, column = over_product.flatten(0, 1), 0
    for (_, products), operand in zip(gradient.groups, gradient.operands, strict=True):
        entered = _entered(given, kept, -1 - operand) if operand < 0 else kept.values[:, :, operand]
        width = len(products) * size
        part = flat[:, column : column + width].t()
        column += width
        first, last = products[0], products[-1] + 1
        if last - first == len(products):
            torch.mm(part, entered.flatten(0, 1), out=over[first * size : last * size])
            continue
        for product, own in zip(products, part.split(size), strict=True):
            torch.mm(own, entered.flatten(0, 1), out=over[product * size : (product + 1) * size])
    return over


def _entered(given: Given, kept: Kept, state: int) -> Tensor:
    """A state before every step, ``(T, B, H)``; past a row's end it means nothing."""
    buffer, initial = kept.states[state], given.initial[state]
    entered = buffer[1:] if given.reverse else buffer[:-1]
    if given.reverse and given.lengths is not None:
        entered = entered.clone()
        begun = given.lengths.nonzero().squeeze(1)
        entered[given.lengths[begun] - 1, begun] = initial[begun]
    if given.resets is not None:
        entered = torch.where(given.resets.unsqueeze(-1), initial, entered)
    return entered


def _readable(stream: Tensor) -> Tensor:
    """With units that lie side by side, or all the same."""
    return (
        stream if stream.stride(-1) in (0, 1) and not stream.is_neg() else stream.resolve_neg().contiguous()
    )


def prepared(given: Given) -> Given:
    """The same with every tensor as the library reads it."""
    return given._replace(
        gates_x=given.gates_x.contiguous(),
        weight_hh=given.weight_hh.contiguous(),
        initial=tuple(each.contiguous() for each in given.initial),
        units=tuple(each.contiguous() for each in given.units),
        streams=tuple(_readable(each) for each in given.streams),
        lengths=None if given.lengths is None else given.lengths.contiguous(),
        resets=None if given.resets is None else given.resets.contiguous(),
    )


def _run(layout: Layout, given: Given, arrays: Sequence[Tensor], backward: bool) -> None:
    chosen = library()
    assert chosen is not None
    made = record(layout, given, arrays, torch.get_num_threads(), backward)
    failed = chosen.functions["program"](made.data)
    if failed == 1:
        raise MemoryError("no memory to run a cell.")
    if failed:
        raise RuntimeError(f"the library does not know the code of the cell {layout.cell.program.name!r}.")


class Stepper:
    """A cell that takes one step after the other, its weights packed once.

    Args:
        chosen: the library to call.
        cell: its program with its surroundings, of which nothing changes from step to step.
        given: what it is run with, copied but for the initial states, which change in place and must be
            contiguous; ``gates_x`` is not read.
        weight_ih: ``(inputs * H, I)``.
        bias_ih: ``(inputs * H,)``, or None.
    """

    def __init__(
        self, chosen: Library, cell: Surrounded, given: Given, weight_ih: Tensor, bias_ih: Tensor | None
    ) -> None:
        given = prepared(
            given._replace(
                weight_hh=given.weight_hh.clone(), units=tuple(unit.clone() for unit in given.units)
            )
        )
        weight_ih = weight_ih.clone().contiguous()
        bias_ih = None if bias_ih is None else bias_ih.clone()
        after = [torch.empty_like(initial) for initial in given.initial]
        layout = step_layout(cell, Extent.of(given), _strides(given.streams))
        entrance = len(cell.program.inputs), weight_ih.shape[1], *addresses((weight_ih, bias_ih))
        self._record = record(layout, given, (*arrays_read(given), *after), 1, False, entrance)
        self._kept = weight_ih, bias_ih
        self._end = chosen.functions["stepper_end"]
        self._handle = chosen.functions["stepper"](self._record.data)
        if not self._handle:
            raise MemoryError(f"no memory for a step of the cell {cell.program.name!r}.")
        self.step = partial(chosen.functions["stepper_step"], self._handle)
        """Takes the addresses of the input, ``(B, I)``, and of where the first state is copied to, or 0."""

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._end(self._handle)
