"""Programs on the library: all steps of a cell, and their gradient.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``P`` recurrent matrices, ``K`` values that are kept.
"""

import ctypes
import struct
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.gradient import Gradient, differentiate
from unrolled.ops.cells.lowering import Code, Memory, lower_backward, lower_forward
from unrolled.ops.cells.reference import Ran
from unrolled.ops.cells.surrounded import Surrounded
from unrolled.ops.layer_norm import EPSILON
from unrolled.ops.native.library import Library, addresses, library
from unrolled.ops.native.memory import empty

_RECORD = struct.Struct("7q2d3q1q1q2q2q7q5q4q")
"""``ProgramRecord`` of ``csrc/arguments.h``; a ``ProgramMemory`` is seven numbers, a state three."""
_PLAIN, _BEFORE, _LAST, _NUMBER, _SHARE = range(5)


class Kept(NamedTuple):
    """What the gradient needs.

    Attributes:
        states: after every step, with the initial one at the end from which the run comes, ``(T + 1, B, H)``
            each.
        values: ``(T, B, K, H)``.
    """

    states: tuple[Tensor, ...]
    values: Tensor


class Over(NamedTuple):
    """Gradients, None where they are not asked for.

    Attributes:
        gates_x: of the input's share.
        weight_hh: of the matrices.
        initial: of every initial state.
        units: of every vector of units.
        streams: of every stream.
        norms: of dL/dh_t, ``(T, B)``.
    """

    gates_x: Tensor
    weight_hh: Tensor | None
    initial: tuple[Tensor, ...]
    units: tuple[Tensor | None, ...]
    streams: tuple[Tensor | None, ...]
    norms: Tensor | None


def forward(cell: Surrounded, given: Given, keep: bool, watched: bool = False) -> tuple[Ran, Kept | None]:
    """Run a cell over all steps.

    Args:
        cell: its program with its surroundings.
        given: what it is run with, `prepared`.
        keep: keep what `backward` needs.
        watched: give all states and the gates' values, not the first state alone.
    """
    code = lower_forward(cell, keep, watched)
    steps, rows, _ = given.gates_x.shape
    size = given.initial[0].shape[-1]
    like, ragged = given.gates_x, given.lengths is not None
    buffers, after = [], []
    for state, initial in enumerate(given.initial):
        if state and not (keep or watched):
            after.append(empty(like, 2, rows, size))
            continue
        buffer = empty(like, steps + keep, rows, size)
        if ragged:
            buffer.zero_()
        if keep:
            buffer[-1 if given.reverse else 0] = initial
        buffers.append(buffer)
        after.append(buffer[:steps] if given.reverse or not keep else buffer[1:])
    values = None
    if keep:
        values = empty(like, steps, rows, sum(each.kind == "kept" for each in code.memory), size)
        if ragged:
            values.zero_()
    gates = empty(like, steps, rows, len(cell.gate_values) * size) if watched else None
    if gates is not None and ragged:
        gates.zero_()
    final = tuple(empty(like, rows, size) for _ in given.initial)

    def place(memory: Memory) -> tuple[Any, ...]:
        kind, index = memory.kind, memory.index
        if kind in ("before", "after"):
            return _state(given, memory, after[index], turns=index > 0 and not (keep or watched))
        if kind == "kept":
            assert values is not None
            return _column(values, index, size)
        if kind == "gate":
            assert gates is not None
            return _column(gates, index, size)
        return _given(given, memory, size)

    states = [
        (at, initial.data_ptr(), last.data_ptr())
        for at, initial, last in zip(code.ends, given.initial, final, strict=True)
    ]
    _run(cell, code, given, place, states, sums=(), backward=False)
    ran = Ran(tuple(after if watched else after[:1]), final, gates)
    return ran, None if values is None else Kept(tuple(buffers), values)


