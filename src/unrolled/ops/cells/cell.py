"""A recurrent cell as its equations: what a person writes, and the program traced from it.

Legend: ``B`` rows, ``H`` hidden units.
"""

from __future__ import annotations

import copy
import inspect
import linecache
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from types import CodeType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from unrolled.errors import ConfigError
from unrolled.ops.cells.description import Initial
from unrolled.ops.cells.graph import Graph
from unrolled.ops.cells.program import Instruction, Program, live
from unrolled.ops.cells.symbols import Symbol


def constant(value: float) -> Initial:
    """A parameter that begins with the same number in every unit."""
    return Initial("constant", _number(value))


def uniform(low: float, high: float) -> Initial:
    """A parameter that begins with numbers drawn between two."""
    return Initial("uniform", _number(low), _number(high))


def _number(value: float) -> float:
    if not isinstance(value, Real):
        raise ConfigError(f"expected a number where a parameter begins, got {value!r}.")
    return float(value)


class Cell:
    """A recurrent cell, described once: subclass it and write `step`.

    Everything else comes of the description: the layer (`unrolled.Recurrent`), its gradient, its CPU kernel,
    streaming, diagnosis, and what a saved model keeps. A cell with options takes them in its ``__init__`` and
    may set there any of the attributes below.

    Attributes:
        states: the names of what is carried from step to step, one to four; the first is the output.
        gates: the names of the gates, in the order in which they lie in the weights.
        parameters: numbers of each unit that are learned, by name, with how they begin: `constant` or
            `uniform`. The step reads them as attributes of ``self``.
        matrices: the gates whose recurrent matrix is not any matrix: "antisymmetric", ``W - W'``.
        keep_gate: the gate that holds on to the old state, whose bias is raised that it may remember.
        write_gate: the gate that lets the new in, where it is another one.
        fused: False runs the step itself, as ordinary torch, one step after the other: it may do what a
            program cannot say, such as to branch on values or to call any function of torch, and is as slow
            as a loop. It has no program, so a task cannot save a model of it.
        input_gates: of a cell that is not fused, the gates that the input has a share in; None: all. Of any
            other they are read off its step.
        recurrent_gates: the same of the gates with a recurrent matrix.

    Example:
        >>> from unrolled.cells import sigmoid, tanh
        >>> class MinimalGatedUnit(Cell):
        ...     gates = ("forget_gate", "candidate")
        ...
        ...     def step(self, x, u, h):
        ...         f = sigmoid(x.forget_gate + u.forget_gate(h))
        ...         n = tanh(x.candidate + u.candidate(f * h))
        ...         return (1 - f) * h + f * n
        >>> len(MinimalGatedUnit().program().instructions)
        15
    """

    states: tuple[str, ...] = ("h",)
    gates: tuple[str, ...] = ()
    parameters: Mapping[str, Initial] = {}
    matrices: Mapping[str, str] = {}
    keep_gate: str | None = None
    write_gate: str | None = None
    fused: bool = True
    input_gates: tuple[str, ...] | None = None
    recurrent_gates: tuple[str, ...] | None = None
    name: ClassVar[str] = ""
    """In a registry and in what is said of a cell; the class's own name where it is empty."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # a parameter, which `with_parameters` sets

    def step(self, *args: Any, **kwargs: Any) -> Any:
        """One step: ordinary Python on the functions of `unrolled.cells`.

        It takes ``x, u`` and then the states before the step, ``(B, H)`` each, in the order of ``states``.
        ``x.gate`` is the input's share of a gate, ``W_ih x_t + b_ih``; ``u.gate(v)`` is the recurrent matrix
        of a gate times a value, ``W_hh v + b_hh``; both are ``(B, H)``.

        Returns:
            The states after the step: a value, or a tuple of as many as there are states.
        """
        raise NotImplementedError

    def with_parameters(self, values: Mapping[str, Any]) -> Cell:
        """The same cell, whose step reads these as its parameters."""
        bound = copy.copy(self)
        bound.__dict__.update(values)
        return bound

    def program(self) -> Program:
        """What the step computes, traced once.

        Raises:
            ConfigError: the step says what a program cannot, or something that does not fit its description;
                the message shows the line.
        """
        return trace(self)


class Shares:
    """``x`` of a step: the input's share of each gate as an attribute."""

    def __init__(self, of: Callable[[str], Any], gates: Sequence[str]) -> None:
        self._of = of
        self._gates = tuple(gates)

    def __getattr__(self, gate: str) -> Any:
        if gate.startswith("_") or gate not in self._gates:
            raise ConfigError(f"expected one of the gates {', '.join(self._gates)}, got {gate!r}.")
        return self._of(gate)


