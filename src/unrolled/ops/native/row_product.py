"""The product of rows with a matrix whose every sum runs in one order, by the library.

torch hands such products to libraries that choose an order by how many rows there are. Ours has one product
whose rows do not depend on one another, that of a scan with its recurrent matrices; so the rows are taken for
the state of a cell before its only step, and the columns of the matrix for its gates.

Legend: ``N`` rows, ``I`` numbers of a row, ``O`` outputs, ``W`` units of that cell.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.ops.cells.given import Given
from unrolled.ops.cells.program import Instruction, Program
from unrolled.ops.cells.surrounded import Surrounded, Surroundings, surround
from unrolled.ops.deterministic_rows import require_any_rows
from unrolled.ops.direct import unobserved
from unrolled.ops.native import in_use
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import library
from unrolled.ops.native.program import forward

_MOST_GATES = 32
"""Of a cell."""
_FEWEST_UNITS = 16
"""Of one that fills vectors."""


def row_linear(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``values @ weight.T + bias``, every row by itself.

    Args:
        values: ``(..., I)``.
        weight: ``(O, I)``.
        bias: ``(O,)``, or None.

    Raises:
        ConfigError: the library does not compute it.
    """
    if not (
        in_use()
        and unobserved(values, (values, weight, bias))
        and obstacle(values.device.type, values.dtype) is None
        and values.dtype is weight.dtype
        and library() is not None
    ):
        require_any_rows()
        return functional.linear(values, weight, bias)
    made = _RowProduct.apply(values.flatten(0, -2), weight).unflatten(0, values.shape[:-1])
    return made if bias is None else made + bias


class _RowProduct(torch.autograd.Function):
    """``values @ weight.T`` of ``(N, I)`` and ``(O, I)``."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(values, weight)
        return _product(values, weight)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        values, weight = ctx.saved_tensors
        (grad,) = grads
        over_values = _RowProduct.apply(grad, weight.t()) if ctx.needs_input_grad[0] else None
        return over_values, grad.t() @ values if ctx.needs_input_grad[1] else None


def _product(values: Tensor, weight: Tensor) -> Tensor:
    rows, inputs = values.shape
    outputs = len(weight)
    if not values.numel() or not outputs:
        return values @ weight.t()
    units = max(inputs, _FEWEST_UNITS, -(-outputs // _MOST_GATES))
    gates = -(-outputs // units)
    state = functional.pad(values.detach().resolve_neg(), (0, units - inputs)).contiguous()
    matrices = weight.detach().resolve_neg()
    matrices = functional.pad(matrices, (0, units - inputs, 0, gates * units - outputs)).contiguous()
    given = Given(
        gates_x=state.new_empty(1, rows, 0),
        weight_hh=matrices,
        initial=(state,),
        units=(),
        streams=(),
        projection=None,
        lengths=None,
        resets=None,
        reverse=False,
        bound=0.0,
    )
    made = forward(_cell(gates), given, False, watched=True)[0].gates
    assert made is not None
    return made[0, :, :outputs].contiguous()


@lru_cache(maxsize=_MOST_GATES)
def _cell(count: int) -> Surrounded:
    """A cell that keeps its state, and whose gates are the products with it."""
    gates = tuple(f"part_{index}" for index in range(count))
    program = Program(
        name="products",
        states=("h",),
        gates=gates,
        inputs=(),
        products=gates,
        matrices=("full",) * count,
        parameters={},
        instructions=(Instruction("state"), *(Instruction("product", (0,), index) for index in range(count))),
        results=(0,),
    )
    nothing = Surroundings(
        bias=False, normalised=(), masked=False, zoneout=(False,), probed=(False,), clipped=False
    )
    return surround(program, nothing)
