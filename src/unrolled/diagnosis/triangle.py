"""The full triangle: the gradient of the loss of every step with respect to every earlier state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.diagnosis.decay import decay_over_lag
from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import Recurrence, joined
from unrolled.diagnosis.result import Result
from unrolled.diagnosis.transport import state_errors, state_norms

LossAt = Callable[[Tensor], Tensor]
"""Runs a module on copies of one sequence and returns the sum of the losses that its argument asks for.

The argument holds one step for each copy, ``(rows,)`` int64: of that copy the loss of that step counts. With
one loss for the whole sequence there is one copy, and -1 for its step.
"""


@dataclass(frozen=True, slots=True)
class Triangle(Result):
    """The norms of dL_t/dh_k of one layer in one direction, for one sequence.

    Attributes:
        layer: its name in the module.
        loss_steps: the steps t whose losses were taken, rising; one for each row of ``norms``.
        norms: ``[row][k]``, the norm of dL_t/dh_k for the t of that row and every step k of the sequence;
            zero where the loss does not depend on the state, as on later ones of a causal network.
        reverse: the layer reads the sequence from its end, so that its rows decay towards later steps.
        whole: as ``norms``, of the whole state as the next step reads it (for an LSTM h and c); empty where h
            is all of it.
    """

    layer: str
    loss_steps: tuple[int, ...]
    norms: tuple[tuple[float, ...], ...]
    reverse: bool
    whole: tuple[tuple[float, ...], ...] = ()

    @property
    def decay(self) -> tuple[float, ...]:
        """What is left of an error after each number of steps back, 1 at lag 0.

        The geometric mean over the loss steps of the norm at each lag over that at lag 0, of the whole state;
        loss steps where the error is 0 from the start count for nothing.
        """
        return decay_over_lag(self.loss_steps, self.whole or self.norms, self.reverse)


def triangles(
    module: nn.Module,
    loss_at: LossAt,
    loss_steps: Sequence[int] | None,
    *,
    rows: int = 256,
    leave_out: str = "",
) -> tuple[Triangle, ...]:
    """The norm of dL_t/dh_k for every chosen loss step t and every step k of one sequence.

    The sequence is run as a batch of copies, each with a loss step of its own, so that one backward pass
    gives them all.

    Args:
        module: holds recurrent layers, and is in the mode in which it shall be measured.
        loss_at: see `LossAt`.
        loss_steps: the steps t, rising; None: there is one loss of the whole sequence, and the triangle is
            one row, that of the step at which the layer has read all.
        rows: the most copies at a time; longer triangles are put together from several passes.
        leave_out: recurrences whose names begin so are left out, such as those over the letters of a word,
            which do not run over the copies.

    Returns:
        One for each layer and direction, the layers from the input up.

    Example:
        >>> from unrolled.layers import RNN
        >>> layer, sequence = RNN(1, 3), torch.randn(5, 1, 1)
        >>> def loss_at(steps):
        ...     output, _ = layer(sequence.expand(-1, len(steps), -1))
        ...     return output[steps, torch.arange(len(steps))].square().sum()
        >>> (triangle,) = triangles(layer, loss_at, range(5))
        >>> len(triangle.norms), len(triangle.norms[0]), triangle.norms[0][1]
        (5, 5, 0.0)

    Raises:
        ConfigError: there is no recurrent layer in the module.
    """
    asked = [-1] if loss_steps is None else list(loss_steps)
    found: dict[str, Triangle] = {}
    for start in range(0, len(asked), rows):
        steps = asked[start : start + rows]
        for recurrence in caught(module, lambda steps=steps: loss_at(torch.tensor(steps))):
            if leave_out and recurrence.name.startswith(leave_out):
                continue
            part = _triangle(recurrence, [recurrence.order(0)[-1]] if loss_steps is None else steps)
            before = found.get(part.layer)
            found[part.layer] = part if before is None else _below(before, part)
    return tuple(found.values())


def _triangle(recurrence: Recurrence, loss_steps: list[int]) -> Triangle:
    assert recurrence.hidden is not None
    parts = state_errors(recurrence, recurrence.hidden.shape[1])
    hidden, whole = _rows(parts[0]), _rows(joined(parts)) if len(parts) > 1 else ()
    return Triangle(recurrence.name, tuple(loss_steps), hidden, recurrence.scan.reverse, whole)


def _rows(errors: Tensor) -> tuple[tuple[float, ...], ...]:
    """The norms of errors ``(T, B, ·)`` row by row."""
    return tuple(tuple(row) for row in state_norms(errors).t().tolist())


def _below(first: Triangle, second: Triangle) -> Triangle:
    """Two parts of one triangle as one; rows may be cut after their loss step, and are filled with zeros."""
    width = max(len(first.norms[0]), len(second.norms[0]))

    def together(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        return tuple(row + (0.0,) * (width - len(row)) for row in rows)

    return Triangle(
        first.layer,
        first.loss_steps + second.loss_steps,
        together(first.norms + second.norms),
        first.reverse,
        together(first.whole + second.whole),
    )
