import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.ops.draws import draw, draw_reference
from unrolled.ops.native import library, plain_torch
from unrolled.ops.native.draws import draw as draw_on_library


@settings(max_examples=50)
@given(
    count=st.one_of(st.integers(0, 20), st.integers(500, 530), st.integers(20_000, 40_000)),
    seed=st.integers(-(2**63), 2**63 - 1),
    limit=st.integers(-(2**15) - 1, 2**15 - 1),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    threads=st.integers(1, 3),
)
@pytest.mark.parametrize("instruction_set", library.choices())
def test_the_library_draws_what_the_reference_draws(instruction_set, count, seed, limit, dtype, threads):
    torch.set_num_threads(threads)
    like = torch.empty((), dtype=dtype)
    expected = draw_reference((count,), torch.tensor(seed), limit, like)
    with library.instruction_set(instruction_set):
        assert torch.equal(draw_on_library((count,), seed, limit, like), expected)


def test_the_numbers_are_those_of_split_mix():
    # The first three after the seed 1234567, as the algorithm's authors' program prints them.
    first = 6457827717110365317, 3203168211198807973, 9817491932198370423
    expected = [
        float(number >> 16 * part & 0xFFFF ^ 0x8000 <= 2**15) for number in first for part in range(4)
    ]
    assert draw_reference((12,), torch.tensor(1234567), 0, torch.empty(())).tolist() == expected


@pytest.mark.parametrize("share", [0.0, 1e-7, 0.1, 0.5, 0.999, 1.0])
def test_so_many_are_one(share):
    torch.manual_seed(0)
    drawn = draw((1000, 1000), share, torch.empty(()))
    assert abs(float(drawn.mean()) - share) < 5 * (share * (1 - share) / drawn.numel()) ** 0.5 + 2**-17
    neighbours = torch.corrcoef(torch.stack([drawn[:, :-1].flatten(), drawn[:, 1:].flatten()]))[0, 1]
    assert share in (0.0, 1e-7, 1.0) or abs(float(neighbours)) < 0.005


def test_a_seed_repeats_them_with_and_without_the_library():
    def drawn():
        torch.manual_seed(3)
        return [draw((7, 5), 0.5, torch.empty(())) for _ in range(2)]

    first, second = drawn()
    assert not torch.equal(first, second)
    with plain_torch():
        assert all(torch.equal(one, other) for one, other in zip((first, second), drawn(), strict=True))
