"""Products over all time steps at once, on the processor's matrix tiles where those are faster.

Legend: ``M`` rows, ``N`` and ``P`` columns, ``K`` elements of each sum.
"""

import struct
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.native.library import as_numbers, library
from unrolled.ops.native.memory import empty
from unrolled.ops.precision import terms

_DONE, _NO_MEMORY = 0, 1


def has_tiles(like: Tensor) -> bool:
    """Whether the processor multiplies numbers of this type on matrix tiles, and the library with them."""
    return like.dtype is torch.float32 and _on_tiles() is not None


def _on_tiles() -> Any:
    """The library's function for products on tiles, or None where it has none."""
    chosen = library()
    return None if chosen is None else chosen.functions.get("matmul")


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``: ``(M, K)`` and ``(K, N)`` to ``(M, N)``."""
    out = empty(a, len(a), b.shape[1])
    done = _worth_it(a, b.shape[1]) and _over_tiles(a, (b, 0, out))
    return out if done else torch.mm(a, b, out=out)


def matmul_both(a: Tensor, b: Tensor, c: Tensor, first: int) -> tuple[Tensor, Tensor]:
    """Two products of the same matrix, which is read once for both.

    Args:
        a: ``(M, K)``.
        b: ``(K, N)``.
        c: ``(L, P)``; its rows stand beside the columns of ``a`` from ``first`` on.
        first: at most ``K - L``.

    Returns:
        ``a @ b``, ``(M, N)``, and ``a[:, first : first + L] @ c``, ``(M, P)``.
    """
    if _worth_it(a, b.shape[1] + c.shape[1]):
        ab, ac = empty(a, len(a), b.shape[1]), empty(a, len(a), c.shape[1])
        if _over_tiles(a, (b, 0, ab), (c, first, ac)):
            return ab, ac
    return matmul(a, b), matmul(a[:, first : first + len(c)], c)


def _over_tiles(a: Tensor, *rights: tuple[Tensor, int, Tensor]) -> bool:
    """Whether the products were made: not of every type, nor of numbers that do not split.

    Args:
        a: ``(M, K)``.
        rights: another matrix each, the column of ``a`` that its first row stands beside, and where the
            product goes, in one piece.
    """
    multiply = _on_tiles()
    if multiply is None or not all(
        each.is_cpu and each.dtype is torch.float32 and not each.is_neg()
        for each in (a, *(b for b, _, _ in rights))
    ):
        return False
    a = _readable(a)
    record: list[Any] = [torch.get_num_threads(), terms(), *_side(a, 0, 0), len(rights)]
    for b, first, out in rights:
        # A side along the sum has all elements of it.
        side = b.contiguous() if first and b.stride(1) != 1 else _readable(b)
        record += [*_side(side, 1, first), out]
    status = multiply(struct.pack(f"{len(record)}q", *as_numbers(record)))
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the scratch space of a matrix product.")
    return status == _DONE


_LEAST_WORK = 24_000_000
"""Multiply-adds below which the threads and the splitting take longer than the tiles save."""


def _worth_it(a: Tensor, columns: int) -> bool:
    """Whether the tiles are faster. Measured, with three terms; see benchmarks/LOG.md."""
    rows, depth = a.shape
    if rows * depth * columns < _LEAST_WORK:
        return False
    if a.stride(1) == 1:
        return rows >= 512 and min(depth, columns) >= 64
    # A sum over the rows in memory: they come slowly, so there must be much to do with each number.
    return rows * columns >= 3 << 14


def _readable(matrix: Tensor) -> Tensor:
    return matrix if 1 in matrix.stride() else matrix.contiguous()


def _side(matrix: Tensor, dim: int, first: int) -> tuple[Any, ...]:
    """``MatmulSide``: ``dim`` is the one that is not summed over."""
    along = matrix.stride(1 - dim) == 1 and not first
    stride = matrix.stride(dim if along else 1 - dim)
    return matrix, matrix.shape[dim], stride, int(along), first, first + matrix.shape[1 - dim]
