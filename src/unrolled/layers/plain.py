"""A stack of plain cells run at once where nobody asks for a gradient, in less time than layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unrolled.layers.sequences import Arranged
from unrolled.layers.state import State
from unrolled.ops.direct import unobserved
from unrolled.ops.native import in_use
from unrolled.ops.native.inference import infer

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


def run(layer: RecurrentLayer, arranged: Arranged, state: State | None) -> tuple[Tensor, State] | None:
    """Run a stack over whole sequences.

    Args:
        layer: the stack.
        arranged: the sequences.
        state: of a batch, before the first step; None for a fresh one.

    Returns:
        The output of the top layer, ``(T, B, width)``, and the state after the last step; None where
        `unrolled.layers.layerwise` must compute them, or refuse to.
    """
    if (
        torch.is_grad_enabled()
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
        return None
    values = arranged.values
    initial: Any = () if state is None else state if len(layer.state_names) > 1 else (state,)
    if not (isinstance(initial, tuple) and in_use() and unobserved(values, (values, *initial))):
        return None
    weights = [layer._weights(index) for index in range(len(layer._suffixes))]
    results = infer(layer.cell, layer.nonlinearity, values, weights, layer._directions, initial)
    if results is None:
        return None
    output, *final = results
    return output, final[0] if len(final) == 1 else tuple(final)
