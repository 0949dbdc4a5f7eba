"""What a scan does around every cell, written into its program: biases, norms, masks, zoneout, probes.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

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
        projected: the first state is a matrix times what the program makes of it.
        noisy: something is added to the first state after the step, which none of the others sees.
        shared: what is added to a state is added where the step computes it, so that the step's other states
            see it too; else they do not.
        entrance: the input's share of each gate comes as a mere product, and is normalised, scaled and
            shifted here.
    """

    bias: bool
    normalised: tuple[int, ...]
    masked: bool
    zoneout: tuple[bool, ...]
    probed: tuple[bool, ...]
    clipped: bool
    projected: bool = False
    noisy: bool = False
    shared: bool = False
    entrance: bool = False

    def units_of(self, program: Program) -> int:
        """How many vectors ``(H,)`` a program reads with them."""
        products, inputs = len(program.products), len(program.inputs)
        found = len(program.parameters) + products * (self.bias + bool(self.normalised))
        return found + inputs * self.entrance * (1 + self.bias)

    @property
    def streams(self) -> int:
        """How much is handed in for every step."""
        return self.masked + sum(self.zoneout) + sum(self.probed) + self.noisy

    def text(self) -> str:
        """All of it in a line, for who can hand over no more than a text."""
        each = (self.normalised, self.zoneout, self.probed)
        lists = [",".join([str(int(part)) for part in parts]) for parts in each]
        given = self.bias, self.masked, self.clipped, self.projected, self.noisy, self.shared, self.entrance
        flags = [str(int(flag)) for flag in given]
        return " ".join([*flags, *["-" if part == "" else part for part in lists]])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The ones that `text` described."""
        *flags, normalised, zoneout, probed = text.split()
        bias, masked, clipped, *others = (flag == "1" for flag in flags)
        groups, mixed, added = (
            () if part == "-" else tuple(map(int, part.split(","))) for part in (normalised, zoneout, probed)
        )
        return cls(bias, groups, masked, tuple(map(bool, mixed)), tuple(map(bool, added)), clipped, *others)


@dataclass(frozen=True, slots=True, eq=False)
class Surrounded:
    """A program with its surroundings.

    Two more leaves: "parameter" counts the cell's own, then the bias of every product, then its gain, then
    the gain and the bias of every input; "stream" is what is handed in for every step: the mask, then the
    zoneouts, the probes and the noise that there are.
    Two more operations: "clamp" is the value itself and clamps its gradient, "project" multiplies by the
    projection.

    Attributes:
        program: the cell's own.
        surroundings: what is around it.
        instructions: in an order in which they can run.
        results: the instruction whose value each state takes.
        streams: what each stream is, "mask", "zoneout", "probe" or "noise", and of which state.
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
        return self.surroundings.units_of(self.program)


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
    noise = stream("noise", 0) if around.noisy else None
    own, count = len(program.parameters), len(program.products)
    entrance = own + count * (around.bias + bool(around.normalised))
    together = _together(around.normalised)
    places: list[int] = []  # of each instruction's value, as later ones read it
    values: list[int] = []  # without what is added for others to see

    def product(of: int, gate: int) -> int:
        return graph.add("product", of if mask is None else graph.add("mul", of, mask), value=gate)

    entered = set(program.gate_values) if around.clipped else set()
    results = dict[int, int]()

    def result_of(state: int, new: int) -> int:
        """What a state becomes of what the program makes of it."""
        keep, probe = keeps[state], probes[state]
        if around.projected and not state:
            new = graph.add("project", new)
        if keep is not None:
            # The old value is a leaf, wherever the program itself has it.
            old = graph.add("state", value=state)
            rest = graph.add("mul", graph.add("sub", graph.constant(1.0), keep), new)
            new = graph.add("add", graph.add("mul", keep, old), rest)
        if probe is not None:
            new = graph.add("add", new, probe)
        return new if noise is None or state else graph.add("add", new, noise)

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
        elif each.op == "input" and around.entrance:
            place = entrance + int(each.value)
            made = graph.add("normalise", graph.add("input", value=each.value))
            made = graph.add("mul", made, graph.add("parameter", value=place))
            if around.bias:
                shift = graph.add("parameter", value=place + len(program.inputs))
                made = graph.add("add", made, shift)
        else:
            made = graph.add(each.op, *args, value=each.value)
        if at in entered and each.op not in NONLINEAR:
            made = graph.add("clamp", made)
        values.append(made)
        become = [state for state, result in enumerate(program.results) if result == at]
        results |= {state: result_of(state, made) for state in become}
        if around.shared and each.op not in ("state", "less"):
            # What else reads the new state in this step, as an LSTM's h reads c, sees what is added to it.
            for state in become:
                if (probe := probes[state]) is not None and not (around.projected and not state):
                    made = graph.add("add", made, probe)
        places.append(made)
    return Surrounded(
        program,
        around,
        tuple(graph.instructions),
        tuple(results[state] for state in range(len(program.results))),
        tuple(streams),
        tuple(values[at] for at in program.gate_values),
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