def backward(
    cell: Surrounded,
    given: Given,
    kept: Kept,
    grads: Sequence[Tensor | None],
    watched: bool,
    needs_weight: bool,
    needs_units: Sequence[bool],
    norms: bool,
) -> Over:
    """The gradients of what a cell was run with, from those of what came of it.

    Args:
        cell: its program with its surroundings.
        given: what it was run with.
        kept: by `forward`.
        grads: of the states after every step, of those at the end, of the gates' values: of the first state
            and of those at the end where nothing was watched.
        watched: as `forward` was told.
        needs_weight: the matrices' gradient is asked for.
        needs_units: the same of each vector of units.
        norms: those of dL/dh_t are.
    """
    gradient, code = differentiate(cell, watched), lower_backward(cell, norms, watched)
    steps, rows, wide = given.gates_x.shape
    size = given.initial[0].shape[-1]
    like, ragged = given.gates_x, given.lengths is not None
    make = like.new_zeros if ragged else (lambda *shape: empty(like, *shape))
    after = [buffer[:-1] if given.reverse else buffer[1:] for buffer in kept.states]
    count = len(given.initial)
    seen = count if watched else 1
    nothing = like.new_zeros(()).expand(steps, rows, size)
    grad_states = [nothing if grad is None else _readable(grad) for grad in grads[:seen]]
    grad_final = grads[seen : seen + count]
    grad_gates = grads[-1].contiguous() if watched and grads[-1] is not None else None
    carried = [like.new_zeros(2, rows, size) for _ in given.initial]
    ends = tuple(like.new_zeros(rows, size) for _ in given.initial)
    for buffer, end, grad in zip(carried, ends, grad_final, strict=True):
        if grad is None:
            continue
        buffer.copy_(grad)
        if given.lengths is not None:
            end.copy_(torch.where((given.lengths == 0).unsqueeze(1), grad, 0.0))
    over_product = make(steps, rows, len(gradient.order) * size)
    over_input = over_product if code.joined else make(steps, rows, wide)
    over_streams = tuple(make(steps, rows, size) if at >= 0 else None for at in gradient.over_stream)
    over_units = tuple(empty(like, size) if needed else None for needed in needs_units)
    heard = like.new_zeros(steps, rows) if norms else None

    def place(memory: Memory) -> tuple[Any, ...]:
        kind, index = memory.kind, memory.index
        if kind in ("before", "after"):
            return _state(given, memory, after[index])
        if kind == "kept":
            return _column(kept.values, index, size)
        if kind in ("carried", "passed"):
            of_kind = _LAST if kind == "carried" else _PLAIN
            return carried[index].data_ptr(), 0, rows * size, size, 1, of_kind, 1
        if kind == "given":
            return grad_states[index].data_ptr(), 0, *grad_states[index].stride(), _PLAIN, 0
        if kind == "given_gate":
            if grad_gates is None:
                return nothing.data_ptr(), 0, *nothing.stride(), _PLAIN, 0
            return _column(grad_gates, index, size)
        if kind == "over_product":
            return _column(over_product, index, size)
        if kind == "over_input":
            return _column(over_input, index, size)
        if kind == "over_stream":
            stream = over_streams[index]
            assert stream is not None
            return _column(stream, 0, size)
        if kind == "norm":
            assert heard is not None
            return heard.data_ptr(), 0, rows, 1, 1, _NUMBER, 0
        return _given(given, memory, size)

    states = [(at, 0, end.data_ptr()) for at, end in zip(code.ends, ends, strict=True)]
    _run(cell, code, given, place, states, sums=addresses(over_units), backward=True)
    over_weight = _over_weight(gradient, given, kept, over_product) if needs_weight else None
    return Over(over_input, over_weight, ends, over_units, over_streams, heard)


def _over_weight(gradient: Gradient, given: Given, kept: Kept, over_product: Tensor) -> Tensor:
    """Of the matrices: what entered each product, times what came back to it."""
    size = given.initial[0].shape[-1]
    over = torch.empty_like(given.weight_hh)
    flat, column = over_product.flatten(0, 1), 0
    for (_, products), operand in zip(gradient.groups, gradient.operands, strict=True):
        entered = _entered(given, kept, -1 - operand) if operand < 0 else kept.values[:, :, operand]
        width = len(products) * size
        part = flat[:, column : column + width].t()
        column += width
        first, last = products[0], products[-1] + 1
        if last - first == len(products):
            torch.mm(part, entered.flatten(0, 1), out=over[first * size : last * size])
            continue
        for product, own in zip(products, part.split(size), strict=True):
            torch.mm(own, entered.flatten(0, 1), out=over[product * size : (product + 1) * size])
    return over


