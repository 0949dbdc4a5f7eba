"""A program while it is written: nothing is written twice, and what is known is not computed."""

import math
from collections.abc import Callable

from unrolled.ops.cells.program import Instruction

_COMMUTES = frozenset({"add", "mul", "minimum", "maximum"})
_KNOWN: dict[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
}
"""What is computed of constants at once."""


class Graph:
    """Instructions, each one once.

    Example:
        >>> graph = Graph()
        >>> h, one = graph.add("state"), graph.add("constant", value=1.0)
        >>> graph.add("mul", h, one) == h, graph.add("add", h, one) == graph.add("add", one, h)
        (True, True)
    """

    def __init__(self, instructions: tuple[Instruction, ...] = ()) -> None:
        self.instructions = list(instructions)
        self._places = {each: index for index, each in enumerate(instructions)}

    def constant(self, value: float) -> int:
        """A number."""
        return self.add("constant", value=float(value))

    def add(self, op: str, *args: int, value: float = 0) -> int:
        """The place of an operation, written if it was not there; or of what it comes to."""
        if op in _COMMUTES:
            args = tuple(sorted(args))
        known = [self._number(arg) for arg in args]
        if op in _KNOWN and args and None not in known:
            result = _KNOWN[op](*known)
            if math.isfinite(result):
                return self.constant(result)
        same = self._simpler(op, args, known)
        if same is not None:
            return same
        instruction = Instruction(op, args, value)
        if instruction not in self._places:
            self._places[instruction] = len(self.instructions)
            self.instructions.append(instruction)
        return self._places[instruction]

    def _number(self, index: int) -> float | None:
        each = self.instructions[index]
        return each.value if each.op == "constant" else None

    def _simpler(self, op: str, args: tuple[int, ...], known: list[float | None]) -> int | None:
        if op in ("add", "sub") and known[1] == 0:
            return args[0]
        if op == "add" and known[0] == 0:
            return args[1]
        if op == "sub" and known[0] == 0:
            return self.add("neg", args[1])
        if op == "add":
            for own, other in (args, args[::-1]):
                if self.instructions[other].op == "neg":
                    return self.add("sub", own, self.instructions[other].args[0])
        if op == "sub" and self.instructions[args[1]].op == "neg":
            return self.add("add", args[0], self.instructions[args[1]].args[0])
        if op in ("mul", "div") and known[1] == 1:
            return args[0]
        if op == "mul" and known[0] == 1:
            return args[1]
        if op == "neg" and self.instructions[args[0]].op == "neg":
            return self.instructions[args[0]].args[0]
        return None
