"""A cell's step as data: a list of operations on vectors of units, each reading what stands before it.

A program is what a definition (`unrolled.ops.cells.cell`) is traced to, what a saved model keeps of it, and
what everything else is derived from. Legend: ``H`` hidden units.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from unrolled.errors import ConfigError
from unrolled.ops.cells.description import Description, Initial

FORMAT = 1
"""Of a program as JSON; one more with every change that an older reader would not understand."""
MOST_INSTRUCTIONS = 500
"""More than any cell in the literature takes; what is longer was not meant to be a program."""

LEAVES = ("input", "state", "parameter", "constant")
POINTWISE = {
    "add": 2,
    "sub": 2,
    "mul": 2,
    "div": 2,
    "neg": 1,
    "sigmoid": 1,
    "tanh": 1,
    "relu": 1,
    "softplus": 1,
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "abs": 1,
    "minimum": 2,
    "maximum": 2,
    "less": 2,
    "where": 3,
    "mean": 1,
    "normalise": 1,
}
"""How many values each operation reads.

``less`` is 1 where it holds and 0 elsewhere; ``mean`` is that of a row's units, in each
of them; ``normalise`` brings a row's units to mean 0 and deviation 1 (Ba, Kiros & Hinton 2016); all others
act on every unit by itself."""
NONLINEAR = ("sigmoid", "tanh", "relu", "softplus", "exp")
"""What makes a gate of a sum."""


class Instruction(NamedTuple):
    """One operation.

    Attributes:
        op: one of `LEAVES`, `POINTWISE` or "product", the recurrent matrix of one gate times a value.
        args: which instructions it reads, all of them earlier ones.
        value: of a leaf or product which input, state, parameter or gate it is; of a constant the number.
    """

    op: str
    args: tuple[int, ...] = ()
    value: float = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program(Description):
    """A cell's step, and what it is made of.

    Attributes:
        instructions: in an order in which they can run.
        results: the instruction whose value each state takes.

    Raises:
        ConfigError: it is not a program; the message says what is wrong with which part.
    """

    instructions: tuple[Instruction, ...]
    results: tuple[int, ...]
    text: str = field(init=False, repr=False)
    """All of it as JSON, in a line."""
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        Description.__post_init__(self)
        _check(self)
        object.__setattr__(self, "text", json.dumps(self.to_dict()))
        # What is derived of a program is looked up at every call of a layer.
        object.__setattr__(self, "_hash", hash(self.text))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Program) and self.text == other.text)

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # it never changes, and is found quicker by who knows it

    @property
    def gate_values(self) -> tuple[int, ...]:
        """The instruction with each gate's value: the first nonlinear one after the sum that enters it."""
        return tuple(_value_of(self, gate) for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """The program as plain JSON."""
        return {
            "format": FORMAT,
            "name": self.name,
            "states": list(self.states),
            "gates": list(self.gates),
            "inputs": list(self.inputs),
            "products": list(self.products),
            "matrices": list(self.matrices),
            "parameters": {name: list(initial) for name, initial in self.parameters.items()},
            "instructions": [[each.op, list(each.args), each.value] for each in self.instructions],
            "results": list(self.results),
            "keep_gate": self.keep_gate,
            "write_gate": self.write_gate,
        }

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """The program that `to_dict` described.

        Raises:
            ConfigError: it is of another format, or no program.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else type(content).__name__
            raise ConfigError(f"expected a cell's program of format {FORMAT}, got {found!r}.")
        try:
            return cls(
                name=content["name"],
                states=tuple(content["states"]),
                gates=tuple(content["gates"]),
                inputs=tuple(content["inputs"]),
                products=tuple(content["products"]),
                matrices=tuple(content["matrices"]),
                parameters={name: Initial(*initial) for name, initial in content["parameters"].items()},
                instructions=tuple(
                    Instruction(op, tuple(args), value) for op, args, value in content["instructions"]
                ),
                results=tuple(content["results"]),
                keep_gate=content["keep_gate"],
                write_gate=content["write_gate"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"expected a cell's program, got one whose parts do not fit: {error}."
            ) from error


def _check(program: Program) -> None:
    count = len(program.instructions)
    if not 0 < count <= MOST_INSTRUCTIONS:
        raise ConfigError(f"expected a program of 1 to {MOST_INSTRUCTIONS} instructions, got {count}.")
    places = {
        "input": len(program.inputs),
        "state": len(program.states),
        "parameter": len(program.parameters),
        "product": len(program.products),
    }
    multiplied: set[float] = set()
    for index, each in enumerate(program.instructions):
        where = f"instruction {index} of the program {program.name!r}"
        if each.op not in LEAVES and each.op not in POINTWISE and each.op != "product":
            raise ConfigError(f"expected a known operation as {where}, got {each.op!r}.")
        wanted = 0 if each.op in LEAVES else POINTWISE.get(each.op, 1)
        if len(each.args) != wanted or not all(_whole(arg) and 0 <= arg < index for arg in each.args):
            raise ConfigError(
                f"expected {where}, {each.op}, to read {wanted} earlier ones, got {list(each.args)}."
            )
        if isinstance(each.value, bool) or not isinstance(each.value, int | float):
            raise ConfigError(f"expected a number as the value of {where}, got {each.value!r}.")
        if each.op == "constant" and not math.isfinite(each.value):
            raise ConfigError(f"expected a finite constant as {where}, got {each.value}.")
        if each.op in places and not (_whole(each.value) and 0 <= each.value < places[each.op]):
            raise ConfigError(
                f"expected {where}, {each.op}, to be one of {places[each.op]}, got {each.value!r}."
            )
        if each.op == "where" and program.instructions[each.args[0]].op != "less":
            raise ConfigError(f"expected {where}, where, to choose by a comparison.")
        if each.op == "product":
            if program.instructions[each.args[0]].op in ("parameter", "constant"):
                raise ConfigError(
                    f"expected {where} to multiply a state or a value computed of one, "
                    f"got a {program.instructions[each.args[0]].op}."
                )
            if each.value in multiplied:
                raise ConfigError(
                    f"expected the matrix of each gate once a step, got "
                    f"{program.products[int(each.value)]!r} twice; name a second gate for a second product."
                )
            multiplied.add(each.value)
    if len(program.results) != len(program.states) or not all(
        _whole(result) and 0 <= result < count for result in program.results
    ):
        raise ConfigError(
            f"expected an instruction for each of {len(program.states)} states, got {list(program.results)}."
        )


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _value_of(program: Program, gate: str) -> int:
    """Follow what enters a gate through sums to the first nonlinear operation, or to the sum's end."""
    sources = [
        index
        for index, each in enumerate(program.instructions)
        if (each.op == "input" and program.inputs[int(each.value)] == gate)
        or (each.op == "product" and program.products[int(each.value)] == gate)
    ]
    reached = set(sources)
    last = sources[0]
    for index, each in enumerate(program.instructions):
        if not reached.intersection(each.args):
            continue
        if each.op in NONLINEAR:
            return index
        if each.op in ("add", "sub", "normalise"):
            reached.add(index)
            last = index
    return last


def live(instructions: Sequence[Instruction], wanted: Sequence[int]) -> set[int]:
    """The instructions that some results depend on, with those."""
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(instructions[index].args)
    return found
