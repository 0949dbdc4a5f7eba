"""From a program to the code that the library runs: what is computed when, and where each value lies.

A step is done in stages. In each a row's operations run one after the other over the row's units, and then
the recurrent products of what they made run for all rows together; so a value that is read in a later stage
must have a place of its own for every row, and all others share a few that stay in the nearest cache.

Legend: ``H`` hidden units.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from unrolled.ops.cells.gradient import Gradient, differentiate
from unrolled.ops.cells.program import Instruction, live
from unrolled.ops.cells.surrounded import Surrounded

OPERATIONS = (
    "copy",
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
    "less",
    "where",
    "normalise",
    "sign",
    "clamp",
    "sigmoid_gradient",
    "tanh_gradient",
    "relu_gradient",
    "normalise_gradient",
    "accumulate",
    "norm",
    "sigmoid_of_2",
    "sigmoid_of_3",
    "tanh_of_2",
    "tanh_of_3",
    "sum_of_3",
    "add_product",
    "subtract_product",
    "product_less",
    "mean",
)
"""In the order in which csrc/program.h numbers them."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is read or written outside: of each step and row, or of each row.

    Attributes:
        kind: "input" (a gate's share of it), "before" and "after" (a state), "stream", "kept", "given",
            "given_gate" (gradients from outside), "carried" and "passed" (the gradient of a state after the
            step, and before it), "over_input", "over_product" and "over_stream" (gradients), "gate" (its
            value), "norm".
        index: which one.
    """

    kind: str
    index: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """What the library runs.

    Attributes:
        numbers: stage by stage, 8 bytes each; csrc/program.h says how.
        scratch: places shared by all rows of a thread.
        rows: places of every row; those of the products come first.
        constants: numbers that are read, 8 bytes each.
        memory: what is read and written outside, in the order of their places.
        ends: where in ``memory`` each state after the step is; back, each gradient of a state before it.
        groups: how many groups of matrices there are; forward, matrices.
        group_sizes: back, the matrices of each group, 8 bytes each.
        group_gates: back, which matrices, group by group, 8 bytes each.
        joined: "over_product" stands for "over_input" too.
    """

    numbers: bytes
    scratch: int
    rows: int
    constants: bytes
    memory: tuple[Memory, ...]
    ends: tuple[int, ...]
    groups: int
    group_sizes: bytes
    group_gates: bytes
    joined: bool


@lru_cache(maxsize=256)
def lower_forward(cell: Surrounded, keep: bool, watched: bool = False) -> Code:
    """The code of a step.

    Args:
        cell: its program with its surroundings.
        keep: with what its gradient needs.
        watched: with the gates' values.
    """
    # On the way forward a clamp is the value itself.
    itself = list(range(len(cell.instructions)))
    for at, each in enumerate(cell.instructions):
        if each.op == "clamp":
            itself[at] = itself[each.args[0]]
    instructions = [each._replace(args=tuple(itself[arg] for arg in each.args)) for each in cell.instructions]
    sinks = [(itself[result], Memory("after", state)) for state, result in enumerate(cell.results)]
    if keep:
        sinks += [(at, Memory("kept", index)) for index, at in enumerate(differentiate(cell, watched).kept)]
    if watched:
        sinks += [(itself[at], Memory("gate", index)) for index, at in enumerate(cell.gate_values)]
    return _Lowering(instructions, sinks, [], cell.units, len(cell.program.products), None).code()


@lru_cache(maxsize=256)
def lower_backward(cell: Surrounded, norms: bool, watched: bool = False) -> Code:
    """The code of a step back.

    Args:
        cell: its program with its surroundings.
        norms: with the norm of all that arrives at the first state.
        watched: see `differentiate`.
    """
    gradient = differentiate(cell, watched)
    program = cell.program
    sinks = [(at, Memory("passed", state)) for state, at in enumerate(gradient.over_state)]
    sinks += [
        (gradient.over_product[product], Memory("over_product", column))
        for column, product in enumerate(gradient.order)
    ]
    joined = (
        program.inputs == program.products
        and gradient.over_input == gradient.over_product
        and gradient.order == tuple(range(len(program.products)))
    )
    if not joined:
        sinks += [(at, Memory("over_input", gate)) for gate, at in enumerate(gradient.over_input)]
    sinks += [(at, Memory("over_stream", index)) for index, at in enumerate(gradient.over_stream) if at >= 0]
    if norms:
        sinks.append((gradient.arriving, Memory("norm")))
    sums = list(enumerate(gradient.over_unit))
    return _Lowering(
        gradient.instructions, sinks, sums, cell.units, len(gradient.groups), gradient, joined
    ).code()


_LEAVES = {
    "input": "input",
    "state": "before",
    "stream": "stream",
    "kept": "kept",
    "result": "after",
    "carried": "carried",
    "given": "given",
    "given_gate": "given_gate",
}
"""Leaves that lie in memory, and how they are called there."""
_PRODUCTS = ("product", "transposed")


class _Lowering:
    """The places of the table: scratch, units, constants, rows, memory, sums; counted when all are known."""

    def __init__(
        self,
        instructions: Sequence[Instruction],
        sinks: list[tuple[int, Memory]],
        sums: list[tuple[int, int]],
        units: int,
        products: int,
        gradient: Gradient | None,
        joined: bool = False,
    ) -> None:
        self._nodes = list(instructions)
        self._sinks, self._sums, self._units, self._products = sinks, sums, units, products
        self._gradient, self._joined = gradient, joined
        self._wanted = [at for at, _ in sinks] + [at for _, at in sums]
        self._fuse()
        self._live = sorted(live(self._nodes, self._wanted))
        self._stages = self._when()
        self._memory: dict[Memory, int] = {}
        self._constants: dict[float, int] = {}

    def _fuse(self) -> None:
        """Join operations whose result only one other reads, which then need not write and read it."""
        uses = [0] * len(self._nodes)
        for at in live(self._nodes, self._wanted):
            for arg in self._nodes[at].args:
                uses[arg] += 1
        for at in self._wanted:
            uses[at] += 2  # it must be there by itself

        def single(at: int, op: str) -> bool:
            return self._nodes[at].op == op and uses[at] == 1

        for at, (op, args, _) in enumerate(self._nodes):
            if op == "add":
                for own, other in (args, args[::-1]):
                    if single(own, "mul"):
                        self._nodes[at] = Instruction("add_product", (*self._nodes[own].args, other))
                        break
                else:
                    for own, other in (args, args[::-1]):
                        if single(own, "add"):
                            self._nodes[at] = Instruction("sum_of_3", (*self._nodes[own].args, other))
                            break
            elif op == "sub" and single(args[1], "mul"):
                self._nodes[at] = Instruction("subtract_product", (*self._nodes[args[1]].args, args[0]))
            elif op == "sub" and single(args[0], "mul"):
                self._nodes[at] = Instruction("product_less", (*self._nodes[args[0]].args, args[1]))
            elif op in ("sigmoid", "tanh") and single(args[0], "add"):
                self._nodes[at] = Instruction(f"{op}_of_2", self._nodes[args[0]].args)
            elif op in ("sigmoid", "tanh") and single(args[0], "sum_of_3"):
                self._nodes[at] = Instruction(f"{op}_of_3", self._nodes[args[0]].args)

    def _when(self) -> dict[int, int]:
        """The stage in which each operation runs: of a product, that from which on its result is there."""
        stages: dict[int, int] = {}
        for at in self._live:
            node = self._nodes[at]
            stages[at] = max((stages[arg] for arg in node.args), default=0) + (node.op in _PRODUCTS)
        fixed = set(self._wanted)
        readers: dict[int, list[int]] = {}
        for at in self._live:
            for arg in self._nodes[at].args:
                readers.setdefault(arg, []).append(at)
        # As late as its readers allow: what is made and used in one stage needs no place for every row.
        for at in reversed(self._live):
            if at not in fixed and self._nodes[at].op not in _PRODUCTS and at in readers:
                stages[at] = min(
                    stages[reader] - (self._nodes[reader].op in _PRODUCTS) for reader in readers[at]
                )
        return stages

    def code(self) -> Code:
        """Lay everything out."""
        homes: dict[int, tuple[str, int]] = {}
        copies: dict[int, list[Memory]] = {}
        for at, memory in self._sinks:
            self._place(memory)
            computed = bool(self._nodes[at].args) and self._nodes[at].op not in _PRODUCTS
            if computed and at not in homes and memory.kind != "norm":
                homes[at] = ("memory", self._place(memory))
            else:
                copies.setdefault(at, []).append(memory)
        accumulated = {}
        for index, (_, at) in enumerate(self._sums):
            accumulated.setdefault(at, []).append(index)
        rows = self._products
        last: dict[int, int] = {}
        for at in self._live:
            for arg in self._nodes[at].args:
                last[arg] = max(last.get(arg, 0), self._stages[at] - (self._nodes[at].op in _PRODUCTS))
        for at in self._live:
            node = self._nodes[at]
            if node.op in _PRODUCTS:
                homes[at] = ("row", int(node.value))
            elif not node.args:
                homes[at] = self._leaf(node)
            elif at not in homes and (last.get(at, 0) > self._stages[at] or self._multiplied(at)):
                homes[at] = ("row", rows)
                rows += 1
        stages = max(self._stages.values(), default=0) + 1
        written = [self._stage(stage, homes, copies, accumulated) for stage in range(stages)]
        scratch = max((each.scratch for each in written), default=0)
        starts = {"scratch": 0}
        for kind, before, count in (
            ("unit", "scratch", scratch),
            ("constant", "unit", self._units),
            ("row", "constant", len(self._constants)),
            ("memory", "row", rows),
            ("sum", "memory", len(self._memory)),
        ):
            starts[kind] = starts[before] + count
        numbers = [stages]
        for each in written:
            numbers += each.numbers(starts)
        end = "passed" if self._gradient else "after"
        sizes = [len(products) for _, products in self._gradient.groups] if self._gradient else []
        return Code(
            numbers=_packed("q", numbers),
            scratch=scratch,
            rows=rows,
            constants=_packed("d", tuple(self._constants)),
            memory=tuple(self._memory),
            ends=tuple(at for memory, at in self._memory.items() if memory.kind == end),
            groups=self._products,
            group_sizes=_packed("q", sizes),
            group_gates=_packed("q", self._gradient.order if self._gradient else ()),
            joined=self._joined,
        )

    def _place(self, memory: Memory) -> int:
        return self._memory.setdefault(memory, len(self._memory))

    def _leaf(self, node: Instruction) -> tuple[str, int]:
        if node.op == "constant":
            return "constant", self._constants.setdefault(float(node.value), len(self._constants))
        if node.op == "parameter":
            return "unit", int(node.value)
        return "memory", self._place(Memory(_LEAVES[node.op], int(node.value)))

    def _multiplied(self, at: int) -> bool:
        """Whether a product reads it, for which it must lie by itself."""
        return any(
            self._nodes[reader].op == "product" and at in self._nodes[reader].args for reader in self._live
        )

    def _stage(
        self,
        stage: int,
        homes: dict[int, tuple[str, int]],
        copies: dict[int, list[Memory]],
        accumulated: dict[int, list[int]],
    ) -> "_Stage":
        made = _Stage()
        here = [at for at in self._live if self._stages[at] == stage]
        operations = [at for at in here if self._nodes[at].args and self._nodes[at].op not in _PRODUCTS]
        ends: dict[int, int] = {}
        for at in operations:
            for arg in self._nodes[at].args:
                ends[arg] = at
        free: list[int] = []
        taken = dict[int, int]()

        def release(at: int, reader: int) -> None:
            if at in taken and ends.get(at) == reader:
                free.append(taken.pop(at))

        local = dict(homes)
        for at in here:
            if self._nodes[at].op in _PRODUCTS or not self._nodes[at].args:
                self._also(made, at, local[at], copies, accumulated)
        for at in operations:
            node = self._nodes[at]
            sources = [local[arg] for arg in node.args]
            for arg in set(node.args):
                release(arg, at)
            if at not in homes:
                if not free:
                    free.append(made.scratch)
                    made.scratch += 1
                taken[at] = free.pop()
                local[at] = ("scratch", taken[at])
            made.operations.append((node.op, local[at], sources))
            self._also(made, at, local[at], copies, accumulated)
            if at in taken and at not in ends:
                free.append(taken.pop(at))
        for at in self._live:
            node = self._nodes[at]
            if node.op in _PRODUCTS and self._stages[at] == stage + 1:
                if node.op == "product":
                    made.products.append((int(node.value), 1, local[node.args[0]], ("row", int(node.value))))
                else:
                    group = int(node.value)
                    column = self._column(group)
                    operand = ("memory", self._place(Memory("over_product", column)))
                    made.products.append((group, 1, operand, ("row", group)))
        if not self._gradient:
            made.products = _merged(made.products)
        return made

    def _also(
        self,
        made: "_Stage",
        at: int,
        place: tuple[str, int],
        copies: dict[int, list[Memory]],
        accumulated: dict[int, list[int]],
    ) -> None:
        for memory in copies.get(at, ()):
            op = "norm" if memory.kind == "norm" else "copy"
            made.operations.append((op, ("memory", self._place(memory)), [place]))
        for index in accumulated.get(at, ()):
            made.operations.append(("accumulate", ("sum", index), [place]))

    def _column(self, group: int) -> int:
        assert self._gradient is not None
        return sum(len(products) for _, products in self._gradient.groups[:group])


class _Stage:
    """What a stage does."""

    def __init__(self) -> None:
        self.operations: list[tuple[str, tuple[str, int], list[tuple[str, int]]]] = []
        self.products: list[tuple[int, int, tuple[str, int], tuple[str, int]]] = []
        self.scratch = 0

    def numbers(self, starts: dict[str, int]) -> list[int]:
        """The rows' places, what is read of the memory, what is written, operations, products."""
        written: list[int] = []
        read: list[int] = []
        rows: list[int] = []
        for _, to, sources in self.operations:
            for kind, index in sources:
                if kind == "memory" and index not in written and index not in read:
                    read.append(index)
                if kind == "row" and index not in rows:
                    rows.append(index)
            if to[0] == "memory" and to[1] not in written:
                written.append(to[1])
            if to[0] == "row" and to[1] not in rows:
                rows.append(to[1])

        def place(of: tuple[str, int]) -> int:
            return starts[of[0]] + of[1]

        found = [len(rows), *rows, len(read), *read, len(written), *written, len(self.operations)]
        for op, to, sources in self.operations:
            given = [place(source) for source in sources]
            found += [OPERATIONS.index(op), place(to), *given, *[0] * (3 - len(given))]
        found.append(len(self.products))
        for first, count, operand, to in self.products:
            found += [first, count, int(operand[0] == "memory"), operand[1], to[1]]
        return found


def _packed(kind: str, numbers: Sequence[float]) -> bytes:
    return struct.pack(f"{len(numbers)}{kind}", *numbers)


def _merged(
    products: list[tuple[int, int, tuple[str, int], tuple[str, int]]],
) -> list[tuple[int, int, tuple[str, int], tuple[str, int]]]:
    """Products of one operand with matrices that lie side by side, at once."""
    merged: list[tuple[int, int, tuple[str, int], tuple[str, int]]] = []
    for first, count, operand, to in sorted(products):
        if merged and merged[-1][0] + merged[-1][1] == first and merged[-1][2] == operand:
            last = merged.pop()
            merged.append((last[0], last[1] + count, operand, last[3]))
        else:
            merged.append((first, count, operand, to))
    return merged
