import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.sampling import Sampling, beam_search

scores = st.lists(st.floats(-6, 6), min_size=2, max_size=9).map(
    lambda xs: torch.tensor(xs, dtype=torch.float64)
)


def markov(vocabulary, seed):
    """A model whose next symbol depends on the last one only; its state counts the steps, to be reordered."""
    table = torch.randn(vocabulary, vocabulary, generator=torch.Generator().manual_seed(seed)).double() * 2

    def step(symbols, state):
        return table[symbols], state + 1

    return step, table


def log_probability(symbols, first, table):
    rows = [first, *(table[symbol] for symbol in symbols[:-1])]
    return sum(float(row.log_softmax(-1)[symbol]) for row, symbol in zip(rows, symbols, strict=True))


def greedy(step, scores, state, length, stop):
    symbols = []
    while len(symbols) < length:
        symbol = int(scores.argmax())
        symbols.append(symbol)
        if symbol == stop:
            break
        scores, state = step(torch.tensor([symbol]), state)
    return tuple(symbols)


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
    assert int(Sampling(temperature=0).draw(scores[None])) == best
    assert Sampling(temperature=0).probabilities(scores)[best] == 1
    assert float(scores[int(Sampling(top_k=1).draw(scores[None]))]) == pytest.approx(float(scores[best]))


def test_draws_follow_the_probabilities_and_the_seed():
    scores = torch.tensor([0.6, 0.3, 0.1]).log().expand(20_000, 3)
    drawn = Sampling().draw(scores, torch.Generator().manual_seed(1))
    again = Sampling().draw(scores, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, again)
    assert (drawn.bincount(minlength=3) / 20_000).tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.02)


@pytest.mark.parametrize("options", [{"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}])
def test_options_outside_their_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        Sampling(**options)


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_of_one_is_greedy(seed):
    step, table = markov(5, seed)
    first, state = table[:1], torch.zeros(1, 1, 1)
    best = beam_search(step, first, state, width=1, length=6, stop=0)
    assert [h.symbols for h in best] == [greedy(step, first, state, 6, 0)]


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_is_exhaustive_search(seed):
    step, table = markov(3, seed)
    first = table[:1]
    found = beam_search(step, first, torch.zeros(1, 1, 1), width=81, length=4, stop=2)
    every = [
        (*body, last)
        for length in range(1, 5)
        for *body, last in itertools.product(range(3), repeat=length)
        if 2 not in body and (last == 2 or length == 4)
    ]
    expected = {symbols: log_probability(symbols, first[0], table) for symbols in every}
    assert {h.symbols: h.log_probability for h in found} == pytest.approx(expected)
    totals = [h.log_probability for h in found]
    assert totals == sorted(totals, reverse=True)
    assert sum(math.exp(h.log_probability) for h in found) == pytest.approx(1)
    assert all(h.finished == (h.symbols[-1] == 2) for h in found)
    assert found[0].log_probability >= log_probability(
        greedy(step, first, torch.zeros(1, 1, 1), 4, 2), first[0], table
    )


def test_each_hypothesis_keeps_its_own_state():
    seen = {}

    def step(symbols, state):
        state = state * 10 + symbols.view(1, -1, 1)
        for value in state.flatten().tolist():
            seen[value] = True
        return torch.tensor([[0.0, 0.1, 0.2]]).expand(len(symbols), 3), state

    found = beam_search(step, torch.tensor([[0.0, 0.1, 0.2]]), torch.zeros(1, 1, 1), width=3, length=3)
    prefixes = {int("".join(map(str, h.symbols[:2]))) for h in found}
    assert prefixes <= {int(value) for value in seen}


def test_a_width_below_one_is_refused():
    step, table = markov(3, 0)
    with pytest.raises(ConfigError, match="width"):
        beam_search(step, table[:1], torch.zeros(1, 1, 1), width=0, length=3)