def _entered(given: Given, kept: Kept, state: int) -> Tensor:
    """A state before every step, ``(T, B, H)``; past a row's end it means nothing."""
    buffer, initial = kept.states[state], given.initial[state]
    entered = buffer[1:] if given.reverse else buffer[:-1]
    if given.reverse and given.lengths is not None:
        entered = entered.clone()
        begun = given.lengths.nonzero().squeeze(1)
        entered[given.lengths[begun] - 1, begun] = initial[begun]
    if given.resets is not None:
        entered = torch.where(given.resets.unsqueeze(-1), initial, entered)
    return entered


def _readable(stream: Tensor) -> Tensor:
    """With units that lie side by side, or all the same."""
    return (
        stream if stream.stride(-1) in (0, 1) and not stream.is_neg() else stream.resolve_neg().contiguous()
    )


def _column(of: Tensor, index: int, size: int) -> tuple[int, ...]:
    """The index-th ``H`` of a contiguous ``(T, B, ...)``."""
    step, row = of.stride()[:2]
    return of.data_ptr() + index * size * of.element_size(), 0, step, row, 1, _PLAIN, 0


def _state(given: Given, memory: Memory, after: Tensor, turns: bool = False) -> tuple[int, ...]:
    """A state before or after the step, of those ``after`` every step; ``turns``: of two steps in turns."""
    initial = given.initial[memory.index]
    before, (rows, size) = memory.kind == "before", initial.shape
    of_kind = _BEFORE if before else _PLAIN
    return after.data_ptr(), initial.data_ptr() if before else 0, rows * size, size, 1, of_kind, turns


def _given(given: Given, memory: Memory, size: int) -> tuple[int, ...]:
    if memory.kind == "input":
        return _column(given.gates_x, memory.index, size)
    stream = given.streams[memory.index]
    return stream.data_ptr(), 0, *stream.stride(), _PLAIN, 0


def prepared(given: Given) -> Given:
    """The same with every tensor as the library reads it."""
    return given._replace(
        gates_x=given.gates_x.contiguous(),
        weight_hh=given.weight_hh.contiguous(),
        initial=tuple(each.contiguous() for each in given.initial),
        units=tuple(each.contiguous() for each in given.units),
        streams=tuple(_readable(each) for each in given.streams),
        lengths=None if given.lengths is None else given.lengths.contiguous(),
        resets=None if given.resets is None else given.resets.contiguous(),
    )


def _run(
    cell: Surrounded,
    code: Code,
    given: Given,
    place: Any,
    states: Sequence[tuple[int, ...]],
    sums: Sequence[int],
    backward: bool,
) -> None:
    chosen = library()
    assert chosen is not None
    steps, rows, _ = given.gates_x.shape
    extent = steps, rows, torch.get_num_threads()
    record = _record(cell, code, given, extent, place, states, sums, backward, (0, 0, 0, 0))
    failed = chosen.functions["program"](record.data)
    if failed == 1:
        raise MemoryError("no memory to run a cell.")
    if failed:
        raise RuntimeError(f"the library does not know the code of the cell {cell.program.name!r}.")


class _Record(NamedTuple):
    """``ProgramRecord``, and what it holds addresses of."""

    data: bytes
    kept: tuple[Any, ...]


