"""What a scan does around every cell, written into its program: biases, norms, masks, zoneout, probes.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from unrolled.ops.cells.graph import Graph
from unrolled.ops.cells.program import NONLINEAR, Instruction, Program
from unrolled.ops.layer_norm import EPSILON


class Surroundings(NamedTuple):
    """Which of them there are.

    Attributes:
        bias: a bias is added to every recurrent product.
        normalised: every recurrent product is normalised, and scaled by a gain: how many products at a time
            are normalised together, or () for none.
        masked: some units are hidden from the recurrent products.
        zoneout: of each state, whether units keep their old value in part.
        probed: of each state, whether something is added to it.
        clipped: the gradient is clamped with respect to what enters each gate.
    """

    bias: bool
    normalised: tuple[int, ...]
    masked: bool
    zoneout: tuple[bool, ...]
    probed: tuple[bool, ...]
    clipped: bool


@dataclass(frozen=True, slots=True, eq=False)
class Surrounded:
    """A program with its surroundings.

    Two more leaves: "parameter" counts the cell's own, then the bias of every product, then its gain;
    "stream" is what is handed in for every step: the mask, then the zoneouts, then the probes that there are.
    One more operation, "clamp", is the value itself and clamps its gradient.

    Attributes:
        program: the cell's own.
        surroundings: what is around it.
        instructions: in an order in which they can run.
        results: the instruction whose value each state takes.
        streams: what each stream is, "mask", "zoneout" or "probe", and of which state.
        gate_values: the instruction with each gate's value.
    """

    program: Program
    surroundings: Surroundings
    instructions: tuple[Instruction, ...]
    results: tuple[int, ...]
    streams: tuple[tuple[str, int], ...]
    gate_values: tuple[int, ...]

    @property
    def units(self) -> int:
        """How many vectors ``(H,)`` it reads."""
        products, around = len(self.program.products), self.surroundings
        return len(self.program.parameters) + products * (around.bias + bool(around.normalised))


@lru_cache(maxsize=256)
def surround(program: Program, around: Surroundings) -> Surrounded:
    """Write a scan's surroundings into a cell's program."""
    graph = Graph()
    streams: list[tuple[str, int]] = []

    def stream(kind: str, state: int) -> int:
        streams.append((kind, state))
        return graph.add("stream", value=len(streams) - 1)

    mask = stream("mask", 0) if around.masked else None
    keeps = [stream("zoneout", state) if given else None for state, given in enumerate(around.zoneout)]
    probes = [stream("probe", state) if given else None for state, given in enumerate(around.probed)]
    own, count = len(program.parameters), len(program.products)
    together = _together(around.normalised)
    places: list[int] = []

    def product(of: int, gate: int) -> int:
        return graph.add("product", of if mask is None else graph.add("mul", of, mask), value=gate)

    entered = set(program.gate_values) if around.clipped else set()
    for at, each in enumerate(program.instructions):
        args = [places[arg] for arg in each.args]
        if at in entered and each.op in NONLINEAR:
            args = [graph.add("clamp", args[0])]
        if each.op == "product":
            gate = int(each.value)
            made = product(args[0], gate)
            if around.normalised:
                group = [made if other == gate else product(args[0], other) for other in together[gate]]
                gain = graph.add("parameter", value=own + count * around.bias + gate)
                made = graph.add("mul", _normalised(graph, group, together[gate].index(gate)), gain)
            if around.bias:
                made = graph.add("add", made, graph.add("parameter", value=own + int(each.value)))
        else:
            made = graph.add(each.op, *args, value=each.value)
        if at in entered and each.op not in NONLINEAR:
            made = graph.add("clamp", made)
        places.append(made)
    results = []
    for state, result in enumerate(program.results):
        new, keep, probe = places[result], keeps[state], probes[state]
        if keep is not None:
            # The old value is a leaf, wherever the program itself has it.
            old = graph.add("state", value=state)
            new = graph.add("add", new, graph.add("mul", keep, graph.add("sub", old, new)))
        results.append(new if probe is None else graph.add("add", new, probe))
    return Surrounded(
        program,
        around,
        tuple(graph.instructions),
        tuple(results),
        tuple(streams),
        tuple(places[at] for at in program.gate_values),
    )


def _together(groups: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """Of each product, all that are normalised with it."""
    found: dict[int, tuple[int, ...]] = {}
    first = 0
    for size in groups:
        group = tuple(range(first, first + size))
        found |= dict.fromkeys(group, group)
        first += size
    return found


def _normalised(graph: Graph, group: list[int], place: int) -> int:
    """One of some values that are normalised together."""
    if len(group) == 1:
        return graph.add("normalise", group[0])
    share = graph.constant(1 / len(group))

    def mean(values: list[int]) -> int:
        total = graph.add("mean", values[0])
        for value in values[1:]:
            total = graph.add("add", total, graph.add("mean", value))
        return graph.add("mul", total, share)

    middle = mean(group)
    apart = [graph.add("sub", value, middle) for value in group]
    variance = mean([graph.add("mul", value, value) for value in apart])
    deviation = graph.add("sqrt", graph.add("add", variance, graph.constant(EPSILON)))
    return graph.add("div", apart[place], deviation)
