"""A stack of plain cells run at once where nobody asks for a gradient, in less time than layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from unrolled.layers.engines import kernels
from unrolled.layers.engines.engine import Engine, Pass, Result
from unrolled.ops.direct import unobserved
from unrolled.ops.native import in_use
from unrolled.ops.native.inference import inference_of


def _offer(given: Pass) -> str | Callable[[], Result]:
    layer, arranged, state = given.layer, given.arranged, given.state
    if torch.is_grad_enabled():
        return "gradients may be asked for"
    if (
        given.unrolled
        or arranged.lengths is not None
        or arranged.resets is not None
        or not layer._plain
        or not (layer._starts_from_zeros or state is not None)
        or any(layer.zoneout)
        or layer.observers
        or (
            layer.training
            and (layer.recurrent_dropout or layer.weight_drop or layer.state_noise or layer.dropout)
        )
    ):
        return "it is for plain cells and full rows"
    values = arranged.values
    initial: Any = () if state is None else state if len(layer.state_names) > 1 else (state,)
    if not (isinstance(initial, tuple) and in_use() and unobserved(values, (values, *initial))):
        return "something looks on"
    weights = [layer._weights(index) for index in range(len(layer._suffixes))]
    run = inference_of(layer.cell, layer.nonlinearity, values, weights, layer._directions, initial)
    return "the compiled library does not cover it" if run is None else partial(_result, run)


def _result(run: Callable[[], tuple[Tensor, ...]]) -> Result:
    output, *final = run()
    return Result(output, final[0] if len(final) == 1 else tuple(final))


ENGINE = Engine(name=kernels.ENGINE.name, why=kernels.ENGINE.why, offer=_offer)
