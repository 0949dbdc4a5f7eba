"""What both directions of a layer found, side by side."""

from typing import Any

import torch
from torch import Tensor

from unrolled.ops.direct import unobserved
from unrolled.ops.native.memory import LARGE, empty


def side_by_side(forward: Tensor, backward: Tensor) -> Tensor:
    """The outputs of both directions, ``(T, B, 2 * H)``, as `torch.cat` joins them.

    A large result is in memory that is used again: of what torch's allocator gets from the system anew at
    every step, a training step of two layers at 32 x 100 x 128 took a tenth of its time.

    Args:
        forward: ``(T, B, H)``.
        backward: the same.
    """
    if 2 * forward.nbytes < LARGE or not unobserved(forward, (forward, backward)):
        return torch.cat((forward, backward), -1)
    joined: Tensor = _SideBySide.apply(forward, backward)
    return joined


class _SideBySide(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *outputs: Tensor) -> Tensor:
        ctx.widths = [output.shape[-1] for output in outputs]
        room = empty(outputs[0], *outputs[0].shape[:-1], sum(ctx.widths))
        return torch.cat(outputs, -1, out=room)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return grads[0].split(ctx.widths, -1)
