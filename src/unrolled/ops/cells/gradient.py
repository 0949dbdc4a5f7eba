"""The gradient of a program: reverse differentiation of its instructions, themselves a program.

What is dear to compute is kept by the forward pass, what is cheap is computed again from that. Legend: ``H``
units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from unrolled.ops.cells.graph import Graph
from unrolled.ops.cells.program import Instruction
from unrolled.ops.cells.surrounded import Surrounded

DEAR = frozenset({"sigmoid", "tanh", "softplus", "exp", "log", "sqrt", "div", "product", "normalise"})
"""Operations whose result is kept rather than computed again."""


Groups: TypeAlias = tuple[tuple[int, tuple[int, ...]], ...]
"""The products of each common operand: the operand's instruction, and the products."""


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """A program for one step back.

    Its leaves: those of the forward program; "kept", what that kept; "result", a state after the step;
    "carried", the gradient of a state after the step, from later ones; "given" and "given_gate", that of a
    state and of a gate's value from outside. Operations besides: "transposed", the transposed matrices of a
    group of gates times the gradients of their products; "sigmoid_gradient", "tanh_gradient" and
    "relu_gradient" of an arriving gradient and the operation's result; "normalise_gradient" of an arriving
    gradient and what was normalised; "sign"; "clamp", to the bound of the call.

    Attributes:
        kept: instructions of the forward program.
        groups: the products of each common operand: the operand's place in the forward program, and the
            products.
        operands: of each group, which of ``kept`` the operand is, or -1 - state where it is a state before
            the step.
        instructions: in an order in which they can run.
        over_input: the gradient of each gate's input share.
        over_product: the gradient of each product.
        over_state: of each state before the step.
        over_unit: of each vector of units that is added up over steps and rows.
        over_stream: of each stream, -1 where it has none.
        arriving: all that arrives at the first state after the step.
    """

    kept: tuple[int, ...]
    groups: Groups
    operands: tuple[int, ...]
    instructions: tuple[Instruction, ...]
    over_input: tuple[int, ...]
    over_product: tuple[int, ...]
    over_state: tuple[int, ...]
    over_unit: tuple[int, ...]
    over_stream: tuple[int, ...]
    arriving: int

    @property
    def order(self) -> tuple[int, ...]:
        """The products group by group."""
        return tuple(product for _, products in self.groups for product in products)


def groups_of(instructions: Sequence[Instruction]) -> Groups:
    """The products that multiply the same value, by that value."""
    found: dict[int, list[int]] = {}
    for each in instructions:
        if each.op == "product":
            found.setdefault(each.args[0], []).append(int(each.value))
    return tuple((operand, tuple(sorted(products))) for operand, products in found.items())


@lru_cache(maxsize=256)
def differentiate(forward: Surrounded, watched: bool = False) -> Gradient:
    """Write the gradient of a program.

    Args:
        forward: the program with its surroundings.
        watched: a gradient arrives at every state and at the gates' values, not at the first state alone.
    """
    instructions, program = forward.instructions, forward.program
    graph = Graph(instructions)
    groups = groups_of(instructions)
    group_of = {operand: index for index, (operand, _) in enumerate(groups)}
    product_at = {int(each.value): at for at, each in enumerate(instructions) if each.op == "product"}
    over: dict[int, int] = {}

    def give(to: int, gradient: int) -> None:
        over[to] = graph.add("add", over[to], gradient) if to in over else gradient

    zero = graph.constant(0.0)
    arriving = zero
    for state, result in enumerate(forward.results):
        give(result, graph.add("carried", value=state))
        if watched or not state:
            give(result, graph.add("given", value=state))
        if not state:
            arriving = over[result]  # of h alone, be the same value a gate's or another state's too
    if watched:
        for gate, at in enumerate(forward.gate_values):
            give(at, graph.add("given_gate", value=gate))
    for at in reversed(range(len(instructions))):
        if at in group_of:
            gates = [over.get(product_at[product], zero) for product in groups[group_of[at]][1]]
            give(at, graph.add("transposed", *gates, value=group_of[at]))
        if at in over:
            _back(graph, at, over[at], give)

    def found(op: str, count: int) -> list[int]:
        places = {int(each.value): at for at, each in enumerate(instructions) if each.op == op}
        return [over.get(places.get(index, -1), zero) for index in range(count)]

    streams = [
        over.get(at, zero) if kind == "probe" else -1
        for (kind, _), at in zip(
            forward.streams,
            [graph.add("stream", value=index) for index in range(len(forward.streams))],
            strict=True,
        )
    ]
    sinks = [
        found("input", len(program.inputs)),
        found("product", len(program.products)),
        found("state", len(program.states)),
        found("parameter", forward.units),
        streams,
        [arriving],
    ]
    return _resolved(forward, graph, groups, sinks)


