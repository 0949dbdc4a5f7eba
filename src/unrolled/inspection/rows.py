"""The rows of several batches together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import Batch


def together(batches: Sequence[Batch]) -> Batch:
    """The rows of several batches in one, padded to the longest; each starts a new sequence.

    Example:
        >>> short, long = (
        ...     Batch({"values": torch.ones(1, time, 1)}, torch.tensor([time]), torch.zeros(1), False)
        ...     for time in (2, 3)
        ... )
        >>> together([short, long]).inputs["values"][..., 0].tolist()
        [[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    """
    first = batches[0]
    own = [each.target_lengths for each in batches if each.target_lengths is not None]
    return replace(
        first,
        inputs={name: _stacked([each.inputs[name] for each in batches]) for name in first.inputs},
        lengths=torch.cat([each.lengths for each in batches]),
        targets=_stacked([each.targets for each in batches]),
        starts=None,
        target_lengths=torch.cat(own) if own else None,
    )


def continued(batches: Iterator[Batch], longest: int) -> Batch:
    """The next batch, whose rows go on through the batches after it where these continue them.

    Args:
        batches: of whole sequences, or of a stream in windows.
        longest: steps after which no more windows are put behind one another.

    Example:
        >>> about = torch.tensor([2]), torch.zeros(1, 2), True
        >>> windows = [
        ...     Batch({"tokens": torch.full((1, 2), number)}, *about, torch.tensor([number == 0]))
        ...     for number in (0, 1)
        ... ]
        >>> continued(iter(windows), 100).inputs["tokens"].tolist()
        [[0, 0, 1, 1]]
    """
    first = next(batches)
    if first.starts is None:
        return first
    parts, lengths, time = [first], first.lengths.clone(), first.time
    unbroken = first.lengths == first.time
    while time < longest and unbroken.any():
        batch = next(batches, None)
        if batch is None or batch.starts is None:
            break
        unbroken = unbroken & ~batch.starts
        lengths += torch.where(unbroken, batch.lengths, 0)
        unbroken = unbroken & (batch.lengths == batch.time)
        parts.append(batch)
        time += batch.time
    return replace(
        first,
        inputs={name: torch.cat([part.inputs[name] for part in parts], 1) for name in first.inputs},
        lengths=lengths,
        targets=torch.cat([part.targets for part in parts], 1) if first.targets_per_step else first.targets,
    )


def _stacked(parts: list[Tensor]) -> Tensor:
    sizes = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    return torch.cat([_padded(part, sizes) for part in parts])


def _padded(part: Tensor, sizes: list[int]) -> Tensor:
    missing = [(0, size - own) for size, own in zip(sizes, part.shape[1:], strict=True)]
    # functional.pad counts dimensions from the last.
    return functional.pad(part, [edge for pair in reversed(missing) for edge in pair])
