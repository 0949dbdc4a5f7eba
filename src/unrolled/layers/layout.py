"""A layer's state as the caller holds it, and as the recurrences of single layers and directions take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.layers.state import State


@dataclass(frozen=True, slots=True)
class StateLayout:
    """How the states of several layers and directions lie in one.

    For every name one tensor ``(layers * directions, B, width)`` as in `torch.nn`; where the layers' widths
    differ, a tuple with one tensor ``(directions, B, width)`` a layer. With two names, a pair of these.

    Attributes:
        widths: for each name, "h" or "h" and "c", the width in every layer.
        directions: 1 or 2.
        equal: whether all layers have the same widths.
    """

    widths: Mapping[str, tuple[int, ...]]
    directions: int
    equal: bool = field(init=False)

    def __post_init__(self) -> None:
        equal = all(len(set(widths)) == 1 for widths in self.widths.values())
        object.__setattr__(self, "equal", equal)

    def split(self, state: State, rows: int) -> list[tuple[Tensor, ...]]:
        """One tuple, ``(h,)`` or ``(h, c)``, for each layer and direction.

        Raises:
            ShapeError: ``state`` does not have this layout for a batch of ``rows``.
        """
        parts = state if len(self.widths) > 1 else (state,)
        if not isinstance(parts, tuple) or len(parts) != len(self.widths):
            raise ShapeError(
                f"expected a state of {len(self.widths)} parts ({', '.join(self.widths)}), "
                f"got {_shapes(state)}."
            )
        columns = []
        for (name, widths), part in zip(self.widths.items(), parts, strict=True):
            expected: Any = tuple((self.directions, rows, width) for width in widths)
            if self.equal:
                expected = (len(widths) * self.directions, rows, widths[0])
            if _shapes(part) != expected:
                raise ShapeError(f"expected the state {name}_0 of shape {expected}, got {_shapes(part)}.")
            stacks = part if isinstance(part, tuple) else (part,)
            columns.append([row for stack in stacks if isinstance(stack, Tensor) for row in stack.unbind(0)])
        return list(zip(*columns, strict=True))

    def join(self, states: list[tuple[Tensor, ...]]) -> State:
        """The inverse of `split`."""
        return self.concatenate([tuple(part.unsqueeze(0) for part in parts) for parts in states])

    def concatenate(self, states: list[tuple[Tensor, ...]]) -> State:
        """The same of states ``(1, B, width)``, as that of a stack with one layer in one direction is."""
        joined: Sequence[State]
        if len(states) == 1:
            joined = states[0]
        elif self.equal:
            joined = [torch.cat(column) for column in zip(*states, strict=True)]
        else:
            columns = (
                zip(*[iter(column)] * self.directions, strict=True) for column in zip(*states, strict=True)
            )
            joined = [tuple(torch.cat(layer) for layer in layers) for layers in columns]
        return joined[0] if len(joined) == 1 else tuple(joined)


def _shapes(state: State) -> Any:
    """The shape of a tensor, the nested shapes of a tuple, or the name of what is neither."""
    if isinstance(state, tuple):
        return tuple(_shapes(part) for part in state)
    return tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__
