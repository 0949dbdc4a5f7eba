"""A program as equations that a person reads, in plain text."""

from unrolled.ops.cells.program import Program

_LETTERS = {
    "input_gate": "i",
    "forget_gate": "f",
    "output_gate": "o",
    "reset_gate": "r",
    "update_gate": "z",
    "candidate": "n",
}
_INFIX = {"add": ("+", 1), "sub": ("-", 1), "mul": ("*", 2), "div": ("/", 2)}
_NAMES = {"normalise": "LN", "minimum": "min", "maximum": "max"}


def letters(program: Program) -> dict[str, str]:
    """A short name for each gate, and the gate's own where the textbooks have none."""
    taken = set(program.states)
    return {
        gate: letter if (letter := _LETTERS.get(gate, gate)) not in taken else gate for gate in program.gates
    }


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
    return _Writer(program).lines()


class _Writer:
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

    def lines(self) -> list[str]:
        """What others need first."""
        written = [f"{name} = {self._formula(at, 0, own=True)}" for at, name in sorted(self._named.items())]
        for state, result in zip(self._program.states, self._program.results, strict=True):
            if self._named.get(result) != state:
                written.append(f"{state} = {self._formula(result, 0)}")
        return written

    def _formula(self, at: int, above: int, own: bool = False) -> str:
        """An instruction's value; in brackets where what stands above binds closer."""
        if at in self._named and not own:
            return self._named[at]
        program, (op, args, value) = self._program, self._program.instructions[at]
        if op == "input":
            gate = self._short[program.inputs[int(value)]]
            return self._bracketed(f"W_{gate} x + b_{gate}", 1, above)
        if op == "product":
            gate = self._short[program.products[int(value)]]
            return self._bracketed(f"U_{gate} {self._formula(args[0], 3)} + c_{gate}", 1, above)
        if op == "state":
            return program.states[int(value)] + "'"
        if op == "parameter":
            return list(program.parameters)[int(value)]
        if op == "constant":
            return f"{value:g}" if value >= 0 else f"({value:g})"
        if op in _INFIX:
            sign, level = _INFIX[op]
            # What is taken away or divides stands in brackets of its own.
            right = level + (op in ("sub", "div"))
            text = f"{self._formula(args[0], level)} {sign} {self._formula(args[1], right)}"
            return self._bracketed(text, level, above)
        if op == "neg":
            return self._bracketed(f"-{self._formula(args[0], 2)}", 1, above)
        if op == "less":
            return f"{self._formula(args[0], 1)} < {self._formula(args[1], 1)}"
        return f"{_NAMES.get(op, op)}({', '.join(self._formula(arg, 0) for arg in args)})"

    @staticmethod
    def _bracketed(text: str, level: int, above: int) -> str:
        return f"({text})" if level < above else text
