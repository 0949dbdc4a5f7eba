"""Which implementation computes a recurrent layer as it stands, and why."""

from typing import NamedTuple

import torch

from unrolled.layers import fused
from unrolled.layers.stack import RecurrentLayer
from unrolled.ops.native.coverage import obstacle
from unrolled.ops.native.library import choices


class Implementation(NamedTuple):
    """What runs, and the reason in a clause."""

    runs: str
    why: str


def implementation(layer: RecurrentLayer) -> Implementation:
    """Ask those who decide: `unrolled.layers.fused` on a GPU, `unrolled.ops.native` on a CPU.

    Example:
        >>> from unrolled.layers import LSTM
        >>> implementation(LSTM(3, 4, proj_size=2)).why
        'the compiled library has no projection'
    """
    if fused.on_gpu(layer):
        return _on_gpu(layer)
    weight = layer._weight("weight_hh", "_l0")
    why = obstacle(weight.device.type, weight.dtype, projection=layer.proj_size > 0)
    if why is None and not choices():
        why = "no compiled library was installed; a C++ compiler and a new install bring it"
    if why is not None:
        return _reference(why)
    capability = torch.backends.cpu.get_cpu_capability()
    return Implementation(
        f"compiled ({choices()[0]})", f"the fastest one built for a processor with {capability}"
    )


def _on_gpu(layer: RecurrentLayer) -> Implementation:
    if not fused.available():
        return _reference("cuDNN is not there, or switched off")
    why = fused.obstacle(layer)
    if why is not None:
        return _reference(why)
    return Implementation(
        "cuDNN", "a plain cell on a GPU; single steps, as unroll gives them, run in plain torch"
    )


def _reference(why: str) -> Implementation:
    return Implementation("reference (plain torch)", why)
