"""Beam search, against greedy decoding and against trying everything."""

import itertools
import math

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.tasks.writing.beam_search import beam_search


def markov(vocabulary, seed):
    """A model whose next symbol depends on the last one only."""
    table = torch.randn(vocabulary, vocabulary, generator=torch.Generator().manual_seed(seed)).double() * 2

    def step(symbols, state, sequences):
        return table[symbols], state + 1

    return step, table


def log_probability(symbols, first, table):
    rows = [first, *(table[symbol] for symbol in symbols[:-1])]
    return sum(float(row.log_softmax(-1)[symbol]) for row, symbol in zip(rows, symbols, strict=True))


def greedy(step, scores, length, stop):
    symbols = []
    while len(symbols) < length:
        symbol = int(scores.argmax())
        symbols.append(symbol)
        if symbol == stop:
            break
        scores, _ = step(torch.tensor([symbol]), torch.zeros(1, 1, 1), None)
    return tuple(symbols)


def starts(rows):
    return torch.zeros(1, rows, 1)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_of_one_is_greedy(penalty):
    for seed in range(8):
        step, table = markov(5, seed)
        found = beam_search(step, table, starts(5), width=1, length=6, stop=0, length_penalty=penalty)
        assert [[h.symbols for h in each] for each in found] == [
            [greedy(step, row[None], 6, 0)] for row in table
        ]


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_is_exhaustive_search(seed):
    step, table = markov(3, seed)
    every = [
        (*body, last)
        for length in range(1, 5)
        for *body, last in itertools.product(range(3), repeat=length)
        if 2 not in body and (last == 2 or length == 4)
    ]
    for first, found in zip(table, beam_search(step, table, starts(3), 81, 4, stop=2), strict=True):
        expected = {symbols: log_probability(symbols, first, table) for symbols in every}
        assert {h.symbols: h.log_probability for h in found} == pytest.approx(expected)
        totals = [h.log_probability for h in found]
        assert totals == sorted(totals, reverse=True)
        assert sum(math.exp(h.log_probability) for h in found) == pytest.approx(1)
        assert all(h.finished == (h.symbols[-1] == 2) for h in found)
        assert found[0].log_probability >= log_probability(greedy(step, first[None], 4, 2), first, table)


def test_each_hypothesis_keeps_its_own_state():
    seen = set()

    def step(symbols, state, sequences):
        state = state * 10 + symbols.view(1, -1, 1)
        seen.update(map(int, state.flatten().tolist()))
        return torch.tensor([[0.0, 0.1, 0.2]]).expand(len(symbols), 3), state

    (found,) = beam_search(step, torch.tensor([[0.0, 0.1, 0.2]]), starts(1), width=3, length=3)
    assert {int("".join(map(str, h.symbols[:2]))) for h in found} <= seen


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("penalty", [0.0, 0.8])
def test_a_sequence_alone_and_among_others_gets_the_same(width, penalty):
    step, table = markov(6, seed=9)
    limits = torch.tensor([7, 1, 4, 9, 2, 7])
    together = beam_search(step, table, starts(6), width, limits, stop=0, length_penalty=penalty)
    for row, found in enumerate(together):
        (alone,) = beam_search(
            step, table[row : row + 1], starts(1), width, int(limits[row]), stop=0, length_penalty=penalty
        )
        assert found == alone
        assert max(len(h.symbols) for h in found) <= limits[row]


def test_the_step_is_told_which_sequences_are_still_open():
    """Each sequence counts down from its own number, then stops; its rows are told apart by `sequences`."""
    told = []

    def step(symbols, state, sequences):
        told.append(sequences.tolist())
        return counted(state - 1), state - 1

    def counted(state):
        # Symbol 0 once the count is at 0, else symbol 1.
        at_end = (state[0] <= 0).double() * 10
        return torch.cat([at_end, 10 - at_end], dim=1)

    counts = torch.tensor([2.0, 0.0, 4.0]).view(1, 3, 1)
    found = beam_search(step, counted(counts), counts, width=1, length=10, stop=0)
    assert [len(each[0].symbols) for each in found] == [3, 1, 5]
    assert told == [[0, 2], [0, 2], [2], [2]]


def test_the_penalty_favours_longer_ones():
    table = torch.tensor([[0.0, 0.2], [0.0, 1.0]]).double()

    def step(symbols, state, sequences):
        return table[symbols], state

    lengths = []
    for penalty in (0.0, 2.0):
        ((best, *_),) = beam_search(step, table[:1], starts(1), 4, 12, stop=0, length_penalty=penalty)
        assert best.score == pytest.approx(best.log_probability / ((5 + len(best.symbols)) / 6) ** penalty)
        lengths.append(len(best.symbols))
    assert lengths[0] < lengths[1]


def test_what_has_no_probability_is_never_written():
    def step(symbols, state, sequences):
        return torch.tensor([[0.0, -math.inf, -math.inf]]).expand(len(symbols), 3), state

    (found,) = beam_search(step, torch.tensor([[0.0, 0.0, -math.inf]]), starts(1), width=4, length=2)
    assert sorted(h.symbols for h in found) == [(0, 0), (1, 0)]


@pytest.mark.parametrize("options", [{"width": 0}, {"length": 0}, {"length_penalty": -1.0}])
def test_options_outside_their_range_are_refused(options):
    step, table = markov(3, 0)
    with pytest.raises(ConfigError, match=next(iter(options))):
        beam_search(step, table[:1], starts(1), **{"width": 1, "length": 3} | options)
