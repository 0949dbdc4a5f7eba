"""Whole sequences in batches of similar length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One sequence as arrays, encoded once before training.

    Attributes:
        inputs: named arrays `(time, ...)`, such as `tokens`, `values`, `words` or `characters`.
        target: `(time, ...)` for one target per step, `(target time, ...)` for as many as there are, else
            `(...)`.
    """

    inputs: Mapping[str, np.ndarray]
    target: np.ndarray

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))


def pad(arrays: Sequence[np.ndarray]) -> Tensor:
    """Arrays side by side in one tensor, every axis padded with zeros to the longest.

    Integers become int64, booleans and floating-point numbers torch's default floating-point type.

    Args:
        arrays: arrays of the same number of axes.

    Returns:
        `(batch, ...)`.

    Example:
        >>> pad([np.array([1, 2, 3]), np.array([4])])
        tensor([[1, 2, 3],
                [4, 0, 0]])
    """
    shape = np.max([array.shape for array in arrays], axis=0).astype(int)
    integer = arrays[0].dtype.kind in "iu"
    dtype = torch.int64 if integer else torch.get_default_dtype()
    padded = torch.zeros((len(arrays), *shape.tolist()), dtype=dtype)
    # One slice assignment a row in numpy costs a tenth of the same one in torch.
    view = padded.numpy()
    for row, array in enumerate(arrays):
        view[(row, *map(slice, array.shape))] = array
    return padded


def collate_many_to_one(items: Sequence[Encoded]) -> Batch:
    """A batch with one target a sequence.

    Example:
        >>> long = Encoded({"tokens": np.array([2, 3])}, np.array(1))
        >>> short = Encoded({"tokens": np.array([4])}, np.array(0))
        >>> collate_many_to_one([long, short]).targets
        tensor([1, 0])
    """
    return _collate(items, targets_per_step=False)


def collate_many_to_many(items: Sequence[Encoded]) -> Batch:
    """A batch with one target a step.

    Example:
        >>> long = Encoded({"words": np.array([2, 3])}, np.array([1, 1]))
        >>> short = Encoded({"words": np.array([4])}, np.array([5]))
        >>> collate_many_to_many([long, short]).targets
        tensor([[1, 1],
                [5, 0]])
    """
    return _collate(items, targets_per_step=True)


def collate_unequal(items: Sequence[Encoded]) -> Batch:
    """A batch whose targets have lengths of their own; `previous` is 0 and then the targets but the last.

    Example:
        >>> long = Encoded({"tokens": np.array([2, 3])}, np.array([7, 0]))
        >>> short = Encoded({"tokens": np.array([4])}, np.array([5, 6, 0]))
        >>> batch = collate_unequal([long, short])
        >>> batch.inputs["previous"].tolist(), batch.target_lengths.tolist()
        ([[0, 7, 0], [0, 5, 6]], [2, 3])
    """
    batch = collate_many_to_many(items)
    previous = torch.nn.functional.pad(batch.targets[:, :-1], (1, 0))
    return replace(
        batch,
        inputs={**batch.inputs, "previous": previous},
        target_lengths=torch.tensor([len(item.target) for item in items], dtype=torch.int64),
    )


def _collate(items: Sequence[Encoded], *, targets_per_step: bool) -> Batch:
    return Batch(
        inputs={name: pad([item.inputs[name] for item in items]) for name in items[0].inputs},
        lengths=torch.tensor([len(item) for item in items], dtype=torch.int64),
        targets=pad([item.target for item in items]),
        targets_per_step=targets_per_step,
    )


class BucketLoader:
    """Batches of whole sequences, neighbours in length side by side.

    An epoch shuffles the items, sorts each run of `bucket` batches by size, cuts it into batches and
    shuffles the batches. All batches of an epoch are of nearly the same size, so no small last batch gets
    an undue weight.

    Args:
        items: the sequences; each has a length.
        collate: makes a `Batch` of some items.
        batch_size: the items a batch holds at most, per process.
        seed: decides, with the epoch, the order.
        shuffle: False keeps the items in their order, but for the sorting within `bucket` batches.
        bucket: the number of batches that are sorted together; 1 sorts nothing.
        size: what items are sorted by; their length by default.
        shard: `(rank, world_size)`: this process' number and how many share each batch.

    Raises:
        ConfigError: there are no items, or fewer than processes.

    Example:
        >>> items = [Encoded({"tokens": np.arange(1, n)}, np.array(n)) for n in range(2, 12)]
        >>> loader = BucketLoader(items, collate_many_to_one, batch_size=4)
        >>> len(loader), sum(batch.size for batch in loader.batches(epoch=0))
        (3, 10)
    """

    def __init__(
        self,
        items: Sequence[Encoded],
        collate: Callable[[Sequence[Encoded]], Batch],
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = True,
        bucket: int = 100,
        size: Callable[[Encoded], int] = len,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        _, world_size = shard
        if len(items) < world_size:
            raise ConfigError(
                f"expected at least one sequence for each of {world_size} processes, got {len(items)}"
            )
        self.items = items
        self.collate = collate
        self.seed = seed
        self.shuffle = shuffle
        self.bucket = bucket
        self.shard = shard
        self._sizes = np.array([size(item) for item in items])
        # Every batch leaves one item or more to each process, or some process would have nothing to do in it.
        self._count = max(1, min(-(-len(items) // (batch_size * world_size)), len(items) // world_size))

    def __len__(self) -> int:
        return self._count

    def order(self, epoch: int) -> list[np.ndarray]:
        """The positions in `items` of each batch's rows, to put predictions back where they belong."""
        generator = np.random.default_rng((self.seed, epoch))
        rows = np.arange(len(self.items))
        if self.shuffle:
            generator.shuffle(rows)
        bounds = np.arange(self._count + 1) * len(rows) // self._count
        for first in range(0, self._count, self.bucket) if self.bucket > 1 else ():
            chunk = slice(bounds[first], bounds[min(first + self.bucket, self._count)])
            rows[chunk] = rows[chunk][np.argsort(self._sizes[rows[chunk]], kind="stable")]
        batches = np.split(rows, bounds[1:-1])
        if self.shuffle:
            batches = [batches[number] for number in generator.permutation(self._count)]
        rank, world_size = self.shard
        return [batch[rank::world_size] for batch in batches]

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, from number `start` on."""
        for rows in self.order(epoch)[start:]:
            yield self.collate([self.items[row] for row in rows])
