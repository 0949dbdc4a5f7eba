"""What a cell is run with, from the input's share of its gates on.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units, ``M`` recurrent matrices, ``P`` units
of the state where it is projected (else ``H``).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from torch import Tensor

from unrolled.ops.cells.surrounded import Surrounded


class Given(NamedTuple):
    """What a cell is run with.

    Attributes:
        gates_x: the input's share of the gates that have one, ``(T, B, inputs * H)``.
        weight_hh: ``(M * H, P)``.
        initial: the states before the first step, ``(B, H)`` each, the first of them ``(B, P)``.
        units: vectors that every row reads alike, ``(H,)`` or several of those one after the other.
        streams: ``(T, B, H)`` each, broadcast or not.
        projection: ``(P, H)``, or None; then the first state, its streams and what the matrices multiply have
            ``P`` units.
        lengths: ``(B,)`` int64, or None.
        resets: ``(T, B)`` bool, or None.
        reverse: run from the last step to the first.
        bound: of the gradients that are clamped.
    """

    gates_x: Tensor
    weight_hh: Tensor
    initial: tuple[Tensor, ...]
    units: tuple[Tensor, ...]
    streams: tuple[Tensor, ...]
    projection: Tensor | None
    lengths: Tensor | None
    resets: Tensor | None
    reverse: bool
    bound: float

    @property
    def units_of_cell(self) -> int:
        """``H``."""
        return self.initial[0].shape[-1] if self.projection is None else self.projection.shape[-1]

    @property
    def vectors(self) -> list[Tensor]:
        """``units`` one by one, ``(H,)`` each."""
        size = self.units_of_cell
        return [vector for each in self.units for vector in each.split(size)]


def tensors_of(given: Given) -> tuple[Tensor, ...]:
    """The tensors that can have a gradient, in their order."""
    last = () if given.projection is None else (given.projection,)
    return (given.gates_x, given.weight_hh, *given.initial, *given.units, *given.streams, *last)


def given_of(cell: Surrounded, tensors: Sequence[Tensor], rest: Sequence[Any]) -> Given:
    """What has these `tensors_of` of a cell, and the fields that follow them."""
    states = 2 + len(cell.program.states)
    streams = len(tensors) - cell.surroundings.projected
    units = streams - len(cell.streams)
    projection = tensors[streams] if cell.surroundings.projected else None
    parts = tuple(tensors[2:states]), tuple(tensors[states:units]), tuple(tensors[units:streams])
    return Given(tensors[0], tensors[1], *parts, projection, *rest)
