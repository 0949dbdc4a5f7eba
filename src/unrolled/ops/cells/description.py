"""What a cell is made of, whatever its step computes: names, sizes, how its numbers begin.

Legend: ``H`` hidden units.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from unrolled.errors import ConfigError

MOST_STATES = 4
MATRICES = ("full", "antisymmetric")
"""What the recurrent matrix of a gate can be made of its weights ``W``: ``W``, or ``W - W'``."""


class Initial(NamedTuple):
    """How a parameter of a unit begins: "constant" ``(value, 0)`` or "uniform" ``(low, high)``."""

    kind: str
    first: float
    second: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """A cell without its step.

    Attributes:
        name: the cell's.
        states: their names; the first is the output.
        gates: the names of the gates, in the order in which they lie in the weights.
        inputs: the gates that the input has a share in, by name; they lie in ``weight_ih``.
        products: the gates with a recurrent matrix, by name; they lie in ``weight_hh``.
        matrices: of each of ``products``, one of `MATRICES`.
        parameters: those of single units by name, ``(H,)`` each, with how they begin.
        keep_gate: the gate that holds on to the old state, or None.
        write_gate: the gate that lets the new in, where it is another one.

    Raises:
        ConfigError: its parts do not fit; the message says which.
    """

    name: str
    states: tuple[str, ...]
    gates: tuple[str, ...]
    inputs: tuple[str, ...]
    products: tuple[str, ...]
    matrices: tuple[str, ...]
    parameters: Mapping[str, Initial]
    keep_gate: str | None = None
    write_gate: str | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def remembers(self) -> bool:
        """Whether a gate holds on to the old state whose bias can make it remember."""
        return self.keep_gate in self.inputs


def _check(cell: Description) -> None:
    # Files are called by it.
    if not isinstance(cell.name, str) or not cell.name.replace("-", "_").isidentifier():
        raise ConfigError(f"expected the cell's name to be of letters, digits, _ and -, got {cell.name!r}.")
    if cell.name in ("rnn", "gru", "lstm"):
        raise ConfigError(
            f"rnn, gru and lstm are cells that are there: expected another name, got {cell.name!r}."
        )
    for what, names, most in (
        ("states", cell.states, MOST_STATES),
        ("gates", cell.gates, 32),
        ("parameters", tuple(cell.parameters), 32),
    ):
        if not all(isinstance(name, str) and name.isidentifier() and name[0] != "_" for name in names):
            raise ConfigError(f"expected {what} to be names such as 'h', got {list(names)}.")
        if len(set(names)) != len(names):
            raise ConfigError(f"expected each of {what} to have a name of its own, got {list(names)}.")
        if len(names) > most or (not names and what != "parameters"):
            raise ConfigError(f"expected 1 to {most} {what}, got {len(names)}.")
    taken = {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "norm_ih_gain", "norm_hh_gain"}
    taken |= {f"initial_{state}" for state in cell.states}
    if taken & set(cell.parameters):
        raise ConfigError(
            "expected parameters by other names than the layer's own, "
            f"got {sorted(taken & set(cell.parameters))}."
        )
    for part in (cell.inputs, cell.products):
        if [gate for gate in cell.gates if gate in part] != list(part):
            raise ConfigError(f"expected gates among {list(cell.gates)} in their order, got {list(part)}.")
    if len(cell.matrices) != len(cell.products) or not set(cell.matrices) <= set(MATRICES):
        raise ConfigError(
            f"expected one of {', '.join(MATRICES)} for each of {list(cell.products)}, "
            f"got {list(cell.matrices)}."
        )
    for name, initial in cell.parameters.items():
        if not (
            isinstance(initial, Initial)
            and initial.kind in ("constant", "uniform")
            and all(isinstance(number, int | float) and math.isfinite(number) for number in initial[1:])
            and (initial.kind == "constant" or initial.first <= initial.second)
        ):
            raise ConfigError(
                f"expected constant(...) or uniform(...) as the start of {name!r}, got {initial!r}."
            )
    for gate in (cell.keep_gate, cell.write_gate):
        if gate is not None and gate not in cell.gates:
            raise ConfigError(f"expected one of the gates {list(cell.gates)}, got {gate!r}.")
