"""Statistics by distance from the loss that grow with the longest sequence, not with the run.

Legend: ``T`` steps, ``B`` rows, ``D`` distances.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.diagnosis.flow import GradientFlow
from unrolled.diagnosis.recurrence import Recurrence
from unrolled.diagnosis.transport import log_gains

_ROWS = 4
"""Rows of each batch whose gains are taken; the norms are those of all."""


class RunningFlow:
    """Adds up what `GradientFlow` tells of one layer in one direction."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._updates = 0
        # By distance: rows, sum and sum of squares of the norms; rows and sum of the logarithms of the gains.
        self._sums = torch.zeros(5, 0, dtype=torch.float64)

    def add(self, recurrence: Recurrence, offset: Tensor | None) -> None:
        """Add a backward pass.

        Args:
            recurrence: with its gradients.
            offset: steps of each row that followed in later calls, ``(B,)``; None where there were none.
        """
        self._updates += 1
        if recurrence.hidden is None:
            return
        norms = torch.linalg.vector_norm(recurrence.hidden, dim=-1)
        logs = log_gains(recurrence, _ROWS)
        reverse, lengths = recurrence.scan.reverse, recurrence.scan.lengths
        if lengths is None and offset is None:
            # The usual case, in few operations.
            self._grow(len(norms))
            count = torch.full_like(norms[:, 0], norms.shape[1])
            sums = torch.stack([count, norms.sum(1), norms.square().sum(1)])
            known = torch.stack([(~logs.isnan()).sum(1), logs.nansum(1)])
            self._sums[:3, : len(norms)] += (sums if reverse else sums.flip(1)).cpu()
            self._sums[3:, : len(logs)] += (known if reverse else known.flip(1)).cpu()
            return
        steps, rows = norms.shape
        if lengths is None:
            lengths = torch.full((rows,), steps)
        time = torch.arange(steps).unsqueeze(1)
        real = time < lengths.cpu()
        distance = time.expand(steps, rows) if reverse else lengths.cpu() - 1 - time
        distance = distance if offset is None else distance + offset
        norms, logs = norms.cpu().double(), logs.cpu().double()
        self._scatter((0, 1, 2), distance[real], (torch.ones_like(norms), norms, norms.square()), real)
        # The gain between steps t and t + 1 belongs to the one that is nearer to the loss.
        nearer = (distance[:-1] if reverse else distance[1:])[:, : logs.shape[1]]
        known = real[1:, : logs.shape[1]] & ~logs.isnan()
        if offset is not None:
            # What sets out from a call's last step into the call after is not known in full.
            known &= nearer > offset[: logs.shape[1]]
        self._scatter((3, 4), nearer[known], (torch.ones_like(logs), logs), known)

    def _scatter(
        self, rows: tuple[int, ...], where: Tensor, values: tuple[Tensor, ...], mask: Tensor
    ) -> None:
        if where.numel():
            self._grow(int(where.max()) + 1)
            for row, value in zip(rows, values, strict=True):
                self._sums[row].index_add_(0, where, value[mask])

    def _grow(self, distances: int) -> None:
        missing = distances - self._sums.shape[1]
        if missing > 0:
            self._sums = torch.nn.functional.pad(self._sums, (0, missing))

    def result(self) -> GradientFlow:
        """The statistics so far; where no gain was measured stands the usual one."""
        rows, total, squares, known, logs = self._sums
        mean = total / rows.clamp_min(1)
        deviation = (squares / rows.clamp_min(1) - mean.square()).clamp_min(0).sqrt()
        usual = logs.sum() / known.sum().clamp_min(1)
        gain = torch.where(known > 0, logs / known.clamp_min(1), usual).exp()[:-1]
        return GradientFlow(
            self._name,
            self._updates,
            tuple(int(each) for each in rows),
            tuple(mean.tolist()),
            tuple(deviation.tolist()),
            tuple(gain.tolist()),
        )
