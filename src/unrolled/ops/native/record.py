"""What the cells' kernels have in common: the cases covered, the record, the products over all steps.

A kernel is called with a record of 8-byte fields, sizes, strides and addresses, in the order of
``csrc/arguments.h``. An absent tensor is address 0. What is checked here is what keeps the library inside
the arrays it is given.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``G`` gates.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unrolled.ops.layer_norm import EPSILON
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import addresses, as_numbers, library
from unrolled.ops.native.matmul import matmul
from unrolled.ops.precision import terms
from unrolled.ops.scan import previous_states, real_steps


def covered(
    like: Tensor,
    lengths: Tensor | None,
    exact: Sequence[tuple[Tensor | None, tuple[int, ...]]],
    spread: Sequence[Tensor | None],
    shape: tuple[int, ...],
    *,
    projection: bool = False,
) -> bool:
    """Whether the library computes this case; anything else is plain torch's to compute or to refuse.

    Args:
        like: a tensor whose type all must have.
        lengths: ``(B,)`` int64.
        exact: tensors with the shapes they must have.
        spread: tensors that must be broadcastable to ``shape``.
        shape: ``(T, B, H)``.
        projection: an LSTM that projects its hidden state.
    """
    dtype = like.dtype
    if obstacle(like.device.type, dtype, projection=projection) is not None:
        return False
    if 0 in shape or not lies_here(like, dtype):
        return False
    if lengths is not None and not (
        lengths.is_cpu and lengths.dtype is torch.int64 and lengths.shape == shape[1:2]
    ):
        return False
    for tensor, wanted in exact:
        if tensor is not None and (tensor.shape != wanted or not lies_here(tensor, dtype)):
            return False
    for tensor in spread:
        if tensor is not None and not broadcasts(tensor, shape, dtype):
            return False
    return library() is not None


def lies_here(tensor: Tensor, dtype: torch.dtype) -> bool:
    """Whether the values lie in memory as they are: here, of this type, not to be negated on reading."""
    return tensor.dtype is dtype and tensor.is_cpu and not tensor.is_neg()


def broadcasts(tensor: Tensor, shape: Sequence[int], dtype: torch.dtype) -> bool:
    """Whether a tensor can be seen as one of this shape and has this type."""
    pairs = zip(reversed(tensor.shape), reversed(shape), strict=False)
    fits = tensor.dim() <= len(shape) and all(size in (1, wanted) for size, wanted in pairs)
    return fits and lies_here(tensor, dtype)


def whole(*tensors: Tensor | None) -> list[Tensor | None]:
    """Each contiguous."""
    return [tensor if tensor is None or tensor.is_contiguous() else tensor.contiguous() for tensor in tensors]


def spread(shape: tuple[int, ...], *tensors: Tensor | None) -> list[Tensor | None]:
    """Each broadcast to ``shape``, the units of a row side by side or all one."""
    wide = [tensor if tensor is None or tensor.shape == shape else tensor.expand(shape) for tensor in tensors]
    return [tensor if tensor is None or tensor.stride(-1) <= 1 else tensor.contiguous() for tensor in wide]


def room(like: Tensor | None, wanted: bool = True) -> Tensor | None:
    """A tensor to be filled, of the same size and in one piece; None for None and where it is not wanted."""
    return None if like is None or not wanted else like.new_empty(like.shape)


def strided(tensor: Tensor | None) -> tuple[Any, ...]:
    """``Strided``: a tensor from `spread` and its strides; one zero seen as many counts as absent."""
    if tensor is None:
        return ABSENT
    strides = tensor.stride()
    # As a probe is: adding it would cost more than all that comes of it.
    if not any(strides) and not tensor[(0,) * len(strides)].item():
        return ABSENT
    return (tensor, *strides)


ABSENT = (None, 0, 0, 0)
"""A ``Strided`` that is not there."""
NO_INPUTS = (None, None)
"""``Inputs`` where the products over all steps are made elsewhere."""


def head(
    shape: tuple[int, ...],
    reverse: bool,
    clip_step: float,
    dtype: torch.dtype,
    activation: int = 0,
    width: int = 0,
    h_row: int | None = None,
) -> tuple[float, ...]:
    """``Head``, with which every record begins.

    Args:
        shape: ``(T, B, H)``.
        reverse: the scan runs backwards in time.
        clip_step: bound of the gradient at the gates' inputs; 0 for none.
        dtype: of the arrays.
        activation: of an RNN, by its number.
        width: of ``Inputs``.
        h_row: elements from one row of h to the next; None for H.
    """
    wide = dtype is torch.float64
    threads, row = torch.get_num_threads(), h_row or shape[-1]
    return (*shape, row, reverse, threads, terms(), width, activation, wide, EPSILON, clip_step)


def ragged(lengths: Tensor | None) -> tuple[Any, ...]:
    """``Ragged`` of a batch whose padding has its place in every array.

    Args:
        lengths: ``(B,)`` int64, contiguous.
    """
    return (lengths, None, None, None, 0, 0)


def options(
    rows: tuple[Any, ...],
    norms: Sequence[Tensor | None] = (None,) * 4,
    peephole: Tensor | None = None,
    hidden_mask: Tensor | None = None,
    zoneout_h: Tensor | None = None,
    zoneout_c: Tensor | None = None,
    probe_c: Tensor | None = None,
) -> list[Any]:
    """``Options``.

    Args:
        rows: ``Ragged``.
        norms: the gains of the input's and of the recurrent product, the gain and the shift of the cell.
        peephole: ``(3, H)``.
        hidden_mask: ``(B, H)``.
        zoneout_h: from `spread`.
        zoneout_c: from `spread`.
        probe_c: from `spread`.
    """
    return [
        *rows,
        *norms,
        peephole,
        hidden_mask,
        *strided(zoneout_h),
        *strided(zoneout_c),
        *strided(probe_c),
    ]


_HEAD = "10q2d"
_PLAIN = {"forward": f"{_HEAD}13q", "backward": f"{_HEAD}5q21q"}
_OPTIONS = {"forward": 29, "backward": 39}
"""Fields of ``ForwardRecord`` and ``BackwardRecord``: those of every pass, and how many options have."""
_RECORDS = {
    f"{cell}_{way}": (Struct(f"{plain}{8 * _OPTIONS[way]}x"), Struct(f"{plain}{_OPTIONS[way]}q"))
    for cell in ("rnn", "gru", "lstm")
    for way, plain in _PLAIN.items()
}
"""By function: one whose options are all absent, and one that has them."""

PLAIN_FORWARD = _RECORDS["lstm_forward"][0]
"""``ForwardRecord`` of any cell, with all options absent."""

Fields: TypeAlias = tuple[Sequence[float], Sequence[Tensor | None], Sequence[Any]]
"""The numbers and the tensors of every record; and what options have, empty where there are none."""


def run(function: str, fields: Sequence[Fields]) -> None:
    """Call a cell's function of the library; tensors stand for their addresses.

    Args:
        function: "rnn_forward", "lstm_backward"...
        fields: of one record, or of those of both directions of a layer.
    """
    plain, whole_record = _RECORDS[function]
    records = b""
    for numbers, tensors, special in fields:
        if special:
            records += whole_record.pack(*numbers, *addresses(tensors), *as_numbers(special))
        else:
            records += plain.pack(*numbers, *addresses(tensors))
    call(function, records, len(fields))


def call(function: str, records: bytes, count: int) -> None:
    """Call a cell's function of the library with its records, one after the other."""
    chosen = library()
    assert chosen is not None
    if chosen.functions[function](records, count):
        raise MemoryError(f"no memory for the scratch space of {function}.")


