"""What is read of tokens in a row."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.models.grams import GramInput, places
from unrolled.models.inputs import TokenInput

ROWS = st.lists(st.lists(st.integers(2, 60_000), min_size=1, max_size=9), min_size=1, max_size=4)


def written_out(tokens: list[int], step: int, size: int) -> int:
    """The place of the last tokens up to a step, with whole numbers of any size."""
    hashed = tokens[step] + 1
    for back in range(1, size):
        before = tokens[step - back] if step >= back else 0
        hashed = (hashed * 1_000_003 + before + 1) % (2**31 - 1)
    return hashed % 2**15


@given(ROWS, st.integers(2, 8))
def test_the_place_of_a_stretch_depends_on_its_tokens_alone(rows, longest):
    steps = max(map(len, rows))
    padded = torch.tensor([row + [0] * (steps - len(row)) for row in rows])
    found = places(padded, longest)
    assert found.shape == (len(rows), steps, longest - 1)
    for row, tokens in enumerate(rows):  # whatever stands beside it, or behind it
        for step in range(len(tokens)):
            for size in range(2, longest + 1):
                assert found[row, step, size - 2] == written_out(tokens, step, size)


def test_stretches_are_spread_over_the_table():
    pairs = torch.cartesian_prod(torch.arange(2, 102), torch.arange(2, 102))
    taken = len(places(pairs, 2)[:, 1, 0].unique())
    # No more of them meet in one place than of 10,000 draws at random.
    assert taken > 2**15 * (1 - (1 - 2**-15) ** len(pairs)) - 200


def test_a_step_is_its_token_beside_the_sum_of_what_ends_there():
    torch.manual_seed(0)
    layer = GramInput(TokenInput(30, 5), longest=3, size=4, dropout=0.5).eval()
    tokens = torch.randint(2, 30, (3, 6))
    read = layer({"tokens": tokens})
    assert read.shape == (3, 6, layer.size)
    torch.testing.assert_close(read[..., :5], layer.tokens({"tokens": tokens}))
    for row in range(3):
        for step in range(6):
            its = [written_out(tokens[row].tolist(), step, size) for size in (2, 3)]
            torch.testing.assert_close(read[row, step, 5:], layer.grams.weight[its].sum(0))
    assert not torch.equal(layer.train()({"tokens": tokens})[..., 5:], read[..., 5:])


@pytest.mark.parametrize("batch", [1, 2])
def test_every_stretch_is_learned(batch):
    layer = GramInput(TokenInput(9, 2), longest=2, size=3)
    layer({"tokens": torch.full((batch, 1), 4)})[..., 2:].sum().backward()
    used = layer.grams.weight.grad.abs().sum(1).nonzero().flatten().tolist()
    assert used == [written_out([4], 0, 2)]
