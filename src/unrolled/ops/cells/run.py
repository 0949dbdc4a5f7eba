"""A cell over all steps: by the library where it can, else in plain torch; and their one gradient.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.cells.given import Given, given_of, tensors_of
from unrolled.ops.cells.operator import computed_by, run_operator
from unrolled.ops.cells.plain import PlainCell, run_plain
from unrolled.ops.cells.program import Program
from unrolled.ops.cells.reference import Ran, run_reference
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround
from unrolled.ops.deterministic_rows import require_any_rows
from unrolled.ops.direct import traced, transformed, unobserved
from unrolled.ops.listening import Listen, listening_probe
from unrolled.ops.native import in_use
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import library
from unrolled.ops.native.program import Kept, backward, forward, prepared
from unrolled.ops.torch_private import batched_gradient


def run_cell(
    program: Program | PlainCell,
    around: Surroundings,
    given: Given,
    listen: Listen | None = None,
    watched: bool = False,
) -> Ran:
    """Run a cell.

    Args:
        program: the cell's, or a cell that is not fused.
        around: what stands around it.
        given: what it is run with.
        listen: hears the norm of every dL/dh_t on the way back, or None.
        watched: give all states and the gates' values, not the first state alone.
    """
    kind = given.gates_x.device.type
    if torch.is_autocast_enabled(kind):
        # A recurrence adds up over time, so it keeps the type that its weights have.
        with torch.autocast(kind, enabled=False):
            return run_cell(program, around, _in_type(given, torch.float32), listen, watched)
    if isinstance(program, PlainCell):
        require_any_rows()
        return run_plain(program, around, given, listen)
    tensors = tensors_of(given)
    if _covered(program, around, given, tensors):
        cell = surround(program, around)
        if not torch.is_grad_enabled() or not any(tensor.requires_grad for tensor in tensors):
            return forward(cell, prepared(given), False, watched)[0]
        results = _Run.apply(cell, given, listen, watched, *tensors)
        return _ran(results, len(given.initial), watched)
    require_any_rows()
    if listen is not None:
        around, given = _heard(around, given, listen)
    if traced() and not transformed():
        return _ran(run_operator(program, around, given, watched), len(given.initial), watched)
    return run_reference(surround(program, around), given)


def _in_type(given: Given, dtype: torch.dtype) -> Given:
    def cast(tensor: Tensor) -> Tensor:
        return tensor.to(dtype) if tensor.is_floating_point() and tensor.dtype.itemsize < 4 else tensor

    return given._replace(
        gates_x=cast(given.gates_x),
        weight_hh=cast(given.weight_hh),
        initial=tuple(map(cast, given.initial)),
        units=tuple(map(cast, given.units)),
        streams=tuple(map(cast, given.streams)),
        projection=None if given.projection is None else cast(given.projection),
    )


def _covered(program: Program, around: Surroundings, given: Given, tensors: Sequence[Tensor]) -> bool:
    """Whether the library computes this case; anything else is plain torch's to compute or to refuse."""
    first = given.gates_x
    return (
        in_use()
        and unobserved(first, tensors)
        and obstacle(first.device.type, first.dtype, projection=given.projection is not None) is None
        and all(tensor.dtype is first.dtype and not tensor.is_neg() for tensor in tensors)
        and first.numel() > 0
        and _fits(program, around, given)
        and library() is not None
    )


def _fits(program: Program, around: Surroundings, given: Given) -> bool:
    """Whether every tensor has its shape: what keeps the library inside the arrays that it is given."""
    lengths, resets = given.lengths, given.resets
    shape = given.gates_x.shape
    return (
        _fit(
            program,
            around,
            shape,
            given.weight_hh.shape,
            tuple([state.shape for state in given.initial]),
            tuple([unit.shape for unit in given.units]),
            tuple([stream.shape for stream in given.streams]),
        )
        and (
            lengths is None
            or (lengths.is_cpu and lengths.dtype is torch.int64 and lengths.shape == shape[1:2])
        )
        and (resets is None or (resets.is_cpu and resets.dtype is torch.bool and resets.shape == shape[:2]))
    )


@lru_cache(maxsize=256)
def _fit(
    program: Program,
    around: Surroundings,
    gates_x: torch.Size,
    weight_hh: torch.Size,
    initial: Sequence[torch.Size],
    units: Sequence[torch.Size],
    streams: Sequence[torch.Size],
) -> bool:
    (steps, rows, wide), size = gates_x, initial[0][-1]
    return (
        wide == len(program.inputs) * size
        and weight_hh == (len(program.products) * size, size)
        and len(initial) == len(program.states)
        and all(state == (rows, size) for state in initial)
        and all(len(unit) == 1 and unit[0] % size == 0 for unit in units)
        and sum(unit[0] for unit in units) == around.units_of(program) * size
        and len(streams) == around.streams
        and all(stream == (steps, rows, size) for stream in streams)
    )


