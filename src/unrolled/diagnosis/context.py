"""How far back a model uses its input, and whether the order of the elements matters at all."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, pstdev

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
