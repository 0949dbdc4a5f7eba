"""How far back a model uses its input, and whether the order of the elements matters at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean, pstdev

import torch
from torch import Tensor

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class ContextCurve(Result):
    """The loss as a function of how many past steps the model may see.

    Attributes:
        steps: how many of the latest steps it saw, rising; the last number is all of them.
        loss: the mean loss with each.
    """

    steps: tuple[int, ...]
    loss: tuple[float, ...]

    def used(self, share: float = 0.99) -> int:
        """The fewest steps that give ``share`` of what all of them gain over the fewest.

        Example:
            >>> ContextCurve((1, 2, 4, 8), (2.0, 1.2, 1.0, 1.0)).used()
            4
        """
        gain = self.loss[0] - self.loss[-1]
        if gain <= 0:
            return self.steps[0]
        enough = self.loss[0] - share * gain
        return next(step for step, loss in zip(self.steps, self.loss, strict=True) if loss <= enough)


@dataclass(frozen=True, slots=True)
class OrderTest(Result):
    """What is lost when the elements of each sequence are shuffled.

    Attributes:
        ordered: the mean loss on the sequences as they are.
        shuffled: the mean loss in each of several shufflings.
        chance: the loss of the best constant answer; None where it is not known. A model no better than
            that has nothing to lose.
    """

    ordered: float
    shuffled: tuple[float, ...]
    chance: float | None = None

    @property
    def lost(self) -> float:
        """The mean loss that shuffling adds.

        Example:
            >>> OrderTest(ordered=0.5, shuffled=(0.75, 1.25)).lost
            0.5
        """
        return fmean(self.shuffled) - self.ordered

    @property
    def deviation(self) -> float:
        """The standard deviation over the shufflings."""
        return pstdev(self.shuffled)

    @property
    def learned(self) -> bool:
        """Whether the model is better than chance by a tenth, so that it has something to lose."""
        return self.chance is None or self.ordered < 0.9 * self.chance

    @property
    def nothing_lost(self) -> bool:
        """Whether the order of the elements gives a model that has learned something next to nothing.

        Next to nothing is a fiftieth of what it gains over chance (where that is not known, of its loss), and
        what the shufflings differ by.
        """
        gained = abs(self.ordered) if self.chance is None else self.chance - self.ordered
        return self.learned and self.lost <= 0.02 * gained + self.deviation


def context_curve(loss_seen: Callable[[int], float], longest: int) -> ContextCurve:
    """Measure the loss with ever more of the past.

    Args:
        loss_seen: the mean loss when a model sees so many of the latest steps; `latest_steps` cuts them.
        longest: all of them.

    Example:
        >>> context_curve(lambda steps: 1 / steps, 5)
        ContextCurve(steps=(1, 2, 4, 5), loss=(1.0, 0.5, 0.25, 0.2))
    """
    steps = [2**power for power in range(longest.bit_length()) if 2**power < longest] + [longest]
    return ContextCurve(tuple(steps), tuple(loss_seen(count) for count in steps))


def latest_steps(values: Tensor, ends: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Of each row the ``count`` steps up to ``ends``, that one included.

    Args:
        values: ``(B, T, ...)``.
        ends: ``(B,)`` int64, the last step to be seen.
        count: how many; a row that has fewer before its end is shorter.

    Returns:
        ``(B, count, ...)``, zero past each row's end, and the lengths ``(B,)``.

    Example:
        >>> latest_steps(torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]]), torch.tensor([3, 0]), 2)
        (tensor([[3, 4],
                [5, 0]]), tensor([2, 1]))
    """
    first = (ends - count + 1).clamp_min(0)
    lengths = ends - first + 1
    offsets = torch.arange(count, device=values.device)
    at = (first.unsqueeze(1) + offsets).clamp_max(values.shape[1] - 1)
    cut = values[torch.arange(len(ends), device=values.device).unsqueeze(1), at]
    seen = offsets < lengths.unsqueeze(1)
    return cut * seen.view(*seen.shape, *[1] * (cut.dim() - 2)), lengths


def order_test(
    loss: Callable[[Tensor | None], float],
    lengths: Tensor,
    steps: int,
    *,
    chance: float | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> OrderTest:
    """Measure what is lost when the elements of each sequence are shuffled.

    An element is an input with its target where there is one a step; `reorder` moves both alike.

    Args:
        loss: the mean loss of a model on sequences in an order ``(B, steps)``, or as they are.
        lengths: of the sequences, ``(B,)``; what lies past them stays where it is.
        steps: time steps of the batch.
        chance: the loss of the best constant answer, where a sequence has one target.
        repeats: shufflings.
        seed: of the shufflings.
    """
    generator = torch.Generator().manual_seed(seed)
    ordered = loss(None)
    return OrderTest(
        ordered, tuple(loss(_shuffled(lengths, steps, generator)) for _ in range(repeats)), chance
    )


def reorder(values: Tensor, order: Tensor) -> Tensor:
    """``values`` ``(B, T, ...)`` with step ``order[b, t]`` at ``[b, t]``.

    Example:
        >>> reorder(torch.tensor([[5, 6, 7]]), torch.tensor([[2, 0, 1]]))
        tensor([[7, 5, 6]])
    """
    return values[torch.arange(len(order), device=order.device).unsqueeze(1), order]


def _shuffled(lengths: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """A random order of the real steps of each row, ``(B, steps)``."""
    keys = torch.rand(len(lengths), steps, generator=generator).to(lengths.device)
    time = torch.arange(steps, device=lengths.device)
    return torch.where(time < lengths.unsqueeze(1), keys, 1.0 + time).argsort(1)
