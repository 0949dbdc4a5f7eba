"""A program as equations that a person reads: in plain text, and as TeX."""

from collections.abc import Iterator

from unrolled.ops.cells.program import Instruction, Program

_LETTERS = {
    "input_gate": "i",
    "forget_gate": "f",
    "output_gate": "o",
    "reset_gate": "r",
    "update_gate": "z",
    "candidate": "n",
}
_SPARE = "abdegkpqsvwjl"
"""For what is read more than once and has no name."""
_LONG = 2
"""So many operations are written down once, however often they are read."""
SUM, PRODUCT, ATOM = 1, 2, 3
"""How close an expression binds."""
_LEVELS = {"add": SUM, "sub": SUM, "mul": PRODUCT, "div": PRODUCT}

_FUNCTIONS = {
    "sigmoid": r"\sigma",
    "tanh": r"\tanh",
    "exp": r"\exp",
    "log": r"\log",
    "minimum": r"\min",
    "maximum": r"\max",
    "normalise": r"\mathrm{LN}",
}
"""In TeX."""


def letters(program: Program) -> dict[str, str]:
    """A short name for each gate, and the gate's own where the textbooks have none."""
    taken = {*program.states, *program.parameters}
    found: dict[str, str] = {}
    for gate in program.gates:
        short = _LETTERS.get(gate, gate)
        if short in taken or (short != gate and short in program.gates):
            short = gate if gate not in taken else f"{gate}_gate"
        taken.add(short)
        found[gate] = short
    return found


def equations(program: Program) -> list[str]:
    """One line for every gate and state; ``'`` marks a state before the step.

    Example:
        >>> from unrolled.cells.library import cell
        >>> for line in equations(cell("minimal_gated_unit")().program()):
        ...     print(line)
        f = sigmoid(W_f x + b_f + U_f h' + c_f)
        n = tanh(W_n x + b_n + U_n (h' * f) + c_n)
        h = h' * (1 - f) + f * n
    """
    return [f"{name} = {formula}" for name, formula in Equations(program).lines()]


def tex(program: Program) -> list[str]:
    r"""The same as TeX, without the marks of a formula around it.

    Example:
        >>> from unrolled.cells.library import cell
        >>> print(tex(cell("min_gru")().program())[1])
        h_{t} = h_{t-1} \odot \left(1 - z_{t}\right) + z_{t} \odot \left(W_{n} x_{t} + b_{n}\right)
    """
    return [f"{name} = {formula}" for name, formula in TexEquations(program).lines()]


class Equations:
    """The equations of a program; this is the notation of plain text.

    Args:
        program: what is written.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        self._short = letters(program)
        values = dict(zip(program.gates, program.gate_values, strict=True))
        # A gate has a line of its own unless its value is a mere share of the input.
        self._named = {
            at: self._short[gate]
            for gate, at in values.items()
            if program.instructions[at].op not in ("input", "product")
        }
        for state, result in zip(program.states, program.results, strict=True):
            if result not in self._named and program.instructions[result].args:
                self._named[result] = state
        self._name_what_is_read_again()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each name with its formula, what others need first."""
        for at, name in sorted(self._named.items()):
            yield self._now(name), self._formula(at, 0, own=True)
        for state, result in zip(self._program.states, self._program.results, strict=True):
            if self._named.get(result) != state:
                yield self._now(state), self._formula(result, 0)

    def _name_what_is_read_again(self) -> None:
        instructions = self._program.instructions
        readers = [0] * len(instructions)
        for each in instructions:
            for arg in each.args:
                readers[arg] += 1
        taken = {*self._short.values(), *self._program.states, *self._program.parameters, "x", "t"}
        spare = iter([letter for letter in _SPARE if letter not in taken])
        length = [0] * len(instructions)
        for at, each in enumerate(instructions):
            length[at] = 0 if not each.args else 1 + sum(length[arg] for arg in each.args)
            if at not in self._named and readers[at] > 1 and length[at] >= _LONG and each.op != "less":
                name = next(spare, None)
                if name is not None:
                    self._named[at] = name
            if at in self._named:
                length[at] = 0

    def _formula(self, at: int, above: int, own: bool = False) -> str:
        """An instruction's value; in brackets where what stands above binds closer."""
        if at in self._named and not own:
            return self._now(self._named[at])
        text, level = self._written(self._program.instructions[at])
        return self._brackets(text) if level < above else text

    def _written(self, each: Instruction) -> tuple[str, int]:
        """An operation, and how close it binds."""
        program, (op, args, value) = self._program, each
        if op == "input":
            return self._input(self._short[program.inputs[int(value)]]), SUM
        if op == "product":
            index = int(value)
            gate, turned = self._short[program.products[index]], program.matrices[index] == "antisymmetric"
            return self._product(gate, turned, self._formula(args[0], ATOM)), SUM
        if op == "state":
            return self._before(program.states[int(value)]), ATOM
        if op == "parameter":
            return self._parameter(list(program.parameters)[int(value)]), ATOM
        if op == "constant":
            return self._number(value), ATOM if value >= 0 else 0
        if op == "neg":
            return f"-{self._formula(args[0], PRODUCT)}", SUM
        if op in _LEVELS:
            return self._infix(op, args)
        return self._call(op, args)

    def _infix(self, op: str, args: tuple[int, ...]) -> tuple[str, int]:
        sign, level = {"add": "+", "sub": "-", "mul": "*", "div": "/"}[op], _LEVELS[op]
        # What is taken away or divides stands in brackets of its own.
        right = level + (op in ("sub", "div"))
        return f"{self._formula(args[0], level)} {sign} {self._formula(args[1], right)}", level

    def _call(self, op: str, args: tuple[int, ...]) -> tuple[str, int]:
        if op == "less":
            return f"{self._formula(args[0], SUM)} < {self._formula(args[1], SUM)}", 0
        name = {"normalise": "LN", "minimum": "min", "maximum": "max"}.get(op, op)
        return f"{name}({', '.join(self._formula(arg, 0) for arg in args)})", ATOM

    def _now(self, name: str) -> str:
        return name

    def _before(self, state: str) -> str:
        return f"{state}'"

    def _parameter(self, name: str) -> str:
        return name

    def _number(self, value: float) -> str:
        return f"{value:g}"

    def _input(self, gate: str) -> str:
        return f"W_{gate} x + b_{gate}"

    def _product(self, gate: str, antisymmetric: bool, operand: str) -> str:
        matrix = f"(U_{gate} - U_{gate}^T)" if antisymmetric else f"U_{gate}"
        return f"{matrix} {operand} + c_{gate}"

    def _brackets(self, text: str) -> str:
        return f"({text})"


