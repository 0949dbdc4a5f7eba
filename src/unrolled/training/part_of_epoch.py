"""A shorter training: the first batches of every epoch alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import ceil

from unrolled.data.batches import Batch, Loader


class PartOfEpoch:
    """The first batches of every epoch of another loader, in that epoch's order; one at least.

    Args:
        whole: the loader.
        share: of its batches.
    """

    def __init__(self, whole: Loader, share: float) -> None:
        self.whole = whole
        self.count = max(1, ceil(share * len(whole)))

    def __len__(self) -> int:
        return self.count

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on."""
        return islice(self.whole.batches(epoch, start), max(0, self.count - start))
