"""A cell that nobody has thought of, run by the library and by torch: the same in all respects."""

from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor

from tests.fuzz.case import program_of, running_on
from unrolled.cells.library import cell as of_the_library
from unrolled.cells.library import names
from unrolled.ops.cells.description import Initial
from unrolled.ops.cells.given import Given
from unrolled.ops.cells.graph import Graph
from unrolled.ops.cells.program import Instruction, Program, live
from unrolled.ops.cells.reference import Ran
from unrolled.ops.cells.run import run_cell
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround
from unrolled.ops.native import library, plain_torch

DTYPES = {"float32": torch.float32, "float64": torch.float64}
BOUNDS = {"float32": 5e-3, "float64": 1e-8}
"""How large the norm of a difference may be beside the norm of what is right."""
NEARLY_ZERO = 1e-3
"""The norm of what is right counts as at least so large for each of its elements."""


@dataclass(frozen=True)
class CellCase:
    """Everything that decides a run; numbers come from the seed."""

    cell: str | tuple[Any, ...]
    dtype: str
    steps: int
    rows: int
    hidden: int
    bias: bool
    normalised: tuple[int, ...]
    masked: bool
    zoneout: tuple[bool, ...]
    probed: tuple[bool, ...]
    bound: float
    lengths: tuple[int, ...] | None
    resets: float
    reverse: bool
    frozen: float
    heard: bool
    turned: bool
    threads: int
    instruction_set: str
    seed: int
    noisy: bool = False
    shared: bool = False
    watched: bool = False

    def difference(self) -> str | None:
        """The first result or gradient that is not the reference's."""
        with running_on(self.threads, self.instruction_set):
            return self._difference()

    def program(self) -> str:
        return program_of(self)

    def _difference(self) -> str | None:
        own = program(self.cell)
        around = Surroundings(
            self.bias,
            self.normalised,
            self.masked,
            self.zoneout,
            self.probed,
            clipped=self.bound > 0,
            noisy=self.noisy,
            shared=self.shared,
        )
        given, tensors = self._given(surround(own, around))
        norms: dict[str, list[Tensor]] = {"ours": [], "reference": []}
        listen = {name: heard.append if self.heard else None for name, heard in norms.items()}
        found = self._found(run_cell(own, around, given, listen["ours"], self.watched), tensors)
        with plain_torch():
            right = self._found(run_cell(own, around, given, listen["reference"], self.watched), tensors)
        with torch.no_grad():
            ran = run_cell(own, around, given)
        found |= {"output without gradients": ran.states[0]} | _named("end without gradients", ran.final)
        right |= {
            name.replace(kind, f"{kind} without gradients"): right[name]
            for name in right
            for kind in ("output", "end")
            if name.startswith(kind)
        }
        if norms["ours"]:  # nobody is heard where nothing needs a gradient
            found["norms"], right["norms"] = norms["ours"][0], norms["reference"][0]
        if found.keys() != right.keys():
            return f"one has {sorted(found.keys() ^ right.keys())}, the other has not"
        for name, value in found.items():
            expected = right[name].double()
            size = expected.norm().clamp(min=NEARLY_ZERO * max(1, expected.numel()) ** 0.5)
            error = float((value.detach().double() - expected.detach()).norm() / size.detach())
            if not error <= BOUNDS[self.dtype]:
                return f"{name} differs from the reference by {error:.2g} of its norm"
        return None

    def _given(self, cell: Surrounded) -> tuple[Given, dict[str, Tensor]]:
        generator, chosen = torch.Generator().manual_seed(self.seed), Random(self.seed)
        tensors: dict[str, Tensor] = {}

        def normal(name: str, *shape: int, scale: float = 1.0) -> Tensor:
            values = (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(
                DTYPES[self.dtype]
            )
            if self.turned:  # as it lies in memory after a transposition
                values = (
                    values.mT.contiguous().mT if values.dim() > 1 else torch.stack([values, values], -1)[:, 0]
                )
            if chosen.random() >= self.frozen:
                tensors[name] = values.requires_grad_()
            return values

        own, extent = cell.program, (self.steps, self.rows, self.hidden)
        scale = 1 / self.hidden**0.5
        streams = []
        for index, (kind, state) in enumerate(cell.streams):
            if kind == "probe":
                streams.append(normal(f"probe {state}", *extent, scale=0.1))
                continue
            if kind == "noise":  # which is drawn, and has no gradient
                drawn = torch.randn(extent, generator=generator, dtype=torch.float64)
                streams.append((drawn * 0.1).to(DTYPES[self.dtype]))
                continue
            shape = (
                (self.rows, self.hidden)
                if kind == "mask"
                else chosen.choice([extent, (1, 1, 1), (*extent[:2], 1)])
            )
            drawn = torch.rand(shape, generator=torch.Generator().manual_seed(self.seed + index + 1))
            drawn = (drawn > 0.3).to(drawn) if kind == "mask" else drawn
            streams.append(drawn.to(DTYPES[self.dtype]).expand(extent))
        resets = torch.rand(self.steps, self.rows, generator=generator) < self.resets
        # Vectors of units come one by one or several in an array.
        together, left = [], cell.units
        while left:
            together.append(chosen.randint(1, left))
            left -= together[-1]
        given = Given(
            gates_x=normal("input", self.steps, self.rows, len(own.inputs) * self.hidden),
            weight_hh=normal("weight", len(own.products) * self.hidden, self.hidden, scale=scale),
            initial=tuple(normal(f"initial {name}", self.rows, self.hidden) for name in own.states),
            units=tuple(normal(f"unit {index}", count * self.hidden) for index, count in enumerate(together)),
            streams=tuple(streams),
            projection=None,
            lengths=None if self.lengths is None else torch.tensor(self.lengths),
            resets=resets if self.resets else None,
            reverse=self.reverse,
            bound=self.bound,
        )
        return given, tensors

    def _found(self, ran: Ran, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        found = {"output": ran.states[0]} | _named("end", ran.final)
        if self.watched:
            assert ran.gates is not None
            found |= _named("state", ran.states) | {"gates": ran.gates}
        generator = torch.Generator().manual_seed(self.seed)
        loss = ran.states[0].new_zeros(())
        for value in found.values():
            loss = loss + (value * torch.randn(value.shape, generator=generator).to(value.dtype)).sum()
        if loss.requires_grad:
            loss.backward()  # which reaches who listens too, as `torch.autograd.grad` does not
        for name, tensor in tensors.items():
            found[f"gradient of {name}"] = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            tensor.grad = None
        return found


def _named(name: str, values: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {f"{name} {index}": value for index, value in enumerate(values)}


def program(cell: str | tuple[Any, ...]) -> Program:
    """That of a name, or of states, inputs, products, parameters, instructions and results."""
    if isinstance(cell, str):
        return of_the_library(cell)().program()
    states, inputs, products, parameters, instructions, results = cell
    gates = tuple(f"g{index}" for index in range(max(inputs, products)))
    return Program(
        name="Drawn",
        states=tuple(f"s{index}" for index in range(states)),
        gates=gates,
        inputs=gates[:inputs],
        products=gates[:products],
        matrices=("full",) * products,
        parameters={f"p{index}": Initial("constant", 0.0) for index in range(parameters)},
        instructions=tuple(Instruction(*each) for each in instructions),
        results=results,
    )


def draw_cell(random: Random) -> tuple[Any, ...]:
    """A program of any operations in any order, with the numbers kept within bounds."""
    graph = Graph()
    states, inputs, products = random.randint(1, 4), random.randint(1, 4), random.randint(0, 4)
    parameters = random.randint(0, 2)
    before = [graph.add("state", value=index) for index in range(states)]
    values = list(before)
    values += [graph.add("input", value=index) for index in range(inputs)]
    values += [graph.add("parameter", value=index) for index in range(parameters)]
    values.append(graph.constant(random.choice([-1.0, 0.5, 1.0, 2.0])))
    waiting = list(range(products))

    def some() -> int:
        return random.choice(values[-6:] if random.random() < 0.6 else values)

    def above_zero(of: int) -> int:
        return graph.add("add", graph.add("abs", of), graph.constant(0.5))

    for _ in range(random.randint(2, 24)):
        op = random.choice(
            [
                "add",
                "sub",
                "mul",
                "div",
                "neg",
                "sigmoid",
                "tanh",
                "relu",
                "softplus",
                "exp",
                "log",
                "sqrt",
                "abs",
                "minimum",
                "maximum",
                "where",
                "mean",
                "normalise",
                "product",
                "product",
            ]
        )
        if op == "product":
            operand = some()
            if not waiting or graph.instructions[operand].op in ("parameter", "constant"):
                continue
            values.append(graph.add("product", operand, value=waiting.pop(random.randrange(len(waiting)))))
        elif op in ("add", "sub", "mul", "minimum", "maximum"):
            values.append(graph.add(op, some(), some()))
        elif op == "div":
            values.append(graph.add("div", some(), above_zero(some())))
        elif op in ("log", "sqrt"):
            values.append(graph.add(op, above_zero(some())))
        elif op == "exp":
            values.append(graph.add("exp", graph.add("tanh", some())))
        elif op == "where":
            values.append(graph.add("where", graph.add("less", some(), some()), some(), some()))
        elif op == "mean":  # that of a normalised row would be rounding, which no comparison is to see
            values.append(graph.add("mean", graph.add("tanh", graph.add("add", some(), values[states]))))
        elif op == "normalise":  # of a row that does not vary it would be rounding
            values.append(graph.add("normalise", graph.add("add", some(), values[states])))
        else:
            values.append(graph.add(op, some()))
    for gate in waiting:
        values.append(graph.add("product", random.choice(before), value=gate))
    results = []
    for _ in range(states):
        end = graph.add("add", some(), some())
        results.append(
            graph.add("tanh", end) if random.random() < 0.8 else graph.add("relu", graph.add("sigmoid", end))
        )
    rest = graph.add("tanh", graph.add("mean", values[-1]))
    for value in values:  # so that every gate and parameter takes part
        rest = graph.add("add", rest, graph.add("mul", graph.add("tanh", value), graph.constant(0.1)))
    results[0] = graph.add("tanh", graph.add("add", results[0], rest))
    used = sorted(live(graph.instructions, results))
    places = {old: new for new, old in enumerate(used)}
    instructions = tuple(
        (each.op, tuple(places[arg] for arg in each.args), each.value)
        for each in (graph.instructions[at] for at in used)
    )
    return states, inputs, products, parameters, instructions, tuple(places[result] for result in results)


def draw(random: Random) -> CellCase:
    """Any cell, in any surroundings."""
    cell: str | tuple[Any, ...] = random.choice(names()) if random.random() < 0.3 else draw_cell(random)
    own = program(cell)
    steps, rows = random.randint(1, 9), random.randint(1, 9)
    states, products = len(own.states), len(own.products)
    together = {each.args for each in own.instructions if each.op == "product"}
    normalised = random.choice([(), (), (1,) * products])
    if products > 1 and len(together) == 1 and normalised and random.random() < 0.5:
        normalised = (products,)
    hidden = random.choice([3, 4, 5, 7, 8, 13, 16, 24, 32, 33])
    return CellCase(
        cell=cell,
        # A comparison that rounding turns the other way is no fault, nor a quotient of what all but cancels;
        # float32 has many of them.
        dtype=random.choice(["float64", "float32"])
        if isinstance(cell, str) and all(each.op != "div" for each in own.instructions)
        else "float64",
        steps=steps,
        rows=rows,
        hidden=hidden,
        bias=random.random() < 0.7,
        normalised=normalised,
        masked=random.random() < 0.3,
        zoneout=tuple(random.random() < 0.3 for _ in range(states)),
        probed=tuple(random.random() < 0.2 for _ in range(states)),
        bound=random.choice([0.0, 0.0, 0.05]),
        lengths=tuple(random.randint(0, steps) for _ in range(rows)) if random.random() < 0.5 else None,
        resets=random.choice([0.0, 0.3]),
        reverse=random.random() < 0.4,
        frozen=random.choice([0.0, 0.2]),
        heard=random.random() < 0.3,
        turned=random.random() < 0.2,
        threads=random.choice([1, 2]),
        instruction_set=random.choice(library.choices()),
        seed=random.randrange(2**31),
        noisy=random.random() < 0.2,
        shared=random.random() < 0.3,
        watched=random.random() < 0.3,
    )
