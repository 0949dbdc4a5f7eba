"""Any cell in plain torch, which is the truth about every other engine: slow, and always there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.layers.engines.engine import Engine, Pass, Result, Step
from unrolled.layers.engines.levels import by_levels
from unrolled.layers.engines.programs import run_level

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


def _offer(given: Pass) -> str | Callable[[], Result]:
    # A program runs in plain torch of itself where the library does not compute it.
    return partial(by_levels, given, run_level)


def _stream(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> str | Step:
    @torch.no_grad()
    def step(inputs: Tensor) -> Tensor:
        time = 1 if layer.batch_first else 0
        output, after = layer(inputs.unsqueeze(time), layer._layout.join(list(states)))
        for own, new in zip(states, layer._layout.split(after, len(inputs)), strict=True):
            for part, value in zip(own, new, strict=True):
                part.copy_(value)
        return output.squeeze(time)

    return step


ENGINE = Engine(
    name=lambda: "reference (plain torch)",
    why=lambda: "nothing faster computes it",
    offer=_offer,
    stream=_stream,
)
