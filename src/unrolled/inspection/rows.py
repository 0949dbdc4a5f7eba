"""The rows of several batches together."""

from __future__ import annotations

from collections.abc import Sequence
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


def _stacked(parts: list[Tensor]) -> Tensor:
    sizes = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    return torch.cat([_padded(part, sizes) for part in parts])


def _padded(part: Tensor, sizes: list[int]) -> Tensor:
    missing = [(0, size - own) for size, own in zip(sizes, part.shape[1:], strict=True)]
    # functional.pad counts dimensions from the last.
    return functional.pad(part, [edge for pair in reversed(missing) for edge in pair])
