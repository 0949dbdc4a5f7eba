"""A cell over all steps in plain torch, differentiable as often as torch is: the truth about every cell.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from unrolled.ops.cells.evaluate import evaluate
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.program import Instruction
from unrolled.ops.cells.surrounded import Surrounded
from unrolled.ops.scan import each_step, real_steps, step_order, zero_padding


class Ran(NamedTuple):
    """What comes of a run.

    Attributes:
        states: every state after every step, ``(T, B, H)`` each, zero past a row's end; the first alone
            where nobody asked for more.
        final: every state at each row's end, ``(B, H)`` each.
        gates: the values of all gates, ``(T, B, gates * H)``, zero past a row's end; None where nobody asked.
    """

    states: tuple[Tensor, ...]
    final: tuple[Tensor, ...]
    gates: Tensor | None


Step: TypeAlias = Callable[[int, list[Tensor]], tuple[Sequence[Tensor], Sequence[Tensor]]]
"""Of a step's number and the states before it: the states after it and the gates' values, ``(B, H)`` each."""


def run_reference(cell: Surrounded, given: Given) -> Ran:
    """Run a cell by its program."""
    gates_x, weight_hh, initial, _, streams, projection = given[:6]
    rows, size, width = len(initial[0]), given.units_of_cell, weight_hh.shape[-1]
    matrices, units = weight_hh.split(size), given.vectors
    # No gradient comes of what is not read, not even of NaN.
    gates_x = zero_padding(gates_x, real_steps(given.lengths, len(gates_x)))
    moving = [each_step(stream, gates_x) for stream in streams]

    def step(t: int, before: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        shares = gates_x[t].split(size, -1)

        def leaf(each: Instruction) -> Tensor:
            index = int(each.value)
            if each.op == "input":
                return shares[index]
            if each.op == "state":
                return before[index]
            if each.op == "parameter":
                return units[index]
            if each.op == "stream":
                return moving[index][t]
            return gates_x.new_tensor(each.value)

        def multiply(gate: int | None, value: Tensor) -> Tensor:
            if gate is None:
                assert projection is not None
                return value.expand(rows, size) @ projection.t()
            return value.expand(rows, width) @ matrices[gate].t()

        values = evaluate(cell.instructions, leaf, multiply, given.bound)
        new = [values[result].expand_as(first) for result, first in zip(cell.results, initial, strict=True)]
        return new, [values[at].expand(rows, size) for at in cell.gate_values]

    return run_steps(given, step, len(cell.gate_values))


def run_steps(given: Given, step: Step, gates: int) -> Ran:
    """Run a step over all steps, with lengths, resets and direction.

    Args:
        given: what it is run with.
        step: the step.
        gates: how many gates it has.
    """
    steps, initial = len(given.gates_x), given.initial
    real = real_steps(given.lengths, steps)
    states = list(initial)
    found: list[list[Tensor]] = [[] for _ in range(len(states) + gates)]
    for t in step_order(steps, given.reverse):
        before = states
        if given.resets is not None:
            anew = given.resets[t].unsqueeze(-1)
            before = [torch.where(anew, first, old) for first, old in zip(initial, states, strict=True)]
        new, values = step(t, before)
        shown = [*new, *values]
        if real is not None:
            shown = [torch.where(real[t], value, 0.0) for value in shown]
            new = [torch.where(real[t], value, old) for value, old in zip(new, states, strict=True)]
        states = list(new)
        for kept, value in zip(found, shown, strict=True):
            kept.append(value)
    if given.reverse:
        found = [kept[::-1] for kept in found]
    stacked = [torch.stack(kept) for kept in found]
    count = len(initial)
    return Ran(tuple(stacked[:count]), tuple(states), torch.cat(stacked[count:], -1))