class TexEquations(Equations):
    """The notation of TeX."""

    def _infix(self, op: str, args: tuple[int, ...]) -> tuple[str, int]:
        if op == "div":
            return rf"\frac{{{self._formula(args[0], 0)}}}{{{self._formula(args[1], 0)}}}", ATOM
        if op != "mul":
            return super()._infix(op, args)
        if args[0] == args[1]:
            return f"{self._formula(args[0], ATOM)}^{{2}}", PRODUCT
        first, second = args
        if self._program.instructions[second].op == "constant":
            first, second = second, first
        sign = r"\," if self._program.instructions[first].op == "constant" else r"\odot"
        return f"{self._formula(first, PRODUCT)} {sign} {self._formula(second, PRODUCT)}", PRODUCT

    def _call(self, op: str, args: tuple[int, ...]) -> tuple[str, int]:
        if op == "where":
            condition, this, that = (self._formula(arg, 0) for arg in args)
            otherwise = rf"{this} & \text{{if }} {condition} \\ {that} & \text{{otherwise}}"
            return rf"\begin{{cases}} {otherwise} \end{{cases}}", SUM
        if op == "less":
            return super()._call(op, args)
        inner = ", ".join(self._formula(arg, 0) for arg in args)
        if op == "sqrt":
            return rf"\sqrt{{{inner}}}", ATOM
        if op == "mean":
            return rf"\overline{{{inner}}}", ATOM
        if op == "abs":
            return rf"\left|{inner}\right|", ATOM
        return _FUNCTIONS.get(op, rf"\mathrm{{{op}}}") + self._brackets(inner), ATOM

    def _now(self, name: str) -> str:
        return f"{_symbol(name)}_{{t}}"

    def _before(self, state: str) -> str:
        return f"{_symbol(state)}_{{t-1}}"

    def _parameter(self, name: str) -> str:
        return _symbol(name)

    def _number(self, value: float) -> str:
        mantissa, _, exponent = f"{value:g}".partition("e")
        return mantissa if not exponent else rf"{mantissa} \cdot 10^{{{int(exponent)}}}"

    def _input(self, gate: str) -> str:
        of = f"_{{{_symbol(gate)}}}"
        return f"W{of} x_{{t}} + b{of}"

    def _product(self, gate: str, antisymmetric: bool, operand: str) -> str:
        of = f"_{{{_symbol(gate)}}}"
        matrix = rf"\left(U{of} - U{of}^{{\top}}\right)" if antisymmetric else f"U{of}"
        return f"{matrix} {operand} + c{of}"

    def _brackets(self, text: str) -> str:
        return rf"\left({text}\right)"


def _symbol(name: str) -> str:
    if len(name) == 1:
        return name
    spaced = name.replace("_", r"\,")
    return rf"\mathrm{{{spaced}}}"
