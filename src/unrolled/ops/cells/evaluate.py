"""One step of a program on tensors, as torch computes it: what every faster way is compared with.

Legend: ``B`` rows, ``H`` hidden units.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.ops.cells import symbols
from unrolled.ops.cells.program import Instruction
from unrolled.ops.scan import clamp_gradient

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "sigmoid": symbols.sigmoid,
    "tanh": symbols.tanh,
    "relu": symbols.relu,
    "softplus": symbols.softplus,
    "exp": symbols.exp,
    "log": symbols.log,
    "sqrt": symbols.sqrt,
    "abs": torch.abs,
    "minimum": symbols.minimum,
    "maximum": symbols.maximum,
    "less": torch.lt,
    "where": symbols.where,
    "mean": symbols.mean,
    "normalise": symbols.normalise,
}


def evaluate(
    instructions: Sequence[Instruction],
    leaf: Callable[[Instruction], Tensor],
    multiply: Callable[[int | None, Tensor], Tensor],
    bound: float = 0.0,
) -> list[Tensor]:
    """The value of every instruction.

    Args:
        instructions: of a program with its surroundings.
        leaf: the value of an input, state, parameter or stream, ``(B, H)`` or ``(H,)``; a constant is a
            tensor of one element.
        multiply: the recurrent matrix of a gate times a value; the projection of one where the gate is None.
        bound: of the gradients that are clamped.
    """
    values: list[Tensor] = []
    for each in instructions:
        args = [values[arg] for arg in each.args]
        if each.op == "product":
            values.append(multiply(int(each.value), args[0]))
        elif each.op == "project":
            values.append(multiply(None, args[0]))
        elif each.op == "clamp":
            values.append(clamp_gradient(args[0], bound))
        elif args:
            values.append(_FUNCTIONS[each.op](*args))
        else:
            values.append(leaf(each))
    return values
