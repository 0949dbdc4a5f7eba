"""What passes between two calls that hand on a state: seen on its way, and taken back to the call before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.diagnosis.turns import Origin, parts_of, with_parts

ROWS = 4
"""Gains are taken of so many rows of a sequence that is observed; norms of all in all."""

_sending_on = False


def sending_on() -> bool:
    """Whether what lies between two calls is run backwards ahead of time: what is heard is heard again."""
    return _sending_on


def entered(state: Any, whence: Origin, *, batch_dimension: int) -> Any:
    """A state that is taken up, so that what is sent back of it is known by the call that returned it."""
    parts = []
    for part in parts_of(state):
        own = part
        if part.requires_grad:
            own = part.view_as(part)

            def received(gradient: Tensor, taken: Tensor = part) -> None:
                if not sending_on():
                    send_on(taken, gradient, whence, batch_dimension=batch_dimension, masks=True)

            own.register_hook(received)
        parts.append(own)
    return with_parts(state, parts)


def left(state: Any, received: Callable[[int, Tensor], None]) -> Any:
    """A state that is returned, so that its gradient is known, part by part."""
    parts = []
    for number, part in enumerate(parts_of(state)):
        own = part
        if part.requires_grad:
            own = part.clone()  # a view could not be changed in place, as the state itself can

            def hear(gradient: Tensor, number: int = number) -> None:
                if not sending_on():
                    received(number, gradient.detach())

            own.register_hook(hear)
        parts.append(own)
    return with_parts(state, parts)


def first_rows(gradient: Tensor, batch_dimension: int) -> Tensor:
    """The first rows of a gradient, with a batch dimension."""
    if gradient.dim() == batch_dimension + 1:  # of a single sequence
        gradient = gradient.unsqueeze(batch_dimension)
    return gradient.narrow(batch_dimension, 0, min(ROWS, gradient.shape[batch_dimension])).detach()


def send_on(taken: Tensor, gradient: Tensor, whence: Origin, *, batch_dimension: int, masks: bool) -> None:
    """Note with the calls that a state comes from what is sent back to them.

    Args:
        taken: the part of the state that was taken up.
        gradient: what is sent back of it.
        whence: the calls.
        batch_dimension: of the state.
        masks: what arrives nowhere was cut off on purpose, where a row begins anew.
    """
    global _sending_on
    edges = [source.edge for source in whence.sources]
    if whence.unchanged:
        own = taken.grad_fn, taken.output_nr
        sent = [gradient if (edge.node, edge.output_nr) == own else None for edge in edges]
    else:
        _sending_on = True
        try:
            sent = list(
                torch.autograd.grad(taken, edges, gradient.detach(), retain_graph=True, allow_unused=True)
            )
        except RuntimeError:  # what lies between cannot be run backwards twice
            sent = [torch.full_like(gradient, torch.nan)]
        finally:
            _sending_on = False
    cut = None
    if masks and not whence.unchanged:
        cut = _nothing_of(sent, gradient, batch_dimension)
    for source, error in zip(whence.sources, sent, strict=False):
        if error is None:
            continue
        few = first_rows(error, batch_dimension)
        if cut is not None:
            shape = [1] * few.dim()
            shape[batch_dimension] = -1
            few = few.masked_fill(cut.view(shape), torch.nan)
        arrived = source.turn.record().arrived
        before = arrived.get(source.part)
        arrived[source.part] = few if before is None else before + few


def _nothing_of(sent: Sequence[Tensor | None], gradient: Tensor, batch_dimension: int) -> Tensor | None:
    """The first rows of which something set out and nothing arrives anywhere."""
    rows = [_nonzero(first_rows(each, batch_dimension), batch_dimension) for each in sent if each is not None]
    if len({len(each) for each in rows}) != 1:
        return None
    left_out = _nonzero(first_rows(gradient, batch_dimension), batch_dimension)
    if len(left_out) != len(rows[0]):
        return None
    return left_out & ~torch.stack(rows).any(0)


def _nonzero(few: Tensor, batch_dimension: int) -> Tensor:
    return (few != 0).transpose(0, batch_dimension).flatten(1).any(1)
