"""One step of a recurrent layer in C, from its cell's program.

Operations on single units are gathered in loops; a loop ends where the next operation needs all units of
a vector: a recurrent product, a mean, a normalisation. What later loops read is kept in a vector, all else
lives in a loop's variables.

Legend: ``H`` hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from unrolled.export.c_code.numbers import literal
from unrolled.export.c_code.source import Source
from unrolled.layers.onnx_nodes import surrounded_cell, unit_vectors
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.cells.program import Instruction, live
from unrolled.ops.cells.surrounded import Surrounded

_WHOLE = ("product", "mean", "normalise")
"""What reads all units of a vector."""
_LEAVES = ("input", "state", "parameter", "stream", "constant")

_UNIT: dict[str, Callable[..., str]] = {
    "add": lambda a, b: f"{a} + {b}",
    "sub": lambda a, b: f"{a} - {b}",
    "mul": lambda a, b: f"{a} * {b}",
    "div": lambda a, b: f"{a} / {b}",
    "neg": lambda a: f"-({a})",
    "sigmoid": lambda a: f"sigmoid({a})",
    "tanh": lambda a: f"hyperbolic({a})",
    "relu": lambda a: f"rectified({a})",
    "softplus": lambda a: f"softplus({a})",
    "exp": lambda a: f"exponential({a})",
    "log": lambda a: f"logf({a})",
    "sqrt": lambda a: f"sqrtf({a})",
    "abs": lambda a: f"fabsf({a})",
    "minimum": lambda a, b: f"smaller({a}, {b})",
    "maximum": lambda a, b: f"larger({a}, {b})",
    "less": lambda a, b: f"{a} < {b} ? 1.0f : 0.0f",
    "where": lambda condition, a, b: f"{condition} != 0.0f ? {a} : {b}",
}


def write_layers(source: Source, layer: RecurrentLayer, of: str, prefix: str = "layer") -> str:
    """A step of a stack of layers in one direction.

    Args:
        source: is written to.
        layer: in evaluation.
        of: the vector that it reads.
        prefix: of the names.

    Returns:
        The vector with the top layer's output.
    """
    initial = layer._layout.split(layer.initial_state(1), 1)
    for level in range(layer.num_layers):
        begins = [part[0].detach().float().numpy() for part in initial[level]]
        of = _write_layer(source, layer, level, of, f"{prefix}{level}", begins)
    return of


def _write_layer(
    source: Source, layer: RecurrentLayer, level: int, of: str, name: str, begins: Sequence[np.ndarray]
) -> str:
    program, cell, suffix = layer.program, surrounded_cell(layer), f"_l{level}"
    size = layer.hidden_sizes[level]

    def weights(parameter: str) -> np.ndarray | None:
        found = getattr(layer, parameter + suffix, None)
        return None if found is None else found.detach().float().cpu().numpy()

    states = [
        source.carry(f"{name}_{state}", len(first), first)
        for state, first in zip(program.states, begins, strict=True)
    ]
    source.say(f"layer {level}: {layer.cell_name}, {size} units")
    gates = _write_entrance(source, layer, of, name, size, weights)

    stored = ("peephole", "norm_cell_gain", "norm_cell_bias", "bias_hh", "norm_hh_gain")
    named = {each: getattr(layer, each + suffix, None) for each in (*program.parameters, *stored)}
    vectors = unit_vectors(layer, named)
    units = [source.array(f"{name}_unit{place}", _numbers(vector)) for place, vector in enumerate(vectors)]
    weight = weights("weight_hh")
    blocks = []
    if weight is not None and program.products:
        made = _numbers(layer.matrices(getattr(layer, "weight_hh" + suffix)))
        blocks = np.split(made, len(program.products))
    matrices = [
        source.matrix(f"{name}_{gate}", block) for gate, block in zip(program.products, blocks, strict=True)
    ]

    def leaf(each: Instruction) -> str:
        index = int(each.value)
        if each.op == "input":
            return f"{gates}[{index * size} + j]"
        if each.op == "state":
            return f"{states[index]}[j]"
        if each.op == "parameter":
            return f"{units[index]}[j]"
        return literal(each.value if each.op == "constant" else layer.zoneout[cell.streams[index][1]])

    made = _write_step(
        source,
        cell,
        name,
        size,
        leaf,
        lambda gate, into, given: source.product(into, matrices[gate], given),
        states,
    )
    projection = weights("weight_hr")
    if projection is not None:
        made[0] = _write_projection(source, layer, name, made[0], states[0], projection)
    for state, new, first in zip(states, made, begins, strict=True):
        source.copy(state, new, len(first))
    return states[0]


def _write_entrance(
    source: Source,
    layer: RecurrentLayer,
    of: str,
    name: str,
    size: int,
    weights: Callable[[str], np.ndarray | None],
) -> str:
    """The input's share of the gates."""
    weight, bias, gain = weights("weight_ih"), weights("bias_ih"), weights("norm_ih_gain")
    assert weight is not None
    if gain is None:
        return source.linear(f"{name}_gates", of, weight, bias)
    gates = source.linear(f"{name}_gates", of, weight, None)
    scale = source.array(f"{name}_gain", gain)
    first = 0
    for group in layer.norm_groups:
        width = group * len(weight) // sum(layer.norm_groups)
        source.write(f"normalise({gates} + {first}, {gates} + {first}, {width});")
        first += width
    shift = "" if bias is None else f" + {source.array(f'{name}_bias', bias)}[j]"
    source.each(len(weight), f"{gates}[j] = {gates}[j] * {scale}[j]{shift};")
    return gates


