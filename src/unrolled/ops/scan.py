"""A scan over time under lengths: its order, which steps are real, what was there before each.

Legend: ``T`` steps, ``B`` rows, ``H`` hidden units. A scan in reverse runs ``t = T-1 .. 0`` and holds a
row's state while ``t`` lies past the row's end, so each row begins at its own last step and nothing has to
be flipped.
"""

from typing import Any

import torch
from torch import Tensor


def step_order(steps: int, reverse: bool) -> range:
    """The time indices in the order the scan visits them."""
    return range(steps - 1, -1, -1) if reverse else range(steps)


def real_steps(lengths: Tensor | None, steps: int) -> Tensor | None:
    """Which steps lie before each row's end: ``(T, B, 1)`` bool, or None where every step is real."""
    if lengths is None:
        return None
    return torch.arange(steps, device=lengths.device).view(-1, 1, 1) < lengths.view(1, -1, 1)


def zero_padding(values: Tensor, real: Tensor | None) -> Tensor:
    """``values`` ``(T, B, ...)`` with everything past a row's end, NaN too, replaced by zero."""
    return values if real is None else torch.where(real, values, 0.0)


def previous_states(states: Tensor, initial: Tensor, real: Tensor | None, reverse: bool) -> Tensor:
    """The state each real step started from, ``(T, B, H)``.

    Args:
        states: the state after every step, ``(T, B, H)``.
        initial: the state before the first, ``(B, H)``.
        real: what `real_steps` returned.
        reverse: the scan ran backwards in time.
    """
    if not reverse:
        return torch.cat([initial.unsqueeze(0), states[:-1]])
    later = states[1:]
    if real is not None:
        later = torch.where(real[1:], later, initial)
    return torch.cat([later, initial.unsqueeze(0)])


def keep_weights(zoneout: Tensor | None, real: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """How much of the old state each step keeps: zoneout's weights, and one past a row's end."""
    if real is None:
        return zoneout
    if zoneout is None:
        return (~real).to(dtype)
    return torch.where(real, zoneout, 1.0)


def each_step(values: Tensor | None, like: Tensor) -> tuple[Any, ...]:
    """``values``, broadcast to the ``(T, B)`` of ``like``, split into its ``T`` steps; or ``T`` Nones."""
    if values is None:
        return (None,) * like.shape[0]
    return values.expand(*like.shape[:2], values.shape[-1] if values.dim() else 1).unbind(0)


class _ClampGradient(torch.autograd.Function):
    """Identity whose gradient is clamped elementwise."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, bound: float) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.bound = inputs[1]

    @staticmethod
    def backward(ctx, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return grad_outputs[0].clamp(-ctx.bound, ctx.bound), None


def clamp_gradient(values: Tensor, bound: float) -> Tensor:
    """``values`` unchanged, their gradient clamped to ``[-bound, bound]`` on the way back; 0 is no bound.

    Graves (2013), "Generating Sequences With Recurrent Neural Networks", section 2.1, clips in this way the
    derivative with respect to the input of every gate.
    """
    return _ClampGradient.apply(values, bound) if bound else values
