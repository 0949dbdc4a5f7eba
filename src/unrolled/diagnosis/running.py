"""Statistics by distance from the loss that grow with the longest sequence, not with the run.

What a backward pass shows is put aside as it is and worked off for many of them at once, so that watching
costs a training step little more than the norms.

Legend: ``T`` steps, ``B`` rows.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.diagnosis.flow import GradientFlow

_TOGETHER = 16
"""Backward passes that are put aside before they are worked off."""


class _Seen(NamedTuple):
    """Values ``(T, B)`` at or after the steps of rows, and how many steps each row has; None: all T."""

    values: Tensor
    lengths: Tensor | None
    offset: Tensor | int


class RunningFlow:
    """Adds up what `GradientFlow` tells of one layer in one direction.

    Args:
        name: of the layer.
        reverse: it reads the sequence from its end.
    """

    def __init__(self, name: str, reverse: bool) -> None:
        self._name = name
        self._reverse = reverse
        self._updates, self._latest = 0, -1
        self._norms: list[_Seen] = []
        self._gains: list[_Seen] = []
        self._norm_moments = torch.zeros(3, 0, dtype=torch.float64)
        self._gain_moments = torch.zeros(3, 0, dtype=torch.float64)

    def add(
        self,
        norms: Tensor,
        lengths: Tensor | None,
        offset: Tensor | int,
        log_gains: Tensor | None,
        running: int,
    ) -> None:
        """Add what a backward pass shows of a call.

        Args:
            norms: of dL/dh_t, ``(T, B)``.
            lengths: of the rows, ``(B,)``; None where all are full.
            offset: steps that followed in later calls, of all rows or of each, ``(B,)``.
            log_gains: see `unrolled.diagnosis.transport.log_gains`, of the first rows; None: not taken.
            running: the number of the backward pass.
        """
        self._updates += running != self._latest
        self._latest = running
        self._norms.append(_Seen(norms, lengths, offset))
        if log_gains is not None:
            few = slice(log_gains.shape[1])
            own = _lengths(norms, lengths)[few]
            self._gains.append(_Seen(log_gains, own, offset if isinstance(offset, int) else offset[few]))
        if len(self._norms) >= _TOGETHER:
            self._work_off()

    def _work_off(self) -> None:
        if self._norms and _full(self._norms):
            self._norm_moments = _added_full(
                self._norm_moments, torch.cat([each.values for each in self._norms], 1).cpu(), self._reverse
            )
        elif self._norms:
            seen = _side_by_side(self._norms)
            self._norm_moments = _added(self._norm_moments, seen, _distances(seen, self._reverse))
        if self._gains:
            seen = _side_by_side(self._gains)
            nearer = _distances(seen, self._reverse, after=True)
            self._gain_moments = _added(self._gain_moments, seen, nearer)
        self._norms, self._gains = [], []

    def result(self) -> GradientFlow:
        """The statistics so far; where no gain was measured stands the usual one, NaN if none was at all."""
        self._work_off()
        rows, mean, squares = self._norm_moments
        deviation = (squares / rows.clamp_min(1)).sqrt()
        known, logs, _ = functional.pad(self._gain_moments, (0, len(rows)))[:, : max(len(rows) - 1, 0)]
        usual = (known * logs).sum() / known.sum()  # NaN of none
        gain = torch.where(known > 0, logs, usual).exp()
        return GradientFlow(
            self._name,
            self._updates,
            tuple(int(each) for each in rows),
            tuple(mean.tolist()),
            tuple(deviation.tolist()),
            tuple(gain.tolist()),
        )


def _lengths(values: Tensor, lengths: Tensor | None) -> Tensor:
    full = torch.full(values.shape[1:], len(values), device=values.device)
    return full if lengths is None else lengths


def _full(seen: list[_Seen]) -> bool:
    """Whether all rows have all of the same number of steps, and no call followed."""
    steps = len(seen[0].values)
    return all(
        each.lengths is None
        and isinstance(each.offset, int)
        and not each.offset
        and len(each.values) == steps
        for each in seen
    )


def _merged(first: Tensor, second: Tensor) -> Tensor:
    """The moments of two groups of values as those of one, by distance.

    Moments are the number, the mean and the sum of squares about it, which unlike a difference of sums keeps
    its digits where all values are nearly the same (Chan, Golub & LeVeque 1979).

    Args:
        first: ``(3, distances)``.
        second: the same for as many distances or more or fewer.
    """
    longest = max(first.shape[1], second.shape[1])
    first, second = (functional.pad(each, (0, longest - each.shape[1])) for each in (first, second))
    count = first[0] + second[0]
    apart, share = second[1] - first[1], second[0] / count.clamp_min(1)
    return torch.stack(
        [count, first[1] + apart * share, first[2] + second[2] + apart.square() * first[0] * share]
    )


def _added_full(moments: Tensor, values: Tensor, reverse: bool) -> Tensor:
    """`_added` for full rows, ``(T, B)``: a step's distance is the same in all."""
    values = values.double() if reverse else values.double().flip(0)
    known = values.isfinite()
    count = known.double().sum(1)
    mean = torch.where(known, values, 0.0).sum(1) / count.clamp_min(1)
    squares = torch.where(known, values - mean.unsqueeze(1), 0.0).square().sum(1)
    return _merged(moments, torch.stack([count, mean, squares]))


def _side_by_side(seen: list[_Seen]) -> _Seen:
    """Rows of several backward passes as those of one, NaN where a shorter one has no value."""
    steps = max(len(each.values) for each in seen)
    values = [
        functional.pad(each.values, (0, 0, 0, steps - len(each.values)), value=torch.nan) for each in seen
    ]
    offset = torch.cat(
        [
            torch.full(each.values.shape[1:], each.offset)
            if isinstance(each.offset, int)
            else each.offset.cpu()
            for each in seen
        ]
    )
    lengths = torch.cat([_lengths(each.values, each.lengths) for each in seen])
    return _Seen(torch.cat(values, 1).cpu(), lengths.cpu(), offset)


def _distances(seen: _Seen, reverse: bool, *, after: bool = False) -> Tensor:
    """The distance from the loss of each value ``(T, B)``, below 0 where there is none.

    Args:
        seen: the values.
        reverse: the layer reads the sequence from its end, so that the loss is at step 0.
        after: a value stands between a step and the next, and counts for that nearer to the loss; at a row's
            last step between this call and the one after.
    """
    assert seen.lengths is not None
    step = torch.arange(len(seen.values)).unsqueeze(1)
    last = seen.lengths - 1
    distance = step.expand(seen.values.shape) if reverse else last - step
    real = step < last if after and reverse else step <= last
    return torch.where(real, distance + seen.offset - int(after and not reverse), -1)


def _added(moments: Tensor, seen: _Seen, distance: Tensor) -> Tensor:
    """The moments with the values that are numbers and have a distance added at it."""
    counted = (distance >= 0) & seen.values.isfinite()
    where, values = distance[counted], seen.values[counted].double()
    if not len(where):
        return moments
    none = values.new_zeros(int(where.max()) + 1)
    count = none.index_add(0, where, torch.ones_like(values))
    mean = none.index_add(0, where, values) / count.clamp_min(1)
    squares = none.index_add(0, where, (values - mean[where]).square())
    return _merged(moments, torch.stack([count, mean, squares]))
