"""What a recurrent cell of one's own is written with; see the guide's page on it.

Example:
    >>> from unrolled import cells
    >>> class Leaky(cells.Cell):
    ...     gates = ("candidate",)
    ...     parameters = {"leak": cells.constant(0.1)}
    ...
    ...     def step(self, x, u, h):
    ...         return h + self.leak * (cells.tanh(x.candidate + u.candidate(h)) - h)
    >>> Leaky().program().products
    ('candidate',)
"""

from unrolled.cells.notation import equations, tex
from unrolled.ops.cells.cell import Cell, constant, uniform
from unrolled.ops.cells.symbols import (
    exp,
    log,
    maximum,
    mean,
    minimum,
    normalise,
    relu,
    sigmoid,
    softplus,
    sqrt,
    tanh,
    where,
)

__all__ = [
    "Cell",
    "constant",
    "equations",
    "exp",
    "log",
    "maximum",
    "mean",
    "minimum",
    "normalise",
    "relu",
    "sigmoid",
    "softplus",
    "sqrt",
    "tanh",
    "tex",
    "uniform",
    "where",
]
