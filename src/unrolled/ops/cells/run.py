"""A cell over all steps: by the library where it can, else in plain torch; and their one gradient.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import is_legacy_batchedtensor

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.reference import Ran, run_reference
from unrolled.ops.cells.surrounded import Surrounded
from unrolled.ops.direct import unobserved
from unrolled.ops.listening import Listen, listening_probe
from unrolled.ops.native import in_use
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import library
from unrolled.ops.native.program import Kept, backward, forward, prepared


def run_cell(
    cell: Surrounded, given: Given, listen: Listen | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a cell.

    Args:
        cell: its program with its surroundings.
        given: what it is run with.
        listen: hears the norm of every dL/dh_t on the way back, or None.

    Returns:
        The first state after every step, ``(T, B, H)``, zero past a row's end; and every state at each row's
        end, ``(B, H)`` each.
    """
    tensors = _tensors(given)
    if not _covered(given, tensors):
        ran = reference(cell, given, listen)
        return ran.states[0], ran.final
    if not torch.is_grad_enabled() or not any(tensor.requires_grad for tensor in tensors):
        hidden, final, _ = forward(cell, prepared(given), keep=False)
        return hidden, final
    hidden, *final = _Run.apply(cell, given, listen, *tensors)
    return hidden, tuple(final)


def reference(cell: Surrounded, given: Given, listen: Listen | None = None) -> Ran:
    """The same in plain torch, with every state and gate of every step."""
    ran = run_reference(cell, given)
    if listen is None:
        return ran
    first = ran.states[0]
    heard = first + listening_probe(listen, first, tuple(first.shape))
    return ran._replace(states=(heard, *ran.states[1:]))


def _covered(given: Given, tensors: Sequence[Tensor]) -> bool:
    first = given.gates_x
    return (
        obstacle(first.device.type, first.dtype) is None
        and all(tensor.dtype is first.dtype and not tensor.is_neg() for tensor in tensors)
        and first.numel() > 0
        and in_use()
        and unobserved(first, tensors)
        and library() is not None
    )


class _Run(torch.autograd.Function):
    # Given what a cell is run with, and its tensors once more, for autograd to see.
    @staticmethod
    def forward(ctx: Any, cell: Surrounded, given: Given, listen: Listen | None, *tensors: Tensor) -> Any:
        ready = prepared(given)
        hidden, final, kept = forward(cell, ready, keep=True)
        assert kept is not None
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *_tensors(ready), *kept.states, kept.values)
        ctx.cell, ctx.listen, ctx.count = cell, listen, len(tensors)
        ctx.rest = ready[_REST:]
        return hidden, *final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        cell, count = ctx.cell, ctx.count
        if all(grad is None for grad in grads):
            return (None,) * (3 + count)
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad[3:]
        if torch.is_grad_enabled() or any(
            grad is not None and is_legacy_batchedtensor(grad) for grad in grads
        ):
            return (None,) * 3 + _replayed(
                cell, _given(cell, saved[:count], ctx.rest), grads, needed, ctx.listen
            )
        given = _given(cell, saved[count : 2 * count], ctx.rest)
        states, units = len(given.initial), len(given.units)
        over = backward(
            cell,
            given,
            Kept(saved[2 * count : -1], saved[-1]),
            grads[0],
            grads[1:],
            needed[1],
            needed[2 + states : 2 + states + units],
            ctx.listen is not None,
        )
        if ctx.listen is not None:
            ctx.listen(over.norms)
        found = (over.gates_x, over.weight_hh, *over.initial, *over.units, *over.streams)
        return (None,) * 3 + tuple(
            gradient if wanted else None for gradient, wanted in zip(found, needed, strict=True)
        )


_REST = Given._fields.index("lengths")


def _tensors(given: Given) -> tuple[Tensor, ...]:
    return (given.gates_x, given.weight_hh, *given.initial, *given.units, *given.streams)


def _given(cell: Surrounded, tensors: Sequence[Tensor], rest: Any) -> Given:
    states = 2 + len(cell.program.states)
    units = states + cell.units
    initial, vectors, streams = tensors[2:states], tensors[states:units], tensors[units:]
    return Given(tensors[0], tensors[1], tuple(initial), tuple(vectors), tuple(streams), *rest)


def _replayed(
    cell: Surrounded,
    given: Given,
    grads: Sequence[Tensor | None],
    needed: Sequence[bool],
    listen: Listen | None,
) -> tuple[Tensor | None, ...]:
    """The gradients by torch, which can differentiate them once more."""
    with torch.enable_grad():
        ran = reference(cell, given, listen)
    results = (ran.states[0], *ran.final)
    arrived = [(result, grad) for result, grad in zip(results, grads, strict=True) if grad is not None]
    tensors = _tensors(given)
    asked = [index for index, wanted in enumerate(needed) if wanted]
    gradients = torch.autograd.grad(
        [result for result, _ in arrived],
        [tensors[index] for index in asked],
        [grad for _, grad in arrived],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    found: list[Tensor | None] = [None] * len(tensors)
    for index, gradient in zip(asked, gradients, strict=True):
        found[index] = gradient
    return tuple(found)
