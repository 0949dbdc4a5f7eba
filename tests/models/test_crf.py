"""The linear-chain CRF against the enumeration of every path."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tolerances import tolerance
from unrolled.data.batches import Batch
from unrolled.models.crf import TransitionScores, best_path, log_partition, marginals, path_score
from unrolled.tasks.crf_loss import PathLikelihood


def scored(tags, emissions, seed):
    """A CRF with random weights, and the potentials of its emissions."""
    generator = torch.Generator().manual_seed(seed)
    crf = TransitionScores(tags).double()
    for weight in crf.parameters():
        weight.data = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    return crf, torch.randn(emissions, generator=generator, dtype=torch.float64)


def enumerated(crf, emissions):
    """Every path of one row with its score, from the definition."""
    for path in itertools.product(range(emissions.shape[1]), repeat=len(emissions)):
        score = crf.start[path[0]] + crf.end[path[-1]]
        score = score + sum(emissions[t, tag] for t, tag in enumerate(path))
        score = score + sum(crf.transition[i, j] for i, j in itertools.pairwise(path))
        yield path, score


@settings(max_examples=25, deadline=None)
@given(
    tags=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    seed=st.integers(0, 2**16),
)
def test_partition_and_best_path_are_those_of_the_enumeration(tags, lengths, seed):
    crf, emissions = scored(tags, (len(lengths), max(lengths), tags), seed)
    lengths = torch.tensor(lengths)
    potentials = crf(emissions, lengths)
    totals, best = log_partition(potentials, lengths), best_path(potentials, lengths)
    chances = marginals(potentials, lengths)
    for row, length in enumerate(lengths.tolist()):
        paths = dict(enumerated(crf, emissions[row, :length]))
        expected = torch.logsumexp(torch.stack(list(paths.values())), 0)
        torch.testing.assert_close(totals[row], expected, **tolerance(torch.float64, "value"))
        assert tuple(best[row, :length].tolist()) == max(paths, key=lambda path: paths[path])
        assert not best[row, length:].any()
        for step, tag in itertools.product(range(length), range(tags)):
            through = torch.stack([score for path, score in paths.items() if path[step] == tag])
            share = (torch.logsumexp(through, 0) - expected).exp()
            torch.testing.assert_close(chances[row, step, tag], share, **tolerance(torch.float64, "value"))


def test_path_score_is_the_definition():
    crf, emissions = scored(3, (1, 4, 3), seed=1)
    lengths = torch.tensor([4])
    for path, score in enumerated(crf, emissions[0]):
        found = path_score(crf(emissions, lengths), torch.tensor([path]), lengths)
        torch.testing.assert_close(found[0], score, **tolerance(torch.float64, "value"))


def test_probabilities_of_all_paths_add_up_to_one():
    crf, emissions = scored(3, (1, 3, 3), seed=2)
    lengths = torch.tensor([3])
    potentials = crf(emissions, lengths)
    scores = [
        path_score(potentials, torch.tensor([path]), lengths) for path, _ in enumerated(crf, emissions[0])
    ]
    total = (torch.stack(scores) - log_partition(potentials, lengths)).exp().sum()
    torch.testing.assert_close(
        total, torch.ones((), dtype=torch.float64), **tolerance(torch.float64, "value")
    )


def test_gradients_of_the_loss():
    crf, emissions = scored(3, (3, 4, 3), seed=3)
    lengths = torch.tensor([4, 0, 2])
    tags = torch.randint(3, (3, 4), generator=torch.Generator().manual_seed(0))
    weights = [weight.detach().requires_grad_() for weight in (crf.start, crf.transition, crf.end)]

    def loss(emissions, start, transition, end):
        potentials = torch.func.functional_call(
            crf, {"start": start, "transition": transition, "end": end}, (emissions, lengths)
        )
        return PathLikelihood()(potentials, Batch({}, lengths, tags, True)).total

    assert torch.autograd.gradcheck(loss, (emissions.requires_grad_(), *weights))


def test_padding_changes_nothing():
    crf, emissions = scored(3, (2, 3, 3), seed=4)
    lengths = torch.tensor([3, 2])
    padded = torch.cat([emissions, torch.full((2, 2, 3), 50.0, dtype=torch.float64)], dim=1)
    assert torch.equal(
        log_partition(crf(emissions, lengths), lengths), log_partition(crf(padded, lengths), lengths)
    )
    assert torch.equal(
        best_path(crf(emissions, lengths), lengths), best_path(crf(padded, lengths), lengths)[:, :3]
    )


@pytest.mark.parametrize("time", [0, 2])
def test_a_row_without_steps_has_one_empty_path(time):
    crf, emissions = scored(2, (1, time, 2), seed=5)
    lengths = torch.tensor([0])
    potentials = crf(emissions, lengths)
    tags = torch.zeros(1, time, dtype=torch.int64)
    assert log_partition(potentials, lengths).tolist() == [0.0]
    assert path_score(potentials, tags, lengths).tolist() == [0.0]
    assert best_path(potentials, lengths).tolist() == tags.tolist()


@pytest.mark.parametrize(("reduction", "count"), [("mean", 5), ("sum", 2)])
def test_loss_divides_by_steps_or_by_sequences(reduction, count):
    crf, emissions = scored(2, (3, 3, 2), seed=6)
    lengths = torch.tensor([3, 0, 2])
    batch = Batch({}, lengths, torch.zeros(3, 3, dtype=torch.int64), True)
    assert PathLikelihood(reduction)(crf(emissions, lengths), batch).count == count
