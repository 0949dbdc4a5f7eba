"""The masks that a layer draws in one call, for whoever computes the same otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch

from tests.fuzz.layers.oracle import Masks
from unrolled.layers import stack
from unrolled.layers.engines import kernels, levels, programs


@contextmanager
def recorded_masks() -> Iterator[Masks]:
    """Within the context every mask that a layer draws is noted, in float64."""
    masks = Masks([], [], [], [], [])

    def keeping(function: Any, into: list[Any]) -> Any:
        def run(*args: Any) -> Any:
            mask = function(*args)
            into.append(None if mask is None else mask.detach().double())
            return mask

        return run

    def multiplying(function: Any, into: list[Any]) -> Any:
        def run(values: torch.Tensor, *args: Any) -> torch.Tensor:
            mask = function(torch.ones_like(values), *args).detach()
            into.append(mask.double())
            return values if (mask == 1).all() else values * mask

        return run

    with (
        patch.object(stack, "variational_mask", keeping(stack.variational_mask, masks.hidden)),
        patch.object(stack, "zoneout_weights", keeping(stack.zoneout_weights, masks.zoneout)),
        patch.object(kernels, "drop_weights", multiplying(kernels.drop_weights, masks.weights)),
        patch.object(programs, "drop_weights", multiplying(programs.drop_weights, masks.weights)),
        patch.object(programs, "state_noise", keeping(programs.state_noise, masks.noise)),
        patch.object(levels, "dropout_between", multiplying(levels.dropout_between, masks.between)),
    ):
        yield masks