def _back(graph: Graph, at: int, gradient: int, give: Callable[[int, int], None]) -> None:
    """Hand the gradient of one operation on to what it read."""
    op, args, _ = graph.instructions[at]
    add = graph.add
    if op == "add":
        give(args[0], gradient)
        give(args[1], gradient)
    elif op == "sub":
        give(args[0], gradient)
        give(args[1], add("neg", gradient))
    elif op == "mul":
        give(args[0], add("mul", gradient, args[1]))
        give(args[1], add("mul", gradient, args[0]))
    elif op == "div":
        share = add("div", gradient, args[1])
        give(args[0], share)
        give(args[1], add("neg", add("mul", share, at)))
    elif op == "neg":
        give(args[0], add("neg", gradient))
    elif op in ("sigmoid", "tanh", "relu"):
        give(args[0], add(f"{op}_gradient", gradient, at))
    elif op == "softplus":
        give(args[0], add("mul", gradient, add("sigmoid", args[0])))
    elif op == "exp":
        give(args[0], add("mul", gradient, at))
    elif op == "log":
        give(args[0], add("div", gradient, args[0]))
    elif op == "sqrt":
        give(args[0], add("div", add("mul", gradient, graph.constant(0.5)), at))
    elif op == "abs":
        give(args[0], add("mul", gradient, add("sign", args[0])))
    elif op in ("minimum", "maximum"):
        # Half to each where they are equal, as torch has it.
        first, second = args
        below, above = add("less", first, second), add("less", second, first)
        chosen = add("sub", below, above) if op == "minimum" else add("sub", above, below)
        half = graph.constant(0.5)
        to_first = add("mul", gradient, add("add", add("mul", chosen, half), half))
        give(first, to_first)
        give(second, add("sub", gradient, to_first))
    elif op == "where":
        zero = graph.constant(0.0)
        give(args[1], add("where", args[0], gradient, zero))
        give(args[2], add("where", args[0], zero, gradient))
    elif op == "mean":
        give(args[0], add("mean", gradient))
    elif op == "normalise":
        give(args[0], add("normalise_gradient", gradient, args[0]))
    elif op == "clamp":
        give(args[0], add("clamp", gradient))


def _resolved(forward: Surrounded, mixed: Graph, groups: Groups, sinks: list[list[int]]) -> Gradient:
    """The same with what the forward pass computed read from where it is, or computed again."""
    instructions = forward.instructions
    kept: dict[int, int] = {}
    for operand, _ in groups:  # the matrices' gradients need them
        if instructions[operand].op != "state":
            kept[operand] = len(kept)
    graph, places = Graph(), dict[int, int]()

    def resolve(at: int) -> int:
        if at not in places:
            places[at] = written(at)
        return places[at]

    def written(at: int) -> int:
        op, args, value = mixed.instructions[at]
        if at < len(instructions):
            if op == "clamp":
                return resolve(args[0])
            if args:
                if at in forward.results:
                    return graph.add("result", value=forward.results.index(at))
                if op in DEAR or at in kept:
                    return graph.add("kept", value=kept.setdefault(at, len(kept)))
        return graph.add(op, *[resolve(arg) for arg in args], value=value)

    over_input, over_product, over_state, over_unit, over_stream, (arriving,) = (
        tuple(-1 if sink < 0 else resolve(sink) for sink in each) for each in sinks
    )
    operands = tuple(
        -1 - int(instructions[operand].value) if instructions[operand].op == "state" else kept[operand]
        for operand, _ in groups
    )
    return Gradient(
        tuple(kept),
        groups,
        operands,
        tuple(graph.instructions),
        over_input,
        over_product,
        over_state,
        over_unit,
        over_stream,
        arriving,
    )
