"""A C file while it is written: constants, what is carried from step to step, scratch, the step itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unrolled.export.c_code.functions import PANEL, needed_functions
from unrolled.export.c_code.numbers import float_array, in_bytes, int8_array, literal

_FLOAT = 4
_BYTE = 256


@dataclass(frozen=True, slots=True)
class Matrix:
    """A constant matrix, in panels of rows.

    Attributes:
        name: of its array.
        scale: of the array with a scale for each row, where the matrix is in bytes.
        rows: how many.
        columns: how many.
    """

    name: str
    scale: str | None
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Function:
    """A public function beside `begin` and `step`.

    Attributes:
        about: what it does.
        declaration: with its arguments.
        body: its lines.
    """

    about: str
    declaration: str
    body: tuple[str, ...]


@dataclass(slots=True)
class Source:
    """What has been written so far.

    Attributes:
        name: begins every public name.
        int8: matrices are in bytes.
        constants: definitions of arrays.
        weight_bytes: of all of them.
        carried: fields of the state and how many floats each holds, with what they begin with.
        scratch: further fields, whose content is of no matter between two steps.
        counters: fields that count.
        bytes: fields of arrays of unsigned integers, their type and how many.
        series: what sequences there are that begin differently, by name; none where all begin alike.
        functions: further public ones.
        limits: further public numbers, by name.
        step: the lines of the step.
    """

    name: str
    int8: bool = False
    constants: list[str] = field(default_factory=list)
    weight_bytes: int = 0
    carried: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    scratch: dict[str, int] = field(default_factory=dict)
    counters: list[str] = field(default_factory=list)
    bytes: dict[str, tuple[str, int]] = field(default_factory=dict)
    series: Sequence[str] = ()
    functions: list[Function] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)
    step: list[str] = field(default_factory=list)

    def array(self, name: str, values: NDArray[np.floating]) -> str:
        """A constant array of floats; its name."""
        self.constants.append(float_array(name, values))
        self.weight_bytes += _FLOAT * values.size
        return name

    def matrix(self, name: str, values: NDArray[np.floating]) -> Matrix:
        """A constant matrix ``(rows, columns)``."""
        rows, columns = values.shape
        if not self.int8:
            return Matrix(self.array(name, _in_panels(values)), None, rows, columns)
        numbers, scale = in_bytes(values)
        self.constants.append(int8_array(name, _in_panels(numbers)))
        self.weight_bytes += numbers.size
        return Matrix(name, self.array(f"{name}_scale", scale), rows, columns)

    def carry(self, name: str, size: int, begins: NDArray[np.floating] | None = None) -> str:
        """A vector that the next step finds as this one left it; zeros before the first one by default."""
        at_first = None
        if begins is not None and np.any(begins != 0):
            at_first = self.array(f"{name}_at_first", begins)
        self.carried[name] = (size, at_first)
        return f"state->{name}"

    def room(self, name: str, size: int) -> str:
        """A vector of no meaning between two steps."""
        self.scratch[name] = max(1, size)
        return f"state->{name}"

    def count(self, name: str) -> str:
        """A number of steps, counted from zero."""
        self.counters.append(name)
        return f"state->{name}"

    def numbers(self, name: str, size: int, below: int) -> str:
        """A vector of whole numbers from 0 up to, and without, ``below``; at first of any."""
        self.bytes[name] = (
            "uint8_t" if below <= _BYTE else "uint16_t" if below <= _BYTE**2 else "uint32_t",
            size,
        )
        return f"state->{name}"

    def say(self, text: str) -> None:
        """A comment in the step."""
        self.step.append(f"/* {text} */")

    def write(self, *lines: str) -> None:
        """Lines of the step."""
        self.step.extend(lines)

    def each(self, size: int, *lines: str) -> None:
        """A loop over the units ``j`` of a vector."""
        self.step.append(f"for (j = 0; j < {size}; j++) {{")
        self.step.extend(f"    {line}" for line in lines)
        self.step.append("}")

    def copy(self, into: str, of: str, size: int) -> None:
        """A vector copied."""
        self.each(size, f"{into}[j] = {of}[j];")

    def product(self, into: str, matrix: Matrix, of: str, bias: str | None = None) -> None:
        """``into = matrix of + bias``."""
        added = bias or "NULL"
        sizes = f"{matrix.rows}, {matrix.columns}"
        if matrix.scale is None:
            self.step.append(f"multiply({into}, {matrix.name}, {added}, {of}, {sizes});")
        else:
            self.step.append(
                f"multiply_bytes({into}, {matrix.name}, {matrix.scale}, {added}, {of}, {sizes});"
            )

    def linear(
        self, name: str, of: str, weight: NDArray[np.floating], bias: NDArray[np.floating] | None
    ) -> str:
        """A linear layer; the vector it makes."""
        matrix = self.matrix(f"{name}_weight", weight)
        added = None if bias is None else self.array(f"{name}_bias", bias)
        made = self.room(name, matrix.rows)
        self.product(made, matrix, of, added)
        return made

    @property
    def state_bytes(self) -> int:
        """Of one state, which is all the memory that a sequence takes."""
        floats = sum(size for size, _ in self.carried.values()) + sum(self.scratch.values())
        whole = sum(int(kind.strip("uint_")) // 8 * size for kind, size in self.bytes.values())
        return _FLOAT * (floats + len(self.counters) + -(-whole // _FLOAT))

    def definitions(self) -> str:
        """The constants, and those of the functions that the step calls."""
        return "\n\n".join([*self.constants, *needed_functions("\n".join(self.step))])

    @property
    def begins(self) -> str:
        """The declaration of `begin`."""
        return f"void {self.name}_begin({self.name}_state *state{', int series' if self.series else ''})"

    def fields(self) -> list[str]:
        """The members of the state."""
        kept = [f"float {name}[{size}];" for name, (size, _) in self.carried.items()]
        counted = [f"uint32_t {name};" for name in self.counters]
        room = [f"float {name}[{size}];" for name, size in self.scratch.items()]
        return (
            kept + counted + room + [f"{kind} {name}[{size}];" for name, (kind, size) in self.bytes.items()]
        )

    def at_first(self) -> list[str]:
        """The lines that make a state that of a sequence's beginning."""
        lines = []
        for name, (size, begins) in self.carried.items():
            value = literal(0) if begins is None else f"{begins}[j]"
            lines.append(f"for (j = 0; j < {size}; j++) state->{name}[j] = {value};")
        lines += [f"state->{name} = 0;" for name in self.counters]
        return [*lines, "state->series = (uint32_t)series;"] if self.series else lines


def _in_panels(matrix: NDArray) -> NDArray:
    """The numbers of a matrix in the order in which they are read: of some rows a column after the other."""
    panels = [matrix[first : first + PANEL].T.ravel() for first in range(0, len(matrix), PANEL)]
    return np.concatenate(panels) if panels else matrix.ravel()
