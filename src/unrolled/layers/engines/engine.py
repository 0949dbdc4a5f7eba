"""What an engine is asked and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from torch import Tensor

from unrolled.layers.scan import Steps
from unrolled.layers.sequences import Arranged
from unrolled.layers.state import State

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


class Pass(NamedTuple):
    """What a stack of layers is run with.

    Attributes:
        layer: the stack.
        arranged: the sequences.
        state: of a batch, before the first step; None for a fresh one.
        unrolled: somebody asks for every step of each layer.
        probe: with probes on every state; see `RecurrentLayer.unroll`.
    """

    layer: RecurrentLayer
    arranged: Arranged
    state: State | None
    unrolled: bool = False
    probe: bool = False


class Result(NamedTuple):
    """What comes of it.

    Attributes:
        output: of the top layer, ``(T, B, width)``.
        state: at each row's end.
        steps: of each layer in each direction its steps and its probes, where they were asked for.
    """

    output: Tensor
    state: State
    steps: Sequence[tuple[Steps, dict[str, Tensor]]] = ()


Step: TypeAlias = Callable[[Tensor], Tensor]
"""From a step's input ``(B, I)`` to the top layer's output ``(B, H)``; the states change in place."""


def takes_no_steps(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> str:
    """Of an engine that runs whole sequences only."""
    return "it runs whole sequences"


class Engine(NamedTuple):
    """One way to compute a layer.

    Attributes:
        name: what a person reads of it.
        why: why it is taken where it is, as a clause.
        offer: answers a pass with what runs it, or with why it cannot, as a clause.
        stream: answers a layer in evaluation, and the states of each of its layers, with what takes a step,
            or with why it cannot.
    """

    name: Callable[[], str]
    why: Callable[[], str]
    offer: Callable[[Pass], str | Callable[[], Result]]
    stream: Callable[[RecurrentLayer, Sequence[tuple[Tensor, ...]]], str | Step] = takes_no_steps