def _heard(around: Surroundings, given: Given, listen: Listen) -> tuple[Surroundings, Given]:
    """With a probe of the first state that hears the norms, where nothing else does."""
    first = given.initial[0]
    heard = listening_probe(listen, first, (len(given.gates_x), *first.shape))
    place = around.masked + sum(around.zoneout)
    streams = list(given.streams)
    if around.probed[0]:
        streams[place] = streams[place] + heard
    else:
        streams.insert(place, heard)
    probed = (True, *around.probed[1:])
    return around._replace(probed=probed), given._replace(streams=tuple(streams))


def _ran(results: Sequence[Tensor], states: int, watched: bool) -> Ran:
    seen = states if watched else 1
    final = tuple(results[seen : seen + states])
    return Ran(tuple(results[:seen]), final, results[seen + states] if watched else None)


class _Run(torch.autograd.Function):
    # Given what a cell is run with, and its tensors once more, for autograd to see.
    @staticmethod
    def forward(
        ctx: Any, cell: Surrounded, given: Given, listen: Listen | None, watched: bool, *tensors: Tensor
    ) -> Any:
        ready = prepared(given)
        ran, kept = forward(cell, ready, True, watched)
        assert kept is not None
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *tensors_of(ready), *kept.states, kept.values)
        ctx.cell, ctx.listen, ctx.watched, ctx.count = cell, listen, watched, len(tensors)
        ctx.rest = ready[_REST:]
        return _flat(ran, watched)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        cell, count = ctx.cell, ctx.count
        if all(grad is None for grad in grads):
            return (None,) * (_CONSTANTS + count)
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad[_CONSTANTS:]
        if torch.is_grad_enabled() or any(grad is not None and batched_gradient(grad) for grad in grads):
            given = given_of(cell, saved[:count], ctx.rest)
            return (None,) * _CONSTANTS + _replayed(cell, given, grads, needed, ctx.watched, ctx.listen)
        given = given_of(cell, saved[count : 2 * count], ctx.rest)
        states, units = len(given.initial), len(given.units)
        over = backward(
            cell,
            given,
            Kept(saved[2 * count : -1], saved[-1]),
            grads,
            ctx.watched,
            needed[1],
            needed[2 + states : 2 + states + units],
            ctx.listen is not None,
        )
        if ctx.listen is not None:
            ctx.listen(over.norms)
        found = (over.gates_x, over.weight_hh, *over.initial, *over.units, *over.streams)
        return (None,) * _CONSTANTS + tuple(
            gradient if wanted else None for gradient, wanted in zip(found, needed, strict=True)
        )


_CONSTANTS = 4
"""Arguments of `_Run` before its tensors."""
_REST = Given._fields.index("lengths")


def _replayed(
    cell: Surrounded,
    given: Given,
    grads: Sequence[Tensor | None],
    needed: Sequence[bool],
    watched: bool,
    listen: Listen | None,
) -> tuple[Tensor | None, ...]:
    """The gradients by torch, which can differentiate them once more."""
    require_any_rows()
    with torch.enable_grad():
        around, heard = cell.surroundings, given
        if listen is not None:
            around, heard = _heard(around, given, listen)
        ran = run_reference(surround(cell.program, around), heard)
    results = _flat(ran, watched)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    tensors = tensors_of(given)
    asked = [index for index, wanted in enumerate(needed) if wanted]
    found = torch.autograd.grad(
        [result for result, _ in arrived],
        [tensors[index] for index in asked],
        [grad for _, grad in arrived],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    by_place = dict(zip(asked, found, strict=True))
    return tuple(by_place.get(index) for index in range(len(tensors)))


def _results(cell: Surrounded, given: Given, watched: bool) -> tuple[Tensor, ...]:
    """What the operator computes."""
    if _covered(cell.program, cell.surroundings, given, tensors_of(given)):
        ran = forward(cell, prepared(given), False, watched)[0]
    else:
        ran = run_reference(cell, given)
    return _flat(ran, watched)


def _flat(ran: Ran, watched: bool) -> tuple[Tensor, ...]:
    if not watched:
        return ran.states[0], *ran.final
    assert ran.gates is not None
    return *ran.states, *ran.final, ran.gates


def _gradients(
    cell: Surrounded, given: Given, grads: Sequence[Tensor | None], watched: bool
) -> Sequence[Tensor | None]:
    """What its backward computes, from what it was given alone."""
    tensors = tensors_of(given)
    if _covered(cell.program, cell.surroundings, given, tensors):
        ready = prepared(given)
        _, kept = forward(cell, ready, True, watched)
        assert kept is not None
        over = backward(cell, ready, kept, grads, watched, True, (True,) * len(given.units), False)
        return over.gates_x, over.weight_hh, *over.initial, *over.units, *over.streams

    def replay(*tensors: Tensor) -> tuple[Tensor, ...]:
        return _flat(run_reference(cell, given_of(cell, tensors, given[_REST:])), watched)

    results, pull_back = torch.func.vjp(replay, *tensors)[:2]
    made = zip(grads, results, strict=True)
    return pull_back(tuple(torch.zeros_like(result) if grad is None else grad for grad, result in made))


computed_by(_results, _gradients)