def trace(cell: Cell) -> Program:
    """The program of a cell's step.

    Raises:
        ConfigError: see `Cell.program`.
    """
    if not cell.fused:
        raise ConfigError(
            f"{called(cell)} runs its step as plain torch (fused = False): expected a fused cell here, "
            "which has a program."
        )
    require_described(cell)
    graph = Graph()
    gates, parameters = tuple(cell.gates), dict(cell.parameters)
    states = [Symbol(graph, graph.add("state", value=index)) for index in range(len(cell.states))]

    def product(gate: str) -> Callable[[Any], Symbol]:
        def multiply(value: Any) -> Symbol:
            if not isinstance(value, Symbol):
                raise ConfigError(f"expected u.{gate}(...) of a state or a computed value, got {value!r}.")
            return Symbol(graph, graph.add("product", value.index, value=gates.index(gate)))

        return multiply

    bound = cell.with_parameters(
        {each: Symbol(graph, graph.add("parameter", value=index)) for index, each in enumerate(parameters)}
    )
    x = Shares(lambda gate: Symbol(graph, graph.add("input", value=gates.index(gate))), gates)
    try:
        returned = bound.step(x, Shares(product, gates), *states)
    except Exception as error:
        refuse(cell, error)
    written = []
    for state, result in zip(cell.states, states_of(cell, returned), strict=True):
        if isinstance(result, Real) and not isinstance(result, bool):
            result = Symbol(graph, graph.constant(float(result)))
        if not isinstance(result, Symbol):
            raise ConfigError(
                f"expected {called(cell)}.step to return {state} computed of x, u and the states, "
                f"got {type(result).__name__}{place(cell)}."
            )
        written.append(result.index)
    return _assembled(cell, graph, written)


def called(cell: Cell) -> str:
    """What a cell is called."""
    return type(cell).name or type(cell).__name__


def require_described(cell: Cell) -> None:
    """See that what a cell says beside its step is of the right kind.

    Raises:
        ConfigError: it is not; the message says which attribute.
    """
    for what in ("states", "gates", "input_gates", "recurrent_gates"):
        given = getattr(cell, what)
        if given is None and what.endswith("_gates"):
            continue
        if not isinstance(given, tuple | list) or not all(isinstance(each, str) for each in given):
            raise ConfigError(f"expected {what} of {called(cell)} to be a tuple of names, got {given!r}.")
        wrong = [each for each in given if not each.isidentifier() or each[0] == "_"]
        if wrong:
            raise ConfigError(
                f"expected {what} of {called(cell)} to be names that begin with a letter, such as 'h', "
                f"got {wrong}."
            )
    for what in ("parameters", "matrices"):
        if not isinstance(getattr(cell, what), Mapping):
            raise ConfigError(
                f"expected {what} of {called(cell)} by name, such as {{'leak': constant(0.1)}}, "
                f"got {getattr(cell, what)!r}."
            )
    taken = sorted(name for name in cell.parameters if hasattr(Cell, str(name)))
    if taken:
        raise ConfigError(f"expected parameters of {called(cell)} by names that no Cell has, got {taken}.")