def _write_projection(
    source: Source, layer: RecurrentLayer, name: str, of: str, old: str, weight: np.ndarray
) -> str:
    new = source.linear(f"{name}_projected", of, weight, None)
    keep = layer.zoneout[0]
    if keep:
        kept, rest = literal(keep), literal(1 - keep)
        source.each(len(weight), f"{new}[j] = {kept} * {old}[j] + {rest} * {new}[j];")
    return new


def _write_step(
    source: Source,
    cell: Surrounded,
    name: str,
    size: int,
    leaf: Callable[[Instruction], str],
    multiply: Callable[[int, str, str], None],
    states: Sequence[str],
) -> list[str]:
    """The instructions; the vectors with the new states."""
    instructions, used = cell.instructions, live(cell.instructions, cell.results)
    loops = _loops(instructions)
    kept = _kept(instructions, loops, cell.results) & used
    rooms = {at: source.room(f"{name}_v{at}", size) for at in sorted(kept)}

    def value(at: int, loop: int) -> str:
        each = instructions[at]
        if each.op in _LEAVES:
            return leaf(each)
        inside = loops[at] == loop and each.op not in _WHOLE
        return f"v{at}" if inside else f"{rooms[at]}[j]"

    for loop in range(max(loops) + 1):
        lines = []
        for at in sorted(used):
            each = instructions[at]
            if each.op in _WHOLE or loops[at] != loop or (each.op in _LEAVES and at not in kept):
                continue
            if each.op in _LEAVES:
                lines.append(f"{rooms[at]}[j] = {leaf(each)};")
                continue
            made = _UNIT[each.op](*(value(arg, loop) for arg in each.args))
            lines.append(f"const float v{at} = {made};")
            if at in kept:
                lines.append(f"{rooms[at]}[j] = v{at};")
        if lines:
            source.each(size, *lines)
        for at in sorted(used):
            each = instructions[at]
            if each.op not in _WHOLE or loops[at] != loop + 1:
                continue
            of = each.args[0]
            given = states[int(instructions[of].value)] if instructions[of].op == "state" else rooms[of]
            if each.op == "product":
                multiply(int(each.value), rooms[at], given)
            elif each.op == "normalise":
                source.write(f"normalise({rooms[at]}, {given}, {size});")
            else:
                source.write(f"{rooms[at]}[0] = mean_of({given}, {size});")
                source.each(size, f"{rooms[at]}[j] = {rooms[at]}[0];")
    return [rooms[at] for at in cell.results]


def _loops(instructions: Sequence[Instruction]) -> list[int]:
    """In which loop each instruction can be computed; of what reads whole vectors, the first that sees it."""
    found: list[int] = []
    for each in instructions:
        first = max((found[arg] for arg in each.args), default=0)
        found.append(first + 1 if each.op in _WHOLE else first)
    return found


def _kept(instructions: Sequence[Instruction], loops: Sequence[int], results: Sequence[int]) -> set[int]:
    """The instructions whose values must lie in vectors."""
    kept = {at for at, each in enumerate(instructions) if each.op in _WHOLE}
    for at, each in enumerate(instructions):
        for arg in each.args:
            read = instructions[arg]
            if each.op in _WHOLE:
                kept |= set() if read.op == "state" else {arg}
            elif read.op not in _LEAVES and loops[arg] != loops[at]:
                kept.add(arg)
    return kept | set(results)  # a state too, for another one may take its old value


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
