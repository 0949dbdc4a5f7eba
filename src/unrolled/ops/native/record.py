"""What the cells' kernels have in common: the record that they are called with.

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
from unrolled.ops.native.library import addresses, as_numbers, library
from unrolled.ops.precision import terms


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


def strided(tensor: Tensor | None) -> tuple[Any, ...]:
    """``Strided``: a tensor from `spread` and its strides; one zero seen as many counts as absent."""
    if tensor is None:
        return ABSENT
    strides = tensor.stride()
    # As a probe is: adding it would cost more than all that comes of it.
    if not any(strides) and not tensor[(0,) * len(strides)].item():
        return ABSENT
    return (tensor, *strides)


ACTIVATION_NUMBERS = {"tanh": 0, "relu": 1, "sigmoid": 2, "identity": 3}
"""`Activation` of csrc/activation.h."""
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
) -> list[Any]:
    """``Options``.

    Args:
        rows: ``Ragged``.
        norms: the gains of the input's and of the recurrent product, the gain and the shift of the cell.
        peephole: ``(3, H)``.
        hidden_mask: ``(B, H)``.
        zoneout_h: from `spread`.
        zoneout_c: from `spread`.
    """
    return [
        *rows,
        *norms,
        peephole,
        hidden_mask,
        *strided(zoneout_h),
        *strided(zoneout_c),
    ]


_HEAD = "10q2d"
_PLAIN = {"forward": f"{_HEAD}13q", "backward": f"{_HEAD}5q21q"}
_OPTIONS = {"forward": 21, "backward": 27}
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
