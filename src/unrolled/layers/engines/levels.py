"""A stack run level by level, each layer in one direction or in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch import Tensor

from unrolled.layers.engines.engine import Pass, Result
from unrolled.layers.regularisation import dropout_between
from unrolled.layers.scan import Call, Steps
from unrolled.ops.listening import Listen

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


class Level(NamedTuple):
    """What comes of one layer.

    Attributes:
        output: of its directions side by side, ``(T, B, width)``.
        ends: the states at each row's end, ``(1, B, width)`` each, of one direction after the other.
        steps: see `Result`.
    """

    output: Tensor
    ends: Sequence[tuple[Tensor, ...]]
    steps: Sequence[tuple[Steps, dict[str, Tensor]]] = ()


Initial: TypeAlias = tuple[Tensor, ...] | None
"""The state of one direction before the first step; None for zeros."""
RunLevel: TypeAlias = Callable[[Pass, Sequence[int], Tensor, Sequence[Initial]], Level]
"""Runs one layer: the pass, the places of its directions, its input, and the initial state of every place."""


def by_levels(given: Pass, run: RunLevel) -> Result:
    """Run a stack, each layer on the output of the one below."""
    layer, values = given.layer, given.arranged.values
    count = values.shape[1]
    initial: Sequence[Initial] = [None] * len(layer._suffixes)
    if given.state is not None:
        initial = layer._layout.split(given.state, count)
    elif not layer._starts_from_zeros:
        initial = [layer._fresh(index, count) for index in range(len(layer._suffixes))]
    ends: list[tuple[Tensor, ...]] = []
    steps: list[tuple[Steps, dict[str, Tensor]]] = []
    for number, places in enumerate(layer._places):
        if number:
            values = dropout_between(values, layer.dropout, layer.variational_dropout, layer.training)
        level = run(given, places, values, initial)
        values = level.output
        ends += level.ends
        steps += level.steps
    return Result(values, layer._layout.concatenate(ends), steps)


def listen_of(
    layer: RecurrentLayer, index: int, values: Tensor, initial: tuple[Tensor, ...], lengths: Tensor | None
) -> Listen | None:
    """What hears the norms of dL/dh_t of one layer in one direction, where somebody does."""
    if not layer.listeners or not torch.is_grad_enabled():
        return None
    steps, rows = values.shape[:2]
    call = Call(layer._suffixes[index], index % layer._directions == 1, steps, rows, lengths, initial)
    listening = [listener(call) for listener in layer.listeners]

    def listen(norms: Tensor) -> None:
        for each in listening:
            each(norms)

    return listen
