"""What processes carry, put together and dealt out anew."""

import torch

from tests.training.tiny import make_batch
from unrolled.layers.state import state_tensors
from unrolled.training.bptt import Carry, Past
from unrolled.training.carried_rows import joined, share_of


def carry_of(rows, seed):
    draws = torch.Generator().manual_seed(seed)
    state = tuple(torch.randn(1, rows, 3, generator=draws) for _ in range(2))
    window = make_batch(seed, size=rows, time=5, lengths=[5, 2, 4, 5][:rows], starts=[False] * rows)
    return Carry(state, (Past(window, state),))


def rows_of(carry, rows):
    past = carry.past[0]
    states = [part[:, rows] for part in (*state_tensors(carry.state), *state_tensors(past.state))]
    window = past.window
    return [
        *states,
        window.inputs["values"][rows],
        window.lengths[rows],
        window.targets[rows],
        window.starts[rows],
    ]


def test_rows_come_back_as_they_were():
    whole = carry_of(4, 0)
    parts = [share_of(whole, rank, 2) for rank in range(2)]
    for found in (joined(parts), share_of(joined(parts), 0, 1)):
        for part, right in zip(rows_of(found, slice(None)), rows_of(whole, slice(None)), strict=True):
            assert torch.equal(part, right)
    for part, right in zip(rows_of(parts[1], slice(None)), rows_of(whole, slice(2, 4)), strict=True):
        assert torch.equal(part, right)


def test_windows_of_other_lengths_are_padded_and_those_that_some_lack_are_left_out():
    short = make_batch(3, size=2, time=3, starts=[True, False])
    state = torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)
    one, two = carry_of(2, 1), Carry(state, (Past(short, None), Past(short, state)))
    both = joined([one, two])
    assert len(both.past) == 1
    window = both.past[0].window
    assert window.inputs["values"].shape == (4, 5, 3)
    assert window.lengths.tolist() == [5, 2, 3, 3]
    assert not window.inputs["values"][2:, 3:].any()


def test_nothing_is_carried_where_one_begins():
    assert joined([carry_of(2, 0), Carry()]) == Carry()
