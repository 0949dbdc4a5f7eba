"""Everything a recurrent layer accepts as a batch of sequences, brought to one form and back.

Legend: ``T`` steps, ``B`` rows, ``I`` features.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.errors import ShapeError
from unrolled.layers.state import State, map_state
from unrolled.ops.scan import real_steps, zero_padding

Lengths: TypeAlias = Tensor | Sequence[int] | int
"""The real steps of each row; of a single sequence a number."""


class Arranged(NamedTuple):
    """A batch in the one form the recurrences take, and the way back to the form it came in.

    Attributes:
        values: ``(T, B, I)``; past each row's end they may be anything.
        lengths: ``(B,)`` int64 on the device of ``values``, or None where every row is full.
        batched: False for a single sequence without a batch dimension.
        batch_first: the batch came as ``(B, T, I)``.
        packed: the packed sequence it came as.
        resets: ``(T, B)`` bool, the steps at which a row begins anew, or None where none does.
    """

    values: Tensor
    lengths: Tensor | None
    batched: bool
    batch_first: bool
    packed: PackedSequence | None
    resets: Tensor | None = None

    def resets_of(self, reverse: bool) -> Tensor | None:
        """The steps before which a scan's state is the initial one.

        What begins at a step ends, for who reads from the end, at the one before.
        """
        if self.resets is None or not reverse:
            return self.resets
        return torch.cat([self.resets[1:], self.resets.new_zeros(1, self.resets.shape[1])])

    def enter(self, values: Tensor) -> Tensor:
        """``values`` in the caller's layout, seen time-major with a batch dimension."""
        if not self.batched:
            return values.unsqueeze(1)
        return values.transpose(0, 1) if self.batch_first else values

    def leave(self, values: Tensor) -> Tensor:
        """``values`` ``(T, B, ...)`` in the layout the caller uses."""
        if not self.batched:
            return values.squeeze(1)
        return values.transpose(0, 1) if self.batch_first else values

    def enter_state(self, state: State | None) -> State | None:
        """A state in the caller's layout, with a batch dimension."""
        if state is None or self.batched:
            return state
        return map_state(lambda part: part.unsqueeze(1), state)

    def leave_state(self, state: State) -> State:
        """The state of a batch in the layout the caller uses."""
        return state if self.batched else map_state(lambda part: part.squeeze(1), state)

    def without_padding(self) -> Tensor:
        """The values with zeros past each row's end."""
        return zero_padding(self.values, real_steps(self.lengths, len(self.values)))

    def pack(self, values: Tensor) -> PackedSequence:
        """``values`` ``(T, B, ...)`` packed in the same order as the input was."""
        assert self.packed is not None
        assert self.lengths is not None
        order, lengths = self.packed.sorted_indices, self.lengths.cpu()
        if order is not None:
            values, lengths = values.index_select(1, order), lengths[order.cpu()]
        data = pack_padded_sequence(values, lengths).data
        return PackedSequence(data, self.packed.batch_sizes, order, self.packed.unsorted_indices)


def arrange(
    inputs: Tensor | PackedSequence,
    lengths: Lengths | None,
    batch_first: bool,
    input_size: int,
    resets: Tensor | None = None,
) -> Arranged:
    """Check a batch of sequences and bring it to one form.

    Args:
        inputs: ``(T, B, I)``, with ``batch_first`` ``(B, T, I)``; ``(T, I)`` for one sequence; or packed.
        lengths: real steps of each row, ``(B,)``, any order, zero allowed; a scalar for one sequence.
            A tensor, a list or a number.
        batch_first: which layout a batch has.
        input_size: the number of features expected.
        resets: bool, laid out as the inputs without their features: the steps at which a row begins anew.

    Raises:
        ShapeError: dimensions, features, lengths or resets do not fit.
    """
    packed = None
    if isinstance(inputs, PackedSequence):
        if lengths is not None:
            raise ShapeError("a packed sequence holds its own lengths: expected lengths=None, got a tensor.")
        if resets is not None:
            raise ShapeError(
                "a packed sequence knows no resets: expected a padded tensor with lengths beside it."
            )
        packed, batch_first = inputs, False
        inputs, lengths = pad_packed_sequence(packed)
    shape = inputs.shape
    if len(shape) not in (2, 3):
        raise ShapeError(f"expected inputs of 3 dimensions, or 2 for a single sequence, got {tuple(shape)}.")
    if shape[-1] != input_size:
        raise ShapeError(
            f"expected inputs with input_size={input_size} features in the last dimension, "
            f"got {tuple(shape)}."
        )
    batched = len(shape) == 3
    if not batched:
        inputs = inputs.unsqueeze(1)
    elif batch_first:
        inputs = inputs.transpose(0, 1)
    if shape[1 if batched and batch_first else 0] == 0:
        raise ShapeError("expected inputs of at least one time step, got none; skip an empty batch.")
    if lengths is not None:
        if not isinstance(lengths, Tensor):
            try:
                lengths = torch.as_tensor(lengths, device=inputs.device)
            except (TypeError, ValueError, RuntimeError) as error:
                raise ShapeError(f"expected lengths of whole numbers, got {lengths!r}.") from error
        lengths = lengths if batched else lengths.reshape(-1)
        lengths = _checked_lengths(lengths, *inputs.shape[:2]).to(inputs.device)
    if resets is not None:
        resets = _checked_resets(resets, shape)
        resets = resets.unsqueeze(1) if not batched else resets.t() if batch_first else resets
    return Arranged(inputs, lengths, batched, batch_first, packed, resets)


def _checked_resets(resets: Tensor, shape: torch.Size) -> Tensor:
    if not isinstance(resets, Tensor) or resets.dtype is not torch.bool or resets.shape != shape[:-1]:
        got = f"{tuple(resets.shape)}, {resets.dtype}" if isinstance(resets, Tensor) else repr(resets)
        raise ShapeError(f"expected resets of shape {tuple(shape[:-1])}, torch.bool, got {got}.")
    return resets


def _checked_lengths(lengths: Tensor, steps: int, rows: int) -> Tensor:
    if lengths.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
        raise ShapeError(f"expected lengths of whole numbers (torch.int64), got {lengths.dtype}.")
    if lengths.shape != (rows,):
        raise ShapeError(
            f"expected one length for each of the {rows} rows, shape {(rows,)}, got {tuple(lengths.shape)}."
        )
    # Values cannot be read while a graph is being traced; there they are taken on trust.
    if rows and not torch.compiler.is_compiling() and (lengths.min() < 0 or lengths.max() > steps):
        raise ShapeError(
            f"expected lengths between 0 and the {steps} time steps of the inputs, "
            f"got {int(lengths.min())} to {int(lengths.max())}."
        )
    return lengths.long()


def check_type(values: Tensor, weight: Tensor) -> None:
    """Refuse an input that is not of its weights' type, unless autocast brings them to one."""
    if values.dtype is not weight.dtype and not torch.is_autocast_enabled(values.device.type):
        raise ShapeError(
            f"expected inputs of the weights' type {weight.dtype}, got {values.dtype}; "
            f"convert either with .to({weight.dtype})."
        )
