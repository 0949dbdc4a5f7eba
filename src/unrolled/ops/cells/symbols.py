"""What a cell's step is written with: it computes on tensors, and on symbols it writes a program.

Legend: ``H`` hidden units.
"""

from __future__ import annotations

from numbers import Real
from typing import Any, NoReturn

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.ops.cells.graph import Graph
from unrolled.ops.layer_norm import EPSILON

_OR_PLAIN = "; with fused = False the step runs as it stands"


class Symbol:
    """A value of a program that is being written: ``(H,)`` for each row, of which nothing is known yet."""

    __slots__ = ("graph", "index")
    __array_ufunc__ = None  # numpy is not to take it apart

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    def __add__(self, other: Any) -> Symbol:
        return _write("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return _write("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return _write("sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return _write("sub", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return _write("mul", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return _write("mul", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return _write("div", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return _write("div", other, self)

    def __neg__(self) -> Symbol:
        return _write("neg", self)

    def __pos__(self) -> Symbol:
        return self

    def __abs__(self) -> Symbol:
        return _write("abs", self)

    def __pow__(self, exponent: Any) -> Symbol:
        if isinstance(exponent, Symbol) or exponent != 2:
            shown = "a value" if isinstance(exponent, Symbol) else repr(exponent)
            raise ConfigError(f"a cell's step can square a value, **2: got ** {shown}; use exp and log.")
        return self * self

    def __lt__(self, other: Any) -> Symbol:
        return _write("less", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return _write("less", other, self)

    def _not_compared(self, other: Any) -> NoReturn:
        raise ConfigError("a cell's step compares with < and >: got another comparison of a value.")

    __le__ = __ge__ = __eq__ = __ne__ = _not_compared  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise ConfigError(
            "a cell's step cannot branch or loop on values, which every unit of every row has of its own: "
            f"use where(condition, a, b){_OR_PLAIN}."
        )

    def __iter__(self) -> NoReturn:
        self.__getitem__(0)

    def __getitem__(self, place: Any) -> NoReturn:
        raise ConfigError(
            f"a cell's step computes on all units at once: a value cannot be taken apart{_OR_PLAIN}."
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)  # who asks whether there is one
        raise ConfigError(
            f"a value of a cell's step has no .{name}: use the functions of unrolled.cells{_OR_PLAIN}."
        )

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> NoReturn:
        for arg in (*args, *(kwargs or {}).values()):
            if isinstance(arg, Tensor):
                raise ConfigError(
                    "a cell's step computes on its states, gates, parameters and numbers: expected a number "
                    f"or one of the cell's parameters, got a tensor of shape {tuple(arg.shape)}."
                )
        name = getattr(func, "__name__", str(func))
        raise ConfigError(
            f"torch.{name} is not one of the functions that a cell's step is made of: use those of "
            f"unrolled.cells{_OR_PLAIN}."
        )


def _write(op: str, *args: Any) -> Symbol:
    graph = next(arg.graph for arg in args if isinstance(arg, Symbol))
    places = []
    for arg in args:
        if isinstance(arg, Symbol):
            places.append(arg.index)
        elif isinstance(arg, Real) and not isinstance(arg, bool):  # numpy's too
            places.append(graph.constant(float(arg)))
        else:
            raise ConfigError(
                f"a cell's step computes on its states, gates, parameters and numbers: "
                f"got {type(arg).__name__}."
            )
    return Symbol(graph, graph.add(op, *places))


def _symbolic(*args: Any) -> bool:
    return any(isinstance(arg, Symbol) for arg in args)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return _write("sigmoid", x) if _symbolic(x) else torch.sigmoid(x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return _write("tanh", x) if _symbolic(x) else torch.tanh(x)


def relu(x: Any) -> Any:
    """``max(x, 0)``."""
    return _write("relu", x) if _symbolic(x) else torch.relu(x)


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``."""
    if _symbolic(x):
        return _write("softplus", x)
    # torch's own goes over to x itself from 20 on, which float64 sees.
    return torch.logaddexp(x, x.new_zeros(()))


def exp(x: Any) -> Any:
    """``e`` to the power of x."""
    return _write("exp", x) if _symbolic(x) else torch.exp(x)


def log(x: Any) -> Any:
    """The natural logarithm."""
    return _write("log", x) if _symbolic(x) else torch.log(x)


def sqrt(x: Any) -> Any:
    """The square root."""
    return _write("sqrt", x) if _symbolic(x) else torch.sqrt(x)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two values."""
    return _write("minimum", a, b) if _symbolic(a, b) else torch.minimum(*_both(a, b))


def maximum(a: Any, b: Any) -> Any:
    """The larger of two values."""
    return _write("maximum", a, b) if _symbolic(a, b) else torch.maximum(*_both(a, b))


def where(condition: Any, a: Any, b: Any) -> Any:
    """``a`` where the condition holds, a comparison with ``<`` or ``>``, and ``b`` elsewhere."""
    if not _symbolic(condition, a, b):
        return torch.where(condition, a, b)
    if not (isinstance(condition, Symbol) and condition.graph.instructions[condition.index].op == "less"):
        raise ConfigError("where chooses by a comparison: expected a < b or a > b as its condition.")
    return _write("where", condition, a, b)


def mean(x: Any) -> Any:
    """The mean of a row's units, in each of them."""
    return _write("mean", x) if _symbolic(x) else x.mean(-1, keepdim=True).expand_as(x)


def normalise(x: Any) -> Any:
    """A row's units brought to mean 0 and deviation 1 (Ba, Kiros & Hinton 2016)."""
    return _write("normalise", x) if _symbolic(x) else torch.layer_norm(x, x.shape[-1:], eps=EPSILON)


def _both(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    like = a if isinstance(a, Tensor) else b
    made = (each if isinstance(each, Tensor) else like.new_tensor(each) for each in (a, b))
    first, second = made
    return first, second