def weight_gradient(
    over_product: Tensor,
    states: Tensor,
    initial: Tensor,
    mask: Tensor | None,
    lengths: Tensor | None,
    reverse: bool,
) -> Tensor:
    """The gradient of ``weight_hh``, ``(G * H, H)``: one product for the first step, one for all others.

    Args:
        over_product: gradient of the recurrent product, ``(T, B, G * H)``, zero past each row's end.
        states: the state after every step, ``(T, B, H)``, zero past each row's end.
        initial: the state before the first, ``(B, H)``.
        mask: on the states that entered, ``(B, H)``.
        lengths: ``(B,)`` or None.
        reverse: the scan ran backwards in time.
    """
    if not reverse:
        first, later, entered = over_product[0], over_product[1:], states[:-1]
    elif lengths is None:
        first, later, entered = over_product[-1], over_product[:-1], states[1:]
    else:
        # A row's own last step comes first; there the state after it, past the row's end, is zero.
        last = (lengths - 1).clamp(0, len(states) - 1)
        first, later, entered = over_product[last, torch.arange(len(last))], over_product[:-1], states[1:]
    if mask is not None:
        initial, entered = initial * mask, entered * mask
    return matmul(later.flatten(0, 1).t(), entered.flatten(0, 1)).addmm_(first.t(), initial)


def recurrent_products(
    states: Tensor,
    initial: Tensor,
    weight_hh: Tensor,
    mask: Tensor | None,
    lengths: Tensor | None,
    reverse: bool,
) -> Tensor:
    """``W_hh h`` of all steps once more, ``(T, B, G * H)``: what its normalisation is differentiated with."""
    entered = previous_states(states, initial, real_steps(lengths, len(states)), reverse)
    return (entered if mask is None else entered * mask) @ weight_hh.t()
