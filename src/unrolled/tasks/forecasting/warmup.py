"""Windows whose first steps are read but not learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from unrolled.data.batches import Batch, Loader


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The batches of a loader, with the targets of the first steps missing; of a short window half of them.

    At the first steps of a window the network's direct connection does not see all its numbers yet.

    Attributes:
        loader: of windows with targets ``(batch, time, horizon)``.
        steps: how many are left out.
    """

    loader: Loader
    steps: int

    def __len__(self) -> int:
        return len(self.loader)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number ``start`` on."""
        for batch in self.loader.batches(epoch, start):
            left_out = torch.where(batch.lengths > self.steps, self.steps, batch.lengths // 2)
            first = torch.arange(batch.time) < left_out[:, None]
            yield replace(batch, targets=batch.targets.masked_fill(first[..., None], torch.nan))
