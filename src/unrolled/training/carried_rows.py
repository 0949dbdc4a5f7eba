"""The rows of what is carried from batch to batch, put together and dealt out anew among processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.layers.state import State, map_state
from unrolled.training.bptt import Carry, Past


def joined(carries: Sequence[Carry]) -> Carry:
    """What several processes carry, as one whose rows are those of the first, then of the second, and so on.

    A window that some hold and others do not, for theirs were longer, is left out.

    Example:
        >>> one, two = Carry(torch.zeros(1, 2, 3)), Carry(torch.ones(1, 1, 3))
        >>> joined([one, two]).state[0, :, 0].tolist()
        [0.0, 0.0, 1.0]
    """
    held = min(len(each.past) for each in carries)
    windows = zip(*(each.past[len(each.past) - held :] for each in carries), strict=True)
    return Carry(_join([each.state for each in carries]), tuple(map(_joined_past, windows)))


def share_of(carry: Carry, rank: int, count: int) -> Carry:
    """The part of one of several processes that have equal numbers of rows.

    Example:
        >>> share_of(Carry(torch.arange(4.0).view(1, 4, 1)), 1, 2).state.flatten().tolist()
        [2.0, 3.0]
    """

    def own(rows: int) -> slice:
        return slice(rank * rows // count, (rank + 1) * rows // count)

    def part(state: State | None) -> State | None:
        if state is None:
            return None
        return map_state(lambda tensor: tensor[:, own(tensor.shape[1])].contiguous(), state)

    def windows(batch: Batch) -> Batch:
        rows = own(batch.size)
        return replace(
            batch,
            inputs={name: tensor[rows] for name, tensor in batch.inputs.items()},
            lengths=batch.lengths[rows],
            targets=batch.targets[rows],
            starts=None if batch.starts is None else batch.starts[rows],
        )

    past = tuple(Past(windows(each.window), part(each.state)) for each in carry.past)
    return Carry(part(carry.state), past)


def _joined_past(windows: Sequence[Past]) -> Past:
    batches = [each.window for each in windows]
    first, time = batches[0], max(batch.time for batch in batches)

    def together(read: Callable[[Batch], Tensor], *, per_step: bool) -> Tensor:
        return torch.cat([_padded(read(batch), time) if per_step else read(batch) for batch in batches])

    starts = [batch.starts for batch in batches if batch.starts is not None]
    return Past(
        Batch(
            inputs={
                name: together(lambda batch, name=name: batch.inputs[name], per_step=True)
                for name in first.inputs
            },
            lengths=together(lambda batch: batch.lengths, per_step=False),
            targets=together(lambda batch: batch.targets, per_step=first.targets_per_step),
            targets_per_step=first.targets_per_step,
            starts=torch.cat(starts) if len(starts) == len(batches) else None,
        ),
        _join([each.state for each in windows]),
    )


def _padded(tensor: Tensor, time: int) -> Tensor:
    """``(batch, time, ...)`` with zeros up to ``time``."""
    return functional.pad(tensor, (*(0, 0) * (tensor.dim() - 2), 0, time - tensor.shape[1]))


def _join(states: Sequence[State | None]) -> State | None:
    """States side by side; None where one of them is: all of them begin then."""
    if any(state is None for state in states):
        return None
    first = states[0]
    if isinstance(first, tuple):
        parts = zip(*(state for state in states if isinstance(state, tuple)), strict=True)
        return tuple(part for each in parts if (part := _join(each)) is not None)
    return torch.cat([state for state in states if isinstance(state, Tensor)], 1)
