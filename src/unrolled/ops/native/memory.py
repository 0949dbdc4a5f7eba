"""Memory for large intermediate results, used again from step to step.

A recurrence keeps several numbers for every unit and step. The system hands out such memory anew at every
step, and zeroes it, which takes a fifth of the time at 64 x 100 x 256. The library keeps what is given back,
up to 256 MB (`Blocks` of csrc/workspace.h).
"""

import ctypes
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.native.library import Library, library

_LARGE = 1 << 18
"""Bytes."""


def empty(like: Tensor, rows: int, columns: int) -> Tensor:
    """A matrix that is not filled, of the type of ``like``, for results that no user sees.

    It cannot be resized. Its memory is given back with the last tensor that sees it.
    """
    found = large(like, rows, columns)
    return like.new_empty(rows, columns) if found is None else found


def large(like: Tensor, rows: int, columns: int) -> Tensor | None:
    """The same, or None for one so small that torch may as well make it."""
    size = rows * columns * like.element_size()
    if size < _LARGE:
        return None
    chosen = library()
    if chosen is None:
        return None
    address = chosen.functions["take"](size)
    if not address:
        raise MemoryError(f"no memory for {size} bytes of intermediate results.")
    lease = _lease(size, chosen).from_address(address)
    return torch.frombuffer(lease, dtype=like.dtype).view(rows, columns)


@lru_cache(maxsize=64)
def _lease(size: int, lender: Library) -> Any:
    """The type of a borrowed block, which is given back when nothing refers to it any more."""
    give_back, address_of = lender.functions["give_back"], ctypes.addressof

    def end(self: Any) -> None:
        give_back(address_of(self))

    return type("Lease", (ctypes.c_char * size,), {"__del__": end})