def _record(
    cell: Surrounded,
    code: Code,
    given: Given,
    extent: tuple[int, int, int],
    place: Any,
    states: Sequence[tuple[int, ...]],
    sums: Sequence[int],
    backward: bool,
    entrance: tuple[int, ...],
) -> _Record:
    """``extent``: steps, rows, threads; ``entrance``: what makes the input's share, or zeros."""
    steps, rows, threads = extent
    size, dtype = given.initial[0].shape[-1], given.initial[0].dtype
    # One array for all that the record names: taking an address costs as much as a dozen numbers.
    units, numbers = addresses(given.units), []
    for each in code.memory:
        numbers += place(each)
    ends = [number for each in states for number in each]
    all_of_them = *units, *numbers, *sums, *ends
    named = struct.pack(f"{len(all_of_them)}q", *all_of_them)
    unit = _address(named)
    memory = unit + 8 * len(units)
    out = memory + 8 * len(numbers)
    end = out + 8 * len(sums)
    lengths, resets = addresses((given.lengths, given.resets))
    sizes, gates, text, constants = _addresses_of(code)
    data = _RECORD.pack(
        *(steps, rows, size, given.reverse, backward, threads, dtype is torch.float64),
        *(EPSILON, given.bound),
        *(lengths, resets, given.weight_hh.data_ptr(), len(cell.program.products), code.groups),
        *(sizes, gates, text),
        *(len(code.numbers) // 8, code.scratch, len(units), len(code.constants) // 8, code.rows),
        *(len(code.memory), len(sums), len(states)),
        *(unit, constants, memory, out, end),
        *entrance,
    )
    return _Record(data, (given, code, named))


@lru_cache(maxsize=1024)
def _addresses_of(code: Code) -> tuple[int, int, int, int]:
    """Where the parts of a code lie; they do not move, and what is looked up here stays."""
    parts = code.group_sizes, code.group_gates, code.numbers, code.constants
    sizes, gates, numbers, constants = map(_address, parts)
    return sizes, gates, numbers, constants


class Stepper:
    """A cell that takes one step after the other, its weights packed once.

    Args:
        chosen: the library to call.
        cell: its program with its surroundings, of which nothing changes from step to step.
        given: what it is run with, copied but for the initial states, which change in place and must be
            contiguous; ``gates_x`` is not read.
        weight_ih: ``(inputs * H, I)``.
        bias_ih: ``(inputs * H,)``, or None.
    """

    def __init__(
        self, chosen: Library, cell: Surrounded, given: Given, weight_ih: Tensor, bias_ih: Tensor | None
    ) -> None:
        code = lower_forward(cell, False)
        given = prepared(
            given._replace(
                weight_hh=given.weight_hh.clone(), units=tuple(unit.clone() for unit in given.units)
            )
        )
        weight_ih = weight_ih.clone().contiguous()
        bias_ih = None if bias_ih is None else bias_ih.clone()
        rows, size = given.initial[0].shape
        after = [torch.empty_like(initial) for initial in given.initial]

        def place(memory: Memory) -> tuple[int, ...]:
            kind, index = memory.kind, memory.index
            if kind in ("before", "after"):
                return _state(given, memory, after[index])
            if kind == "input":
                return 0, 0, 0, index, 1, _SHARE, 0
            return _given(given, memory, size)

        states = [
            (at, initial.data_ptr(), initial.data_ptr())
            for at, initial in zip(code.ends, given.initial, strict=True)
        ]
        inputs = len(cell.program.inputs)
        weight, bias = addresses((weight_ih, bias_ih))
        self._record = _record(
            cell,
            code,
            given,
            (1, rows, 1),
            place,
            states,
            (),
            False,
            (inputs, weight_ih.shape[1], weight, bias),
        )
        self._kept = after, weight_ih, bias_ih
        self._end = chosen.functions["stepper_end"]
        self._handle = chosen.functions["stepper"](self._record.data)
        if not self._handle:
            raise MemoryError(f"no memory for a step of the cell {cell.program.name!r}.")
        self.step = partial(chosen.functions["stepper_step"], self._handle)
        """Takes the addresses of the input, ``(B, I)``, and of where the first state is copied to, or 0."""

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._end(self._handle)


def _address(buffer: bytes) -> int:
    # The bytes stay where they are as long as their name does, which is until the call has come back.
    return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value or 0
