"""Weights that the library computes with, recognised where they are those of an earlier call.

Legend: ``I`` features of the input, ``H`` hidden units, ``G`` gates.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from unrolled.ops.alike import alike
from unrolled.ops.direct import ordinary
from unrolled.ops.native.coverage import TYPES
from unrolled.ops.native.record import lies_here

_GATES = {"rnn": 1, "gru": 3, "lstm": 4}


class Known(NamedTuple):
    """Weights that the library computes with.

    Attributes:
        same: whether others could stand in their places: `unrolled.ops.alike`.
        dtype: their type.
        width: features of the input.
        units: hidden units.
    """

    same: Callable[..., bool]
    dtype: torch.dtype
    width: int
    units: int


def known_weights(
    cell: str, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor | None, bias_hh: Tensor | None
) -> Known | None:
    """What there is to know of these weights, None where they are not covered.

    They are asked only where they are not like those that lay at the same address at an earlier call.
    """
    # Of what is absent a matrix takes the place, whose shape no bias has.
    third = weight_ih if bias_ih is None else bias_ih
    all_four = weight_ih, weight_hh, third, weight_hh if bias_hh is None else bias_hh
    known = _KNOWN[cell].get(id(weight_hh))
    if known is not None and known.same(*all_four):
        return known
    dtype, biases = weight_hh.dtype, [bias for bias in (bias_ih, bias_hh) if bias is not None]
    if not ordinary(all_four) or dtype not in TYPES or weight_hh.dim() != 2 or weight_ih.dim() != 2:
        return None
    (wide, units), (rows, width) = weight_hh.shape, weight_ih.shape
    if (
        not wide == rows == _GATES[cell] * units
        or any(bias.shape != (wide,) for bias in biases)
        or not readable(dtype, weight_ih, weight_hh, *biases)
    ):
        return None
    if len(_KNOWN[cell]) >= _MOST_KNOWN:
        _KNOWN[cell].clear()
    known = _KNOWN[cell][id(weight_hh)] = Known(alike(*all_four), dtype, width, units)
    return known


_KNOWN: dict[str, dict[int, Known]] = {cell: {} for cell in _GATES}
_MOST_KNOWN = 256


def fit(shape: tuple[int, ...], dtype: torch.dtype, *tensors: Tensor | None) -> bool:
    """Whether each tensor has this shape and can be read by its address alone."""
    return all(each is None or each.shape == shape for each in tensors) and readable(dtype, *tensors)


def readable(dtype: torch.dtype, *tensors: Tensor | None) -> bool:
    """Whether each tensor can be read by its address alone."""
    return all(each is None or (lies_here(each, dtype) and each.is_contiguous()) for each in tensors)
