"""Memory for results; that of large ones is used again from step to step.

A recurrence keeps several numbers for every unit and step. The system hands out such memory anew at every
step, and zeroes it, which takes a fifth of the time at 64 x 100 x 256. The library keeps what is given back,
up to 256 MB (`Blocks` of csrc/workspace.h).
"""

import ctypes
import math
from functools import lru_cache
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unrolled.ops.native.library import Library, library
from unrolled.ops.torch_private import allocate

__all__ = ["LARGE", "allocate", "empty"]

_Sizes: TypeAlias = tuple[int, ...]
LARGE = 1 << 18
"""Bytes from which on the library lends memory: `kLarge` of csrc/workspace.h."""


def empty(like: Tensor, *shape: int) -> Tensor:
    """A tensor on the CPU that is not filled, of the type of ``like``.

    A large one has borrowed memory, which is given back with the last tensor that sees it. As that of a NumPy
    array, it cannot be resized. Not where something but autograd looks on: see `unrolled.ops.direct`.
    """
    size, strides = _layout(shape)
    size *= like.itemsize
    chosen = library() if size >= LARGE else None
    if chosen is None:
        return allocate(shape, strides, like.dtype)
    address = chosen.functions["take"](size)
    if not address:
        raise MemoryError(f"no memory for {size} bytes of results.")
    lease = _lease(size, chosen).from_address(address)
    # Not a view of it: what a view is of a custom function's result cannot be changed in place.
    return torch.frombuffer(lease, dtype=like.dtype).resize_(shape)


@lru_cache(maxsize=256)
def _layout(shape: _Sizes) -> tuple[int, _Sizes]:
    """How many elements a tensor has, and its strides where it is in one piece."""
    return math.prod(shape), tuple(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))


@lru_cache(maxsize=64)
def _lease(size: int, lender: Library) -> Any:
    """The type of a borrowed block, which is given back when nothing refers to it any more."""
    give_back, address_of = lender.functions["give_back"], ctypes.addressof

    def end(self: Any) -> None:
        give_back(address_of(self))

    return type("Lease", (ctypes.c_char * size,), {"__del__": end})
