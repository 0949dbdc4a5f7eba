"""A network, or several as one, where they fit into memory."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.models.ensemble import Average, Ensemble

_COPIES = 3
"""What the network that learns needs beside its weights: their gradients, and two averages of those."""


def built_together(count: int, build: Callable[[int], SequenceModel], average: Average) -> SequenceModel:
    """One network, or several as one.

    Args:
        count: how many.
        build: makes the one with this number.
        average: see `Ensemble`.

    Raises:
        ConfigError: so many do not fit into memory.
    """
    first = build(0)
    if count == 1:
        return first
    _require_memory(count, first)
    return Ensemble([first, *(build(number) for number in range(1, count))], average)


def _require_memory(count: int, first: nn.Module) -> None:
    import psutil

    size = sum(weight.numel() * weight.element_size() for weight in first.parameters())
    needed, free = (count + _COPIES) * size, psutil.virtual_memory().available
    if needed > free:
        raise ConfigError(
            f"ensemble: expected networks that fit into the {free / 2**30:.1f} GiB of memory that are free, "
            f"got {count} of {size / 2**20:,.1f} MiB, which need {needed / 2**30:.1f} GiB"
        )
