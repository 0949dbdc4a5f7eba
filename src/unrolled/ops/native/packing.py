"""Where the steps of a ragged batch lie when its padding is left out.

Legend: ``T`` steps, ``B`` rows, ``N`` real steps of all rows together, ``H`` hidden units.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from unrolled.ops.native.library import addresses, library
from unrolled.ops.native.memory import empty


class Packing(NamedTuple):
    """The real steps one time step after the other, within one those of one thread's rows after another's.

    Attributes:
        lengths: real steps of each row, ``(B,)`` int64.
        offsets: where each thread's rows begin within each time step, ``(T, threads)`` int64.
        ranks: the place of each row among those of its thread, the longest first, ``(B,)`` int64.
        threads: the thread of each row, ``(B,)`` int64.
        real: the place of each real step in the padded batch, ``t * B + b``, ``(N,)`` int64.
        places: the other way round: of each step of the padded batch, -1 for padding, ``(T * B,)`` int64.
    """

    lengths: Tensor
    offsets: Tensor
    ranks: Tensor
    threads: Tensor
    real: Tensor
    places: Tensor

    def record(self) -> tuple[Any, ...]:
        """``Ragged`` of csrc/arguments.h."""
        places = self.offsets, self.ranks, self.threads, self.offsets.shape[1]
        return self.lengths, *places, len(self.real)

    def take(self, padded: Tensor) -> Tensor:
        """``(T, B, I)`` without padding: ``(N, I)``."""
        flat = padded.flatten(0, 1).contiguous()
        return _rows(flat, self.real, 0, empty(flat, len(self.real), flat.shape[1]))

    def spread(self, packed: Tensor) -> Tensor:
        """``(N, I)`` as ``(T, B, I)``, zero in the padding."""
        steps, rows = len(self.offsets), len(self.ranks)
        padded = empty(packed, steps, rows, packed.shape[1])
        return _rows(packed, self.places, 0, padded)

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
            first, of, shift = 0, self.real[: int(self.offsets[-1, 0])], rows
        else:
            first = len(self.real) if len(self.offsets) == 1 else int(self.offsets[1, 0])
            of, shift = self.real[first:], -rows
        return _rows(states.contiguous(), of, shift, empty(states, len(of), states.shape[1])), first

    def first(self, packed: Tensor, initial: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
        """Of ``(N, ...)`` each row's first step, and its initial state; without the rows that have no step.

        Args:
            packed: values of the steps.
            initial: the state before the first, ``(B, H)``.
            reverse: a row's first step is its last in time.
        """
        begun = self.lengths.nonzero().squeeze(1)
        start = (self.lengths[begun] - 1) if reverse else torch.zeros_like(begun)
        places = self.offsets[start, self.threads[begun]] + self.ranks[begun]
        return packed.index_select(0, places), initial.index_select(0, begun)


def packing(lengths: Tensor, steps: int) -> Packing:
    """Lay out a batch, where there is a library.

    Args:
        lengths: real steps of each row, ``(B,)`` int64, between 0 and ``steps``.
        steps: ``T``.

    Example:
        >>> packing(torch.tensor([1, 2]), 2).real
        tensor([1, 0, 3])
    """
    chosen = library()
    assert chosen is not None
    lengths = lengths.contiguous()
    rows, threads = len(lengths), torch.get_num_threads()
    offsets = lengths.new_empty(steps, threads)
    ranks, threads_of = lengths.new_empty(2, rows).unbind(0)
    real, places = lengths.new_empty(2, steps * rows).unbind(0)
    filled = addresses((offsets, ranks, threads_of, real, places))
    count = chosen.functions["lay_out"](lengths.data_ptr(), steps, rows, threads, *filled)
    if count < 0:
        raise MemoryError("no memory to lay out a ragged batch.")
    return Packing(lengths, offsets, ranks, threads_of, real[:count], places)


def _rows(source: Tensor, index: Tensor, shift: int, out: Tensor) -> Tensor:
    """Fill ``out`` with the rows ``index + shift`` of ``source``, zeros where an index is negative."""
    chosen = library()
    assert chosen is not None
    count, size = out.numel() // out.shape[-1], out.shape[-1] * out.element_size()
    chosen.functions["copy_rows"](
        source.data_ptr(), index.data_ptr(), shift, count, size, out.data_ptr(), torch.get_num_threads()
    )
    return out
