"""Products over all time steps at once, on the processor's matrix tiles where those are faster.

Legend: ``M`` rows, ``N`` columns, ``K`` elements of each sum.
"""

import torch
from torch import Tensor

from unrolled.ops.native.library import library, pack
from unrolled.ops.precision import terms

_DONE, _NO_MEMORY = 0, 1


def matmul(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b + bias``: ``(M, K)``, ``(K, N)``, ``(N,)`` to ``(M, N)``."""
    product = _over_tiles(a, b, bias)
    if product is not None:
        return product
    return a @ b if bias is None else torch.addmm(bias, a, b)


def _over_tiles(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor | None:
    """The product, or None where it is not for the tiles: the size, the type, numbers that do not split."""
    rows, depth = a.shape
    columns = b.shape[1]
    # Tiles take 32 x 32 x 32 elements at a time; below a few of them each way torch is as fast.
    if min(rows, columns, depth) < _LEAST[terms()] or a.dtype is not torch.float32:
        return None
    chosen = library()
    multiply = None if chosen is None else chosen.functions.get("matmul")
    given = (a, b) if bias is None else (a, b, bias)
    if multiply is None or not all(
        each.is_cpu and each.dtype is torch.float32 and not each.is_neg() for each in given
    ):
        return None
    a, b = _readable(a), _readable(b)
    bias = None if bias is None else bias.contiguous()
    product = a.new_empty(rows, columns)
    record = [*_side(a, 0), *_side(b, 1), depth, 0 if bias is None else bias.data_ptr(), product.data_ptr()]
    record += [torch.get_num_threads(), terms()]
    status = multiply(pack(record))
    if status == _NO_MEMORY:
        raise MemoryError("no memory for the scratch space of a matrix product.")
    return product if status == _DONE else None


_LEAST = {3: 192, 2: 128, 1: 128}
"""By the number of terms; the recurrent product's is `tiles_pay` of csrc/split_product.h."""


def _readable(matrix: Tensor) -> Tensor:
    return matrix if 1 in matrix.stride() else matrix.contiguous()


def _side(matrix: Tensor, dim: int) -> tuple[int, int, int, bool]:
    """``MatmulSide``: ``dim`` is the one that is not summed over."""
    along = matrix.stride(1 - dim) == 1
    return matrix.data_ptr(), matrix.shape[dim], matrix.stride(dim if along else 1 - dim), along
