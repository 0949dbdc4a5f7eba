"""Batches, and the loader of whole sequences."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.batches import Batch
from unrolled.data.buckets import (
    BucketLoader,
    Encoded,
    collate_many_to_many,
    collate_many_to_one,
    collate_unequal,
    pad,
)
from unrolled.errors import ConfigError


def batch_of(lengths, starts=None):
    time = max(lengths)
    values = torch.arange(len(lengths) * time, dtype=torch.float32).reshape(len(lengths), time, 1)
    return Batch({"values": values}, torch.tensor(lengths), values[:, :, 0], True, starts)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), st.integers(1, 10))
def test_windows_hold_every_step_once(lengths, window):
    batch = batch_of(lengths, starts=torch.ones(len(lengths), dtype=torch.bool))
    windows = [batch.window(start, start + window) for start in range(0, batch.time, window)]
    assert sum(part.steps for part in windows) == batch.steps
    assert torch.equal(torch.cat([part.targets for part in windows], dim=1), batch.targets)
    for row, length in enumerate(lengths):
        kept = [part.targets[row, : part.lengths[row]] for part in windows]
        assert torch.equal(torch.cat(kept), batch.targets[row, :length])


def test_only_the_first_window_starts_sequences():
    batch = batch_of([4, 4], starts=torch.tensor([True, False]))
    assert batch.window(0, 2).starts.tolist() == [True, False]
    assert batch.window(2, 4).starts.tolist() == [False, False]
    assert batch_of([4]).window(0, 2).starts is None
    assert batch_of([4]).window(2, 4).starts.tolist() == [False]


def test_a_window_keeps_the_target_of_the_whole_row():
    batch = Batch(
        {"tokens": torch.zeros(2, 6, dtype=torch.int64)}, torch.tensor([6, 2]), torch.tensor([1, 0]), False
    )
    assert batch.window(3, 6).targets.tolist() == [1, 0]
    assert batch.window(3, 9).time == 3


def test_to_moves_every_tensor():
    moved = batch_of([2, 1], starts=torch.tensor([True, True])).to("meta")
    tensors = [*moved.inputs.values(), moved.lengths, moved.targets, moved.starts]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_pad_fills_every_axis_with_zeros():
    padded = pad([np.ones((2, 1), dtype=np.uint8), np.full((1, 3), 2, dtype=np.uint8)])
    assert padded.tolist() == [[[1, 0, 0], [1, 0, 0]], [[2, 2, 2], [0, 0, 0]]]
    assert padded.dtype == torch.int64
    assert pad([np.zeros((1, 2), dtype=np.float32)]).dtype == torch.get_default_dtype()


def test_collating_words_characters_and_tags():
    items = [
        Encoded(
            {"words": np.array([4, 5]), "characters": np.array([[1, 2, 3], [1, 0, 0]])}, np.array([0, 1])
        ),
        Encoded({"words": np.zeros(0, int), "characters": np.zeros((0, 0), int)}, np.zeros(0, int)),
    ]
    batch = collate_many_to_many(items)
    assert batch.inputs["characters"].shape == (2, 2, 3)
    assert batch.lengths.tolist() == [2, 0]
    assert batch.targets.tolist() == [[0, 1], [0, 0]]
    assert batch.targets_per_step


def items_of(lengths):
    return [Encoded({"tokens": np.full(n, row)}, np.array(row)) for row, n in enumerate(lengths)]


@given(
    lengths=st.lists(st.integers(0, 20), min_size=3, max_size=40),
    batch_size=st.integers(1, 7),
    world_size=st.integers(1, 3),
    bucket=st.integers(1, 4),
    shuffle=st.booleans(),
    epoch=st.integers(0, 3),
)
def test_every_item_comes_once_an_epoch_over_all_processes(
    lengths, batch_size, world_size, bucket, shuffle, epoch
):
    seen = []
    for rank in range(world_size):
        loader = BucketLoader(
            items_of(lengths),
            collate_many_to_one,
            batch_size,
            shuffle=shuffle,
            bucket=bucket,
            shard=(rank, world_size),
        )
        batches = list(loader.batches(epoch))
        assert len(batches) == len(loader)
        assert all(batch.size for batch in batches)
        order = np.concatenate(loader.order(epoch))
        assert np.concatenate([batch.targets for batch in batches]).tolist() == order.tolist()
        seen += order.tolist()
    assert sorted(seen) == list(range(len(lengths)))


def test_the_order_depends_on_seed_and_epoch_only_and_resumes():
    loader = BucketLoader(items_of(range(1, 40)), collate_many_to_one, 4, seed=3, bucket=2)
    again = BucketLoader(items_of(range(1, 40)), collate_many_to_one, 4, seed=3, bucket=2)
    all_of_it = [batch.targets.tolist() for batch in loader.batches(1)]
    assert [batch.targets.tolist() for batch in again.batches(1, start=4)] == all_of_it[4:]
    assert [batch.targets.tolist() for batch in loader.batches(2)] != all_of_it
    assert [
        batch.targets.tolist()
        for batch in BucketLoader(items_of(range(1, 40)), collate_many_to_one, 4, seed=4, bucket=2).batches(1)
    ] != all_of_it


def test_batches_before_the_start_are_not_built():
    built = []

    def collate(items):
        built.append(len(items))
        return collate_many_to_one(items)

    list(BucketLoader(items_of([2] * 12), collate, 3).batches(0, start=3))
    assert built == [3]


def test_buckets_keep_padding_low():
    generator = np.random.default_rng(0)
    items = items_of(generator.integers(1, 100, size=400))
    steps = sum(len(item) for item in items)

    def padded(bucket):
        loader = BucketLoader(items, collate_many_to_one, 8, bucket=bucket)
        return sum(batch.size * batch.time for batch in loader.batches(0))

    assert padded(50) < 1.05 * steps < padded(1)


def test_a_tenth_at_most_of_reviews_is_padding():
    sizes = np.exp(np.random.default_rng(0).normal(np.log(170), 0.77, 10_000)).astype(int)
    loader = BucketLoader([range(size) for size in sizes], list, 32)  # type: ignore[arg-type]
    assert sum(len(rows) * sizes[rows].max() for rows in loader.order(1)) < sizes.sum() / 0.9


def test_unshuffled_and_unsorted_keeps_the_order():
    loader = BucketLoader(items_of([5, 1, 4, 2, 3]), collate_many_to_one, 2, shuffle=False, bucket=1)
    assert np.concatenate(loader.order(0)).tolist() == [0, 1, 2, 3, 4]


def test_fewer_sequences_than_processes_are_refused():
    with pytest.raises(ConfigError, match="at least one sequence for each of 4 processes, got 3"):
        BucketLoader(items_of([1, 1, 1]), collate_many_to_one, 2, shard=(0, 4))


def test_targets_of_another_length():
    items = [
        Encoded({"tokens": np.array([2, 3, 4])}, np.array([5, 0])),
        Encoded({"tokens": np.array([2])}, np.array([6, 7, 8, 0])),
    ]
    batch = collate_unequal(items)
    assert batch.time == 3
    assert batch.lengths.tolist() == [3, 1]
    assert batch.output_lengths.tolist() == batch.target_lengths.tolist() == [2, 4]
    assert batch.targets.tolist() == [[5, 0, 0, 0], [6, 7, 8, 0]]
    assert batch.inputs["previous"].tolist() == [[0, 5, 0, 0], [0, 6, 7, 8]]
    assert batch.to("meta").target_lengths.device.type == "meta"
    assert batch.window(0, 5) is batch
    with pytest.raises(ConfigError, match="lengths of their own"):
        batch.window(0, 2)


def test_batches_may_be_sorted_by_another_size():
    items = [Encoded({"tokens": np.ones(n)}, np.ones(9 - n)) for n in range(1, 9)]
    loader = BucketLoader(
        items, collate_unequal, batch_size=2, shuffle=False, bucket=4, size=lambda item: len(item.target)
    )
    assert [batch.target_lengths.tolist() for batch in loader.batches(0)] == [[1, 2], [3, 4], [5, 6], [7, 8]]
