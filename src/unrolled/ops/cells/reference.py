"""A program over all steps in plain torch, differentiable as often as torch is: the truth about every cell.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from typing import NamedTuple

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


def run_reference(cell: Surrounded, given: Given) -> Ran:
    """Run a cell."""
    gates_x, weight_hh, initial, units, streams, projection, lengths, resets, reverse, bound = given
    steps, rows, _ = gates_x.shape
    size, width = given.units_of_cell, weight_hh.shape[-1]
    matrices = weight_hh.split(size)
    real = real_steps(lengths, steps)
    gates_x = zero_padding(gates_x, real)  # no gradient comes of what is not read, not even of NaN
    states = list(initial)
    found: list[list[Tensor]] = [[] for _ in range(len(states) + len(cell.gate_values))]
    order = step_order(steps, reverse)
    moving = [each_step(stream, gates_x) for stream in streams]
    for t in order:
        before = states
        if resets is not None:
            anew = resets[t].unsqueeze(-1)
            before = [torch.where(anew, first, old) for first, old in zip(initial, states, strict=True)]
        shares = gates_x[t].split(size, -1)

        def leaf(each: Instruction, t: int = t, before: list[Tensor] = before, shares=shares) -> Tensor:
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

        values = evaluate(cell.instructions, leaf, multiply, bound)
        new = [values[result].expand_as(first) for result, first in zip(cell.results, initial, strict=True)]
        shown = new + [values[at].expand(rows, size) for at in cell.gate_values]
        if real is not None:
            shown = [torch.where(real[t], value, 0.0) for value in shown]
            new = [torch.where(real[t], value, old) for value, old in zip(new, states, strict=True)]
        states = new
        for kept, value in zip(found, shown, strict=True):
            kept.append(value)
    if reverse:
        found = [kept[::-1] for kept in found]
    stacked = [torch.stack(kept) for kept in found]
    count = len(initial)
    return Ran(tuple(stacked[:count]), tuple(states), torch.cat(stacked[count:], -1))
