"""A batch of sequences, and what hands batches out: the meeting point of the data and the training loop.

Every tensor of a batch has the axes `batch time ...`. Rows may be of any length; steps beyond a row's length
are padding and hold zeros. Targets may have another time axis than inputs, with lengths of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from unrolled.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Batch:
    """Several sequences side by side, padded to one length.

    Attributes:
        inputs: named tensors `(batch, time, ...)`, such as `tokens` (int64) or `values` (float). Where the
            targets have lengths of their own, `previous` `(batch, target time)` is the target before each.
        lengths: `(batch,)` int64, the steps of each row that are real; zero is allowed.
        targets: `(batch, time, ...)` when there is one target per step, else `(batch, ...)`.
        targets_per_step: whether `targets` has a time axis.
        starts: `(batch,)` bool; rows with False continue the same row of the batch before, so their state is
            carried over. None: every row starts a new sequence.
        target_lengths: `(batch,)` int64, the targets of each row that are real; None: as many as `lengths`.

    Example:
        >>> batch = Batch(
        ...     inputs={"tokens": torch.tensor([[5, 6, 7], [8, 0, 0]])},
        ...     lengths=torch.tensor([3, 1]),
        ...     targets=torch.tensor([[6, 7, 8], [9, 0, 0]]),
        ...     targets_per_step=True,
        ... )
        >>> batch.size, batch.time, batch.steps
        (2, 3, 4)
        >>> batch.window(1, 3).lengths.tolist()
        [2, 0]
    """

    inputs: Mapping[str, Tensor]
    lengths: Tensor
    targets: Tensor
    targets_per_step: bool
    starts: Tensor | None = None
    target_lengths: Tensor | None = None

    @property
    def size(self) -> int:
        """The number of rows."""
        return self.lengths.shape[0]

    @property
    def time(self) -> int:
        """The number of steps, padding included."""
        return next(iter(self.inputs.values())).shape[1]

    @property
    def steps(self) -> int:
        """The number of real steps in all rows together."""
        return int(self.lengths.sum())

    @property
    def output_lengths(self) -> Tensor:
        """`(batch,)`, the real steps of each row of the outputs and targets that have a time axis."""
        return self.lengths if self.target_lengths is None else self.target_lengths

    def window(self, start: int, stop: int) -> Batch:
        """The steps from `start` to before `stop` of every row.

        Only a window that begins at step 0 starts sequences; the rows of a later one continue. Targets
        without a time axis are kept whole, since they belong to the row and not to a step.

        Args:
            start: the first step, counted from 0.
            stop: the step after the last one.

        Raises:
            ConfigError: the targets have a time axis of their own, which windows of the inputs do not cut.
        """
        stop = min(stop, self.time)
        if self.target_lengths is not None:
            if start == 0 and stop == self.time:
                return self
            raise ConfigError(
                f"expected a window of all {self.time} steps, since the targets have lengths of their own, "
                f"got steps {start} to {stop}; leave window and checkpoint_every out"
            )
        continued = torch.zeros(self.size, dtype=torch.bool, device=self.lengths.device)
        return Batch(
            inputs={name: tensor[:, start:stop] for name, tensor in self.inputs.items()},
            lengths=(self.lengths - start).clamp(0, stop - start),
            targets=self.targets[:, start:stop] if self.targets_per_step else self.targets,
            targets_per_step=self.targets_per_step,
            starts=self.starts if start == 0 else continued,
        )

    def rows(self, rows: Tensor) -> Batch:
        """Some rows, each of which starts a new sequence.

        Args:
            rows: their numbers, `(n,)` int64, in the order wanted; or `(batch,)` bool.

        Example:
            >>> tokens, targets = torch.tensor([[5], [6]]), torch.tensor([7, 8])
            >>> batch = Batch({"tokens": tokens}, torch.tensor([1, 1]), targets, False)
            >>> batch.rows(torch.tensor([1, 1, 0])).targets.tolist()
            [8, 8, 7]
        """
        return replace(
            self,
            inputs={name: tensor[rows] for name, tensor in self.inputs.items()},
            lengths=self.lengths[rows],
            targets=self.targets[rows],
            starts=None,
            target_lengths=None if self.target_lengths is None else self.target_lengths[rows],
        )

    def to(self, device: torch.device | str) -> Batch:
        """The same batch with every tensor on `device`."""
        return replace(
            self,
            inputs={name: tensor.to(device) for name, tensor in self.inputs.items()},
            lengths=self.lengths.to(device),
            targets=self.targets.to(device),
            starts=None if self.starts is None else self.starts.to(device),
            target_lengths=None if self.target_lengths is None else self.target_lengths.to(device),
        )


class Loader(Protocol):
    """What the training loop draws batches from.

    The order of the batches depends only on the loader's seed and the epoch, so a run can go on in the middle
    of one.
    """

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        ...

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on; those before it are not built."""
        ...
