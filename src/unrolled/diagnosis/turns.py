"""Calls of a module that hand on their state, as one sequence.

What a call returns is marked in the graph, so that the call which takes it up finds it, whatever was done to
the state in between: masked, normalised, mixed with something else.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from unrolled.errors import ConfigError

_MARKS = "unrolled.diagnosis.turns"
_FARTHEST = 512
"""Nodes of the graph that a state is followed over, from where it is taken up to where it was returned."""

current_pass = torch._C._current_graph_task_id
"""The number of the backward pass that runs; -1 where none does."""


class Turn:
    """One call of a module, and its place in a sequence of them.

    It holds nothing of the graph, which leads to it.

    Attributes:
        chain: the sequence.
        index: how many calls of the sequence came before.
        later: the call that took up its state; None: nobody did yet.
        steps, rows, lengths: of what it read; a call of a cell reads one step.
    """

    def __init__(self, chain: Chain, index: int = 0) -> None:
        self.chain, self.index = chain, index
        self.later: Turn | None = None
        self.steps, self.rows, self.lengths = 1, 0, None
        self._record: Record | None = None
        chain.length = max(chain.length, index + 1)

    steps: int
    lengths: Tensor | None

    def next(self) -> Turn:
        """A call that takes up its state."""
        self.later = Turn(self.chain, self.index + 1)
        return self.later

    def record(self) -> Record:
        """What the backward pass that runs has said of it so far."""
        running = current_pass()
        if self._record is None or self._record.running != running:
            self._record = Record(running)
        return self._record

    def steps_after(self) -> Tensor | int:
        """The steps after this call, of all rows or of each, ``(B,)``."""
        total: Tensor | int = 0
        call = self.later
        while call is not None:
            own = call.steps if call.lengths is None else call.lengths.cpu()
            apart = isinstance(own, Tensor) and isinstance(total, Tensor) and own.shape != total.shape
            # Rows that are not the same ones cannot be told apart any more.
            total = int(max(total)) + int(max(own)) if apart else total + own  # type: ignore[arg-type]
            call = call.later
        return total


class Chain:
    """Calls that hand on their state.

    Attributes:
        look: how closely they are looked at, all alike.
        length: how many there are so far.
    """

    def __init__(self, look: Any) -> None:
        self.look = look
        self.length = 0


class Record:
    """What one backward pass says of the borders of a call; of the first rows alone.

    Attributes:
        running: the number of the pass.
        final: the gradient with respect to each part of the state that the call returned.
        arrived: what the call after it sent back of it.
        leaving: the norm of the error of the whole state that set out from its first step, ``(rows,)``, for
            each recurrence.
    """

    def __init__(self, running: int) -> None:
        self.running = running
        self.final: dict[int, Tensor] = {}
        self.arrived: dict[int, Tensor] = {}
        self.leaving: dict[str, Tensor] = {}


class Source(NamedTuple):
    """A part of the state that a call returned, as the graph knows it."""

    turn: Turn
    part: int
    edge: GradientEdge


class Origin(NamedTuple):
    """Where a state comes from.

    Attributes:
        turn: the latest call that it comes from.
        sources: every part of a call's state that is in it.
        unchanged: it was handed on as it had been returned.
    """

    turn: Turn
    sources: tuple[Source, ...]
    unchanged: bool


def mark(key: Hashable, parts: Sequence[Tensor], turn: Turn) -> None:
    """Note in the graph that a call returned a state.

    Args:
        key: of the module and of who watches it.
        parts: the state.
        turn: the call.
    """
    for part, tensor in enumerate(parts):
        if tensor.grad_fn is not None:
            metadata: Any = tensor.grad_fn.metadata
            marks = metadata.setdefault(_MARKS, {})
            marks[key, tensor.output_nr] = turn, part


def origin(key: Hashable, parts: Sequence[Tensor]) -> Origin | None:
    """Find the calls that a state comes from; None: it begins a sequence.

    Args:
        key: as it was given to `mark`.
        parts: the state.
    """
    reached: list[tuple[Any, int]] = [
        (tensor.grad_fn, tensor.output_nr) for tensor in parts if tensor.grad_fn is not None
    ]
    if not reached:
        return None
    found: list[Source] = []
    unchanged = len(reached) == sum(tensor.requires_grad for tensor in parts)
    seen = set(reached)
    followed = 0
    while reached and followed < _FARTHEST:
        further = []
        for node, number in reached:
            turn, part = node.metadata.get(_MARKS, {}).get((key, number), (None, 0))
            if turn is not None:
                found.append(Source(turn, part, GradientEdge(node, number)))
                continue
            unchanged = False
            followed += 1
            further += [edge for edge in node.next_functions if edge[0] is not None and edge not in seen]
            seen.update(further)
        reached = list(dict.fromkeys(further))
    if not found:
        return None
    latest = max((source.turn for source in found), key=lambda turn: turn.index)
    return Origin(latest, tuple(found), unchanged and len({source.turn for source in found}) == 1)


def parts_of(state: Any) -> list[Tensor]:
    """The tensors of a state, which is one or a nested tuple, list or dict of them; None has none.

    Raises:
        ConfigError: it is something else.
    """
    if state is None:
        return []
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, dict):
        return parts_of(tuple(state.values()))
    if isinstance(state, tuple | list):
        return [tensor for part in state for tensor in parts_of(part)]
    raise ConfigError(
        "expected a state that is a tensor or a tuple, list or dict of tensors, got a "
        f"{type(state).__name__}."
    )


def with_parts(state: Any, parts: Sequence[Tensor]) -> Any:
    """A state nested alike, of other tensors.

    Example:
        >>> with_parts(("h", ["c"]), [1, 2])
        (1, [2])
    """
    return _rebuilt(state, iter(parts))


def _rebuilt(state: Any, parts: Any) -> Any:
    if isinstance(state, dict):
        return type(state)((name, _rebuilt(each, parts)) for name, each in state.items())
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(_rebuilt(each, parts) for each in state))
    if isinstance(state, tuple | list):
        return type(state)(_rebuilt(each, parts) for each in state)
    return None if state is None else next(parts)
