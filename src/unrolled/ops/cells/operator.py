"""A cell over all steps as one torch operator, for whoever writes down what torch computes.

`torch.compile`, `torch.export`, `torch.jit.trace` and dispatch modes see ``unrolled::scan``, whose
backward is an operator too. The cell comes as text, so that a graph holds all of it; the tensors come in one
list, in the order of `Given`. Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.cells.given import Given, given_of, tensors_of
from unrolled.ops.cells.program import Program
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround

Forward = Callable[[Surrounded, Given, bool], Sequence[Tensor]]
Backward = Callable[[Surrounded, Given, Sequence[Tensor | None], bool], Sequence[Tensor | None]]
_computed_by: list[tuple[Forward, Backward]] = []


def computed_by(forward: Forward, backward: Backward) -> None:
    """Say what computes the operator: the results of a cell, and every tensor's gradient from theirs."""
    _computed_by[:] = [(forward, backward)]


def run_operator(program: Program, around: Surroundings, given: Given, watched: bool) -> list[Tensor]:
    """Call the operator.

    Returns:
        The states after every step, ``(T, B, H)`` each, those at each row's end, ``(B, H)`` each, and the
        gates' values, ``(T, B, gates * H)``; the first state alone of the first kind, and no gates, unless
        ``watched``.
    """
    text = f"{program.text}\n{around.text()}"
    tensors = list(tensors_of(given))
    return scan(tensors, given.lengths, given.resets, text, given.reverse, given.bound, watched)


@lru_cache(maxsize=256)
def cell_of(text: str) -> Surrounded:
    """The cell that an operator was given."""
    program, around = text.split("\n")
    return surround(Program.from_dict(json.loads(program)), Surroundings.from_text(around))


@torch.library.custom_op("unrolled::scan", mutates_args=())
def scan(
    tensors: list[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    cell: str,
    reverse: bool,
    bound: float,
    watched: bool,
) -> list[Tensor]:
    """A cell over all steps."""
    forward, _ = _computed_by[0]
    known = cell_of(cell)
    results = forward(known, given_of(known, tensors, (lengths, resets, reverse, bound)), watched)
    # An operator's results are nobody else's memory, such as that of what a gradient would read.
    return [result.clone(memory_format=torch.contiguous_format) for result in results]


@scan.register_fake
def _(tensors: list[Tensor], lengths: Any, resets: Any, cell: str, *rest: Any) -> list[Tensor]:
    *_, watched = rest
    known = cell_of(cell)
    given = given_of(known, tensors, (lengths, resets, *rest[:-1]))
    steps, rows, _ = given.gates_x.shape
    seen = given.initial if watched else given.initial[:1]
    widths = [state.shape[-1] for state in seen]
    results = [given.gates_x.new_empty(steps, rows, width) for width in widths]
    results += [state.new_empty(rows, state.shape[-1]) for state in given.initial]
    if watched:
        wide = len(known.gate_values) * given.units_of_cell
        results.append(given.gates_x.new_empty(steps, rows, wide))
    return results


@torch.library.custom_op("unrolled::scan_backward", mutates_args=())
def scan_backward(
    grads: Sequence[Tensor | None],
    tensors: list[Tensor],
    lengths: Tensor | None,
    resets: Tensor | None,
    cell: str,
    reverse: bool,
    bound: float,
    watched: bool,
) -> list[Tensor]:
    """The gradient of every tensor, from those of the results; zero of what can have none."""
    _, backward = _computed_by[0]
    known = cell_of(cell)
    found = backward(known, given_of(known, tensors, (lengths, resets, reverse, bound)), grads, watched)
    made = zip(found, tensors, strict=True)
    return [
        torch.zeros_like(tensor, memory_format=torch.contiguous_format)
        if gradient is None
        else gradient.clone(memory_format=torch.contiguous_format)
        for gradient, tensor in made
    ]


@scan_backward.register_fake
def _(grads: Any, tensors: list[Tensor], *rest: Any) -> list[Tensor]:
    return [tensor.new_empty(tensor.shape) for tensor in tensors]


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    tensors, lengths, resets, *constants = inputs
    ctx.save_for_backward(*tensors, lengths, resets)
    ctx.constants = constants


def _differentiate(ctx: Any, grads: list[Tensor | None]) -> tuple[Any, ...]:
    *tensors, lengths, resets = ctx.saved_tensors
    found = scan_backward(grads, tensors, lengths, resets, *ctx.constants)
    return (found, *[None] * 6)


scan.register_autograd(_differentiate, setup_context=_setup_context)
