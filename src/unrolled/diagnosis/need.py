"""How far back there is something to use that a model does not use."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.diagnosis.result import Result


@dataclass(frozen=True, slots=True)
class Need(Result):
    """What a cheap probe finds in the input at each lag beyond what a model makes of it.

    The probe is given the model's own answers and what was read so many steps back; what it predicts better
    than from the answers alone, on sequences that it was not fitted to, is there to be used.

    Attributes:
        probe: what it was, in a few words.
        lags: numbers of steps back, rising; of ranges of steps their farthest.
        gains: by how much each lowers the loss; 0 or less where it finds nothing.
        loss: of the model's answers alone, on the same sequences.
        error: the standard error of the gains.
        order_gain: by how much it lowers the loss to know where each element stood, beyond which there were;
            None where that was not asked.
        chance: the loss of the best constant answer on the same sequences; 0 where it is not known.
    """

    probe: str
    lags: tuple[int, ...]
    gains: tuple[float, ...]
    loss: float
    error: float = 0.0
    order_gain: float | None = None
    chance: float = 0.0

    @property
    def least(self) -> float:
        """The gain from which on there is something to use: a fortieth of the loss, and no chance.

        Nor is it a hundredth of what there is to know: what has all but solved its task misses nothing.
        """
        return max(SHARE * abs(self.loss), SHARE / 2.5 * self.chance, 3 * self.error)

    @property
    def lag(self) -> int | None:
        """The lag at which there is most to use that the model does not use; None: nothing anywhere.

        Example:
            >>> Need("n-gram", (1, 2, 3), (0.0, 0.2, 0.05), loss=1.0).lag
            2
        """
        best = max(range(len(self.gains)), key=self.gains.__getitem__, default=None)
        return None if best is None or self.gains[best] <= self.least else self.lags[best]

    @property
    def farthest(self) -> int | None:
        """The farthest lag at which there is something to use; None: nothing anywhere."""
        there = [lag for lag, gain in zip(self.lags, self.gains, strict=True) if gain > self.least]
        return max(there, default=None)

    def beyond(self, reach: int) -> int | None:
        """The lag, at a reach or beyond it, with most to use; None: there is nothing to use so far back.

        The farthest one asks for too much: what repeats tells a little of it at any distance.

        Example:
            >>> Need("n-gram", (1, 2, 3, 4, 8), (0.3, 0.1, 0.2, 0.1, 0.05), loss=1.0).beyond(2)
            3
        """
        far = {
            lag: gain
            for lag, gain in zip(self.lags, self.gains, strict=True)
            if lag >= reach and gain > self.least
        }
        return max(far, key=far.__getitem__, default=None)

    def gain_at(self, lag: int) -> float:
        """By how much what stands at a lag lowers the loss."""
        return self.gains[self.lags.index(lag)]


SHARE = 0.025
"""Of the model's loss: what a probe has to gain for it to count."""
