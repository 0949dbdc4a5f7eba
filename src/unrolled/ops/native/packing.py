"""Where the steps of a ragged batch lie when its padding is left out.

Legend: ``T`` steps, ``B`` rows, ``N`` real steps of all rows together, ``H`` hidden units.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Packing(NamedTuple):
    """The real steps one time step after the other, within one the longest row first.

    Attributes:
        lengths: real steps of each row, ``(B,)`` int64.
        offsets: where each time step begins, ``(T,)`` int64.
        ranks: the place of each row within a time step, ``(B,)`` int64.
        real: the place of each real step in the padded batch, ``t * B + b``, ``(N,)`` int64.
    """

    lengths: Tensor
    offsets: Tensor
    ranks: Tensor
    real: Tensor

    def take(self, padded: Tensor) -> Tensor:
        """``(T, B, ...)`` without padding: ``(N, ...)``."""
        return padded.flatten(0, 1).index_select(0, self.real)

    def spread(self, packed: Tensor, steps: int) -> Tensor:
        """``(N, ...)`` as ``(T, B, ...)``, zero in the padding."""
        rows, rest = len(self.ranks), packed.shape[1:]
        return (
            packed.new_zeros(steps * rows, *rest)
            .index_copy_(0, self.real, packed)
            .unflatten(0, (steps, rows))
        )

    def entered(self, states: Tensor, reverse: bool) -> tuple[Tensor, int]:
        """The states that entered the recurrent product at each step, but for the initial ones.

        Args:
            states: the state after every step, ``(T * B, H)``, zero past each row's end.
            reverse: the scan ran backwards in time.

        Returns:
            The states, and the step without padding that the first of them belongs to.
        """
        rows = len(self.ranks)
        if reverse:
            # A row's own last step comes first; there the state after it, past the row's end, is zero.
            return states.index_select(0, self.real[: int(self.offsets[-1])] + rows), 0
        first = len(self.real) if len(self.offsets) == 1 else int(self.offsets[1])
        return states.index_select(0, self.real[first:] - rows), first

    def first(self, packed: Tensor, initial: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
        """Of ``(N, ...)`` each row's first step, and its initial state; without the rows that have no step.

        Args:
            packed: values of the steps.
            initial: the state before the first, ``(B, H)``.
            reverse: a row's first step is its last in time.
        """
        begun = self.lengths.nonzero().squeeze(1)
        start = (self.lengths[begun] - 1) if reverse else torch.zeros_like(begun)
        places = self.offsets[start] + self.ranks[begun]
        return packed.index_select(0, places), initial.index_select(0, begun)


def packing(lengths: Tensor, steps: int) -> Packing:
    """Lay out a batch.

    Args:
        lengths: real steps of each row, ``(B,)`` int64, between 0 and ``steps``.
        steps: ``T``.

    Example:
        >>> packing(torch.tensor([1, 2]), 2).real
        tensor([1, 0, 3])
    """
    descending, order = lengths.sort(descending=True, stable=True)
    at = torch.arange(steps).unsqueeze(1)
    running = descending > at
    counts = running.sum(1)
    ranks = torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))
    return Packing(lengths, counts.cumsum(0) - counts, ranks, (at * len(order) + order)[running])