def states_of(cell: Cell, returned: Any) -> tuple[Any, ...]:
    """The states that a step returned.

    Raises:
        ConfigError: they are not as many as the cell has.
    """
    results = tuple(returned) if isinstance(returned, tuple | list) else (returned,)
    if len(results) != len(cell.states):
        raise ConfigError(
            f"expected {called(cell)}.step to return its {len(cell.states)} states "
            f"({', '.join(cell.states)}), got {len(results)}{place(cell)}."
        )
    return results


def _assembled(cell: Cell, graph: Graph, results: list[int]) -> Program:
    """Without what nothing depends on, and with the gates numbered as they lie in each matrix."""
    name = called(cell)
    used = sorted(live(graph.instructions, results))
    has = {
        kind: tuple(
            gate
            for index, gate in enumerate(cell.gates)
            if any(graph.instructions[at].op == kind and graph.instructions[at].value == index for at in used)
        )
        for kind in ("input", "product")
    }
    idle = [gate for gate in cell.gates if gate not in has["input"] and gate not in has["product"]]
    if idle:
        raise ConfigError(f"expected {name}.step to use each of its gates, got none of {', '.join(idle)}.")
    for what, kind in (("input_gates", "input"), ("recurrent_gates", "product")):
        given = getattr(cell, what)
        if given is not None and tuple(given) != has[kind]:
            raise ConfigError(
                f"expected {what} of {name} to be those that its step reads, {list(has[kind])}, or None, "
                f"got {list(given)}."
            )
    renamed = {old: new for new, old in enumerate(used)}
    instructions = []
    for at in used:
        each = graph.instructions[at]
        value = each.value
        if each.op in has:
            value = has[each.op].index(cell.gates[int(value)])
        instructions.append(Instruction(each.op, tuple(renamed[arg] for arg in each.args), value))
    unknown = set(cell.matrices) - set(has["product"])
    if unknown:
        raise ConfigError(
            f"expected matrices of {name} for gates that u multiplies, {list(has['product'])}, "
            f"got {sorted(unknown)}."
        )
    return Program(
        name=name,
        states=tuple(cell.states),
        gates=tuple(cell.gates),
        inputs=has["input"],
        products=has["product"],
        matrices=tuple(cell.matrices.get(gate, "full") for gate in has["product"]),
        parameters=dict(cell.parameters),
        instructions=tuple(instructions),
        results=tuple(renamed[result] for result in results),
        keep_gate=cell.keep_gate,
        write_gate=cell.write_gate,
    )


def refuse(cell: Cell, error: Exception) -> NoReturn:
    """Say what went wrong in a step, and on which line."""
    name = called(cell)
    if isinstance(error, NotImplementedError) and type(cell).step is Cell.step:
        raise ConfigError(f"expected {name} to have a step(self, x, u, {', '.join(cell.states)}).") from error
    said = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
    code = _code(cell)
    line = None
    trail = error.__traceback__
    while trail is not None:
        if trail.tb_frame.f_code is code:
            line = trail.tb_lineno
        trail = trail.tb_next
    if code is None or line is None:
        if isinstance(error, ConfigError):
            raise ConfigError(f"{name}.step: {said}") from error
        said = said.replace(f"{type(cell).__name__}.step()", "step")
        raise ConfigError(
            f"{name}.step cannot be called: {said}; expected step(self, x, u, {', '.join(cell.states)})."
        ) from error
    source = linecache.getline(code.co_filename, line).strip()
    shown = f": {source}" if source else ""
    raise ConfigError(f"{name}.step, line {line} of {code.co_filename}{shown} -- {said}") from error


def place(cell: Cell) -> str:
    """Where a cell's step stands, in brackets."""
    code = _code(cell)
    return "" if code is None else f" (line {code.co_firstlineno} of {code.co_filename})"


def _code(cell: Cell) -> CodeType | None:
    """Of the step as it was written, whatever decorates it."""
    return getattr(inspect.unwrap(type(cell).step), "__code__", None)
