"""What the library is told of a program's run: its code, the sizes, and where every array lies.

All of it but the addresses is the same for every run of a kind, and is laid out once. Legend: ``T`` steps,
``B`` rows, ``H`` hidden units.
"""

import ctypes
import struct
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

from torch import Tensor

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.gradient import differentiate
from unrolled.ops.cells.lowering import Code, lower_backward, lower_forward
from unrolled.ops.cells.surrounded import Surrounded
from unrolled.ops.layer_norm import EPSILON
from unrolled.ops.native.library import addresses

_RECORD = struct.Struct("7q2d3q1q1q2q2q7q5q4q")
"""``ProgramRecord`` of ``csrc/arguments.h``; a ``ProgramMemory`` is seven numbers, a state three."""
_PLAIN, _BEFORE, _LAST, _NUMBER, _SHARE = range(5)

Strides = tuple[int, ...]


class Extent(NamedTuple):
    """What the layout of a run depends on besides its code.

    Attributes:
        rows: B.
        size: H.
        item: bytes of a number.
        reverse: the direction.
        units: how many vectors ``(H,)`` each array of `Given.units` has.
    """

    rows: int
    size: int
    item: int
    reverse: bool
    units: tuple[int, ...]

    @classmethod
    def of(cls, given: Given) -> Self:
        """That of a run."""
        first = given.initial[0]
        rows, size = first.shape
        units = tuple([unit.shape[0] // size for unit in given.units])
        return cls(rows, size, first.itemsize, given.reverse, units)


def arrays_read(given: Given) -> tuple[Tensor, ...]:
    """The arrays that every run reads, in the order in which a layout counts them."""
    return (given.gates_x, *given.units, *given.initial, *given.streams)


class Layout:
    """Numbers that a record points to, with gaps for addresses.

    They are those of the vectors of units, of the places of the memory, of the sums and of the states.

    Args:
        cell: its program with its surroundings.
        code: of a step.
        extent: of the run.
        strides: of each stream.
    """

    def __init__(self, cell: Surrounded, code: Code, extent: Extent, strides: Sequence[Strides]) -> None:
        self.cell, self.code, self.extent, self.strides = cell, code, extent, strides
        self.initial = 1 + len(extent.units)
        self.streams = self.initial + len(cell.results)
        self.more = self.streams + len(strides)
        """Which array is the first initial state, the first stream, and the first after `arrays_read`."""
        self.kept = sum(each.kind == "kept" for each in code.memory)
        """How many values are kept of a step for its gradient."""
        self.numbers = array("q")
        self.gaps: list[tuple[int, int, int]] = []
        """Of every address: its place among the numbers, of which array it is, and the bytes before it."""
        self._vectors(range(1, self.initial))
        self.memory = len(self.numbers)
        self.sums = self.states = 0
        """Where each part begins."""

    def begin_sums(self, arrays: Iterable[int | None]) -> None:
        """The sums of every vector of units; None for those that nobody asks for."""
        self.sums = len(self.numbers)
        self._vectors(arrays)
        self.states = len(self.numbers)

    def address(self, of: int | None, before: int = 0) -> None:
        """Of an array, ``before`` elements after its beginning; None: of nothing."""
        if of is not None:
            self.gaps.append((len(self.numbers), of, before * self.extent.item))
        self.numbers.append(0)

    def place(
        self,
        of: int | None,
        before: int,
        strides: Strides,
        kind: int = _PLAIN,
        turns: int = 0,
        first: int | None = None,
    ) -> None:
        """A `ProgramMemory`; ``first``: the array of the state before a row's first step."""
        self.address(of, before)
        self.address(first)
        self.numbers.extend((*strides, kind, turns))

    def end(self, memory: int, first: int | None, of: int, before: int = 0) -> None:
        """A `ProgramState`: its place in the memory, its initial array, and the array that takes its end."""
        self.numbers.append(memory)
        self.address(first)
        self.address(of, before)

    def column(self, of: int, index: int, columns: int) -> None:
        """The index-th ``H`` of a contiguous ``(T, B, columns * H)``."""
        row = columns * self.extent.size
        self.place(of, index * self.extent.size, (self.extent.rows * row, row, 1))

    def state(self, of: int, index: int, before: bool, skipped: int, turns: bool = False) -> None:
        """A state before or after the step, of an array whose first step comes after ``skipped`` others."""
        rows, size = self.extent.rows, self.extent.size
        strides = (rows * size, size, 1)
        first = self.initial + index if before else None
        self.place(of, skipped * rows * size, strides, _BEFORE if before else _PLAIN, turns, first)

    def given(self, kind: str, index: int) -> None:
        """An input's share or a stream."""
        if kind == "input":
            self.column(0, index, len(self.cell.program.inputs))
        else:
            self.place(self.streams + index, 0, self.strides[index])

    def _vectors(self, arrays: Iterable[int | None]) -> None:
        for of, count in zip(arrays, self.extent.units, strict=True):
            for index in range(count):
                self.address(of, index * self.extent.size)


@lru_cache(maxsize=256)
def forward_layout(
    cell: Surrounded, extent: Extent, keep: bool, watched: bool, strides: Sequence[Strides]
) -> Layout:
    """That of `unrolled.ops.native.program.forward`.

    After `arrays_read` it counts the states, their ends, what is kept, and the gates' values.
    """
    code = lower_forward(cell, keep, watched)
    layout = Layout(cell, code, extent, strides)
    states = layout.more
    ends = states + len(cell.results)
    values = ends + len(cell.results)
    for kind, index in [(each.kind, each.index) for each in code.memory]:
        if kind in ("before", "after"):
            skipped = int(keep and not extent.reverse)
            alone = index > 0 and not (keep or watched)  # of two steps in turns
            layout.state(states + index, index, kind == "before", skipped, alone)
        elif kind == "kept":
            layout.column(values, index, layout.kept)
        elif kind == "gate":
            layout.column(values + keep, index, len(cell.gate_values))
        else:
            layout.given(kind, index)
    layout.begin_sums([None] * len(extent.units))
    for index, at in enumerate(code.ends):
        layout.end(at, layout.initial + index, ends + index)
    return layout


@lru_cache(maxsize=256)
def backward_layout(
    cell: Surrounded,
    extent: Extent,
    norms: bool,
    watched: bool,
    needs_units: Sequence[bool],
    strides: Sequence[Strides],
    arrived: Sequence[Strides],
) -> Layout:
    """That of `unrolled.ops.native.program.backward`.

    After `arrays_read` it counts the states, what was kept, what arrived at the states and at the gates, what
    is carried and ends, the gradients of the products, of the input and of every stream, the sums of every
    array of units, and the norms.
    """
    gradient, code = differentiate(cell, watched), lower_backward(cell, norms, watched)
    layout = Layout(cell, code, extent, strides)
    rows, size, count = extent.rows, extent.size, len(cell.results)
    values = layout.more + count
    given = values + 1
    carried = given + len(arrived)
    over_product = carried + 1
    over_streams = over_product + 2
    over_units = over_streams + len(strides)
    for kind, index in [(each.kind, each.index) for each in code.memory]:
        if kind in ("before", "after"):
            layout.state(layout.more + index, index, kind == "before", int(not extent.reverse))
        elif kind == "kept":
            layout.column(values, index, len(gradient.kept))
        elif kind in ("carried", "passed"):
            of_kind = _LAST if kind == "carried" else _PLAIN
            layout.place(carried, 2 * index * rows * size, (rows * size, size, 1), of_kind, 1)
        elif kind == "given":
            layout.place(given + index, 0, arrived[index])
        elif kind == "given_gate":
            layout.place(carried - 1, index * size * arrived[-1][-1], arrived[-1])
        elif kind == "over_product":
            layout.column(over_product, index, len(gradient.order))
        elif kind == "over_input":
            layout.column(over_product + 1, index, len(cell.program.inputs))
        elif kind == "over_stream":
            layout.column(over_streams + index, 0, 1)
        elif kind == "norm":
            layout.place(over_units + len(extent.units), 0, (rows, 1, 1), _NUMBER)
        else:
            layout.given(kind, index)
    layout.begin_sums([over_units + at if needed else None for at, needed in enumerate(needs_units)])
    for index, at in enumerate(code.ends):
        layout.end(at, None, carried, (2 * count + index) * rows * size)
    return layout


def step_layout(cell: Surrounded, extent: Extent, strides: Sequence[Strides]) -> Layout:
    """That of a stepper, whose states change in place.

    After `arrays_read` it counts the states after a step.
    """
    code = lower_forward(cell, False)
    layout = Layout(cell, code, extent, strides)
    for kind, index in [(each.kind, each.index) for each in code.memory]:
        if kind in ("before", "after"):
            layout.state(layout.more + index, index, kind == "before", 0)
        elif kind == "input":
            layout.place(None, 0, (0, index, 1), _SHARE)
        else:
            layout.given(kind, index)
    layout.begin_sums([None] * len(extent.units))
    for index, at in enumerate(code.ends):
        layout.end(at, layout.initial + index, layout.initial + index)
    return layout


class Record(NamedTuple):
    """``ProgramRecord``, and what it holds addresses of."""

    data: bytes
    kept: tuple[Any, ...]


def record(
    layout: Layout,
    given: Given,
    arrays: Sequence[Tensor],
    threads: int,
    backward: bool,
    entrance: tuple[int, ...] = (0, 0, 0, 0),
) -> Record:
    """Fill in the addresses.

    Args:
        layout: of the run.
        given: what it is run with.
        arrays: in the order in which the layout counts them.
        threads: that may run.
        backward: it is the way back.
        entrance: what makes the input's share, or zeros.
    """
    code, extent = layout.code, layout.extent
    named = layout.numbers[:]
    at = [each.data_ptr() for each in arrays]
    for place, of, before in layout.gaps:
        named[place] = at[of] + before
    unit, _ = named.buffer_info()
    memory, sums, states = unit + 8 * layout.memory, unit + 8 * layout.sums, unit + 8 * layout.states
    sizes, gates, text, constants = _addresses_of(code)
    data = _RECORD.pack(
        *(
            given.gates_x.shape[0],
            extent.rows,
            extent.size,
            extent.reverse,
            backward,
            threads,
            extent.item == 8,
        ),
        *(EPSILON, given.bound),
        *addresses((given.lengths, given.resets, given.weight_hh)),
        *(len(layout.cell.program.products), code.groups, sizes, gates, text),
        *(len(code.numbers) // 8, code.scratch, layout.memory, len(code.constants) // 8, code.rows),
        *(len(code.memory), layout.states - layout.sums, len(code.ends)),
        *(unit, constants, memory, sums, states),
        *entrance,
    )
    return Record(data, (given, code, named, arrays))


@lru_cache(maxsize=1024)
def _addresses_of(code: Code) -> tuple[int, int, int, int]:
    """Where the parts of a code lie; they do not move, and what is looked up here stays."""
    parts = code.group_sizes, code.group_gates, code.numbers, code.constants
    sizes, gates, numbers, constants = map(_address, parts)
    return sizes, gates, numbers, constants


def _address(buffer: bytes) -> int:
    return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
