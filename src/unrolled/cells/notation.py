"""The equations of any cell, as a person reads them and as TeX, printed from its definition."""

from typing import Any

from unrolled.cells.lookup import description_of
from unrolled.ops.cells import equations as printed
from unrolled.ops.cells.plain import PlainCell
from unrolled.ops.cells.program import Program


def equations(cell: Any) -> list[str]:
    """One line of text for every gate and state; ``'`` marks a state before the step.

    Args:
        cell: what `unrolled.Recurrent` takes.

    Raises:
        ConfigError: it is no cell, or one that is not fused, whose step is known to Python alone.

    Example:
        >>> equations("min_gru")
        ['z = sigmoid(W_z x + b_z)', "h = h' * (1 - z) + z * (W_n x + b_n)"]
    """
    return printed.equations(_program(cell))


def tex(cell: Any) -> list[str]:
    r"""The same as TeX, for an ``align`` or a formula each.

    Args:
        cell: what `unrolled.Recurrent` takes.

    Raises:
        ConfigError: it is no cell, or one that is not fused.

    Example:
        >>> tex("min_gru")[0]
        'z_{t} = \\sigma\\left(W_{z} x_{t} + b_{z}\\right)'
    """
    return printed.tex(_program(cell))


def _program(cell: Any) -> Program:
    found = description_of(cell)
    return found.cell.program() if isinstance(found, PlainCell) else found
