"""The full triangle: the gradient of the loss of every step with respect to every earlier state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.diagnosis.decay import decay_over_lag
from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.result import Result

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
    """

    layer: str
    loss_steps: tuple[int, ...]
    norms: tuple[tuple[float, ...], ...]
    reverse: bool

    @property
    def decay(self) -> tuple[float, ...]:
        """What is left of an error after each number of steps back, 1 at lag 0.

        The geometric mean over the loss steps of the norm at each lag over that at lag 0; loss steps where
        the error is 0 from the start count for nothing.
        """
        return decay_over_lag(self.loss_steps, self.norms, self.reverse)


def triangles(
    module: nn.Module, loss_at: LossAt, loss_steps: Sequence[int] | None, *, rows: int = 256
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
            part = _triangle(recurrence, [recurrence.order(0)[-1]] if loss_steps is None else steps)
            before = found.get(part.layer)
            found[part.layer] = part if before is None else _below(before, part)
    return tuple(found.values())


def _triangle(recurrence: Recurrence, loss_steps: list[int]) -> Triangle:
    assert recurrence.hidden is not None
    norms = torch.linalg.vector_norm(recurrence.hidden, dim=-1).t().tolist()
    rows = tuple(tuple(row) for row in norms)
    return Triangle(recurrence.name, tuple(loss_steps), rows, recurrence.scan.reverse)


def _below(first: Triangle, second: Triangle) -> Triangle:
    """Two parts of one triangle as one; rows may be cut after their loss step, and are filled with zeros."""
    width = max(len(first.norms[0]), len(second.norms[0]))
    rows = tuple(row + (0.0,) * (width - len(row)) for row in first.norms + second.norms)
    return Triangle(first.layer, first.loss_steps + second.loss_steps, rows, first.reverse)
