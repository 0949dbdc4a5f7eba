"""Products over all time steps at once, on the processor's matrix tiles where those are faster.

Legend: ``M`` rows, ``N`` and ``P`` columns, ``K`` elements of each sum.
"""

import torch
from torch import Tensor

from unrolled.ops.native.library import library, pack
from unrolled.ops.precision import terms

_DONE, _NO_MEMORY = 0, 1


def matmul(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b + bias``: ``(M, K)``, ``(K, N)``, ``(N,)`` to ``(M, N)``."""
    products = _over_tiles(a, (b, 0, bias))
    if products is not None:
        return products[0]
    return a @ b if bias is None else torch.addmm(bias, a, b)


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
    products = _over_tiles(a, (b, 0, None), (c, first, None))
    if products is not None:
        return products[0], products[1]
    return matmul(a, b), matmul(a[:, first : first + len(c)], c)


def _over_tiles(a: Tensor, *rights: tuple[Tensor, int, Tensor | None]) -> list[Tensor] | None:
    """The products, or None where they are not for the tiles: sizes, types, numbers that do not split.

    Args:
        a: ``(M, K)``.
        rights: another matrix each, the column of ``a`` that its first row stands beside, and a bias.
    """
    if a.dtype is not torch.float32 or not _worth_it(a, sum(b.shape[1] for b, _, _ in rights)):
        return None
    chosen = library()
    multiply = None if chosen is None else chosen.functions.get("matmul")
    given = [a, *(each for b, _, bias in rights for each in (b, bias) if each is not None)]
    if multiply is None or not all(
        each.is_cpu and each.dtype is torch.float32 and not each.is_neg() for each in given
    ):
        return None
    a = _readable(a)
    record = [torch.get_num_threads(), terms(), *_side(a, 0, 0), len(rights)]
    products, held = [], []
    for b, first, bias in rights:
        # A side along the sum has all elements of it.
        b = b.contiguous() if first and b.stride(1) != 1 else _readable(b)
        bias = None if bias is None else bias.contiguous()
        product = a.new_empty(len(a), b.shape[1])
        record += [*_side(b, 1, first), 0 if bias is None else bias.data_ptr(), product.data_ptr()]
        products.append(product)
        held += [b, bias]  # only addresses are handed over
    status = multiply(pack(record))
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the scratch space of a matrix product.")
    return products if status == _DONE else None


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
    return rows * columns >= 1 << 16


def _readable(matrix: Tensor) -> Tensor:
    return matrix if 1 in matrix.stride() else matrix.contiguous()


def _side(matrix: Tensor, dim: int, first: int) -> tuple[int, int, int, bool, int, int]:
    """``MatmulSide``: ``dim`` is the one that is not summed over."""
    along = matrix.stride(1 - dim) == 1 and not first
    stride = matrix.stride(dim if along else 1 - dim)
    return matrix.data_ptr(), matrix.shape[dim], stride, along, first, first + matrix.shape[1 - dim]
