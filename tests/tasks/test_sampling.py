import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.writing.sampling import Sampling

scores = st.lists(st.floats(-6, 6), min_size=2, max_size=9).map(
    lambda xs: torch.tensor(xs, dtype=torch.float64)
)


@settings(max_examples=60, deadline=None)
@given(scores, st.integers(0, 10), st.floats(0.05, 1), st.floats(0.1, 3))
def test_what_may_come_is_the_most_probable_and_sums_to_one(scores, top_k, top_p, temperature):
    full = Sampling(temperature).probabilities(scores)
    cut = Sampling(temperature, top_k, top_p).probabilities(scores)
    kept = cut > 0
    assert float(cut.sum()) == pytest.approx(1)
    assert kept[full.argmax()]
    if top_k:
        assert kept.sum() <= top_k
    if kept.any() and not kept.all():
        assert full[kept].min() >= full[~kept].max()
    # Without its least probable member what is kept falls short of top_p.
    assert full[kept].sum() - full[kept].min() < top_p + 1e-9
    ratio = cut[kept] / full[kept]
    assert ratio.tolist() == pytest.approx([float(ratio[0])] * len(ratio))


@given(scores)
def test_top_k_of_one_and_temperature_zero_take_the_most_probable(scores):
    best = int(scores.argmax())
    assert int(Sampling(temperature=0).draw(scores[None], torch.rand(1))) == best
    assert Sampling(temperature=0).probabilities(scores)[best] == 1
    only = int(Sampling(top_k=1).draw(scores[None], torch.rand(1)))
    assert float(scores[only]) == pytest.approx(float(scores[best]))


def test_draws_follow_the_probabilities():
    scores = torch.tensor([0.6, 0.3, 0.1]).log().expand(20_000, 3)
    drawn = Sampling().draw(scores, torch.rand(20_000, generator=torch.Generator().manual_seed(1)))
    assert (drawn.bincount(minlength=3) / 20_000).tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.02)


@pytest.mark.parametrize("options", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}])
def test_options_outside_their_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        Sampling(**options)


@pytest.mark.parametrize("temperature", [1e-3, 1e-30, 1e-45, 5e-324, 1e30])
@pytest.mark.parametrize("scores", [[0.0, 5.0, -3.0], [1e4, -1e4, 9e3], [-1e30, -2e30, -3e30]])
def test_however_cold_or_hot_a_symbol_is_drawn(temperature, scores):
    sampling = Sampling(temperature)
    rows = torch.tensor([scores] * 3)
    assert torch.allclose(sampling.probabilities(rows).sum(-1), torch.ones(3))
    drawn = sampling.draw(rows, torch.tensor([0.0, 0.5, 1 - 2**-24]))
    assert (drawn < 3).all()
    if temperature < 1e-20:
        assert (drawn == rows.argmax(-1)).all()
