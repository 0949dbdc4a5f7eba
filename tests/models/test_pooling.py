"""Pooling looks at real steps only."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.models.pooling import AttentionStep, last_step, max_step, mean_step

KINDS = {
    "last": last_step,
    "last, both directions": lambda outputs, lengths: last_step(outputs, lengths, bidirectional=True),
    "mean": mean_step,
    "max": max_step,
    "attention": None,
}


@pytest.fixture(params=KINDS)
def pool(request):
    torch.manual_seed(0)
    return KINDS[request.param] or AttentionStep(4).double()


def test_padding_changes_nothing(pool):
    torch.manual_seed(1)
    rows = [torch.randn(length, 4, dtype=torch.float64) for length in (3, 1, 5)]
    padded = torch.full((3, 6, 4), 1e6, dtype=torch.float64)
    for row, steps in enumerate(rows):
        padded[row, : len(steps)] = steps
    together = pool(padded, torch.tensor([3, 1, 5]))
    for row, steps in enumerate(rows):
        alone = pool(steps.unsqueeze(0), torch.tensor([len(steps)]))
        torch.testing.assert_close(together[row], alone[0], **tolerance(torch.float64, "value"))


@pytest.mark.parametrize("time", [0, 3])
def test_no_steps_give_zeros(pool, time):
    outputs = torch.ones(2, time, 4, dtype=torch.float64)
    assert pool(outputs, torch.tensor([0, 0])).tolist() == [[0.0] * 4] * 2


def test_gradients_stay_within_the_length(pool):
    torch.manual_seed(2)
    outputs = torch.randn(3, 4, 4, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([2, 0, 4])
    assert torch.autograd.gradcheck(lambda outputs: pool(outputs, lengths), outputs)
    pool(outputs, lengths).sum().backward()
    assert not outputs.grad[0, 2:].any()
    assert not outputs.grad[1].any()


def test_values():
    outputs = torch.tensor([[[1.0, 8.0], [3.0, 2.0], [9.0, 9.0]]])
    lengths = torch.tensor([2])
    assert last_step(outputs, lengths).tolist() == [[3.0, 2.0]]
    assert last_step(outputs, lengths, bidirectional=True).tolist() == [[3.0, 8.0]]
    assert mean_step(outputs, lengths).tolist() == [[2.0, 5.0]]
    assert max_step(outputs, lengths).tolist() == [[3.0, 8.0]]


def test_attention_weights_add_up_to_one_and_pick_the_step_that_scores():
    attention = AttentionStep(1)
    torch.nn.init.constant_(attention.projection.weight, 5.0)
    torch.nn.init.zeros_(attention.projection.bias)
    torch.nn.init.constant_(attention.context.weight, 20.0)
    outputs = torch.tensor([[[-1.0], [1.0], [-1.0], [1.0]]])
    weights = attention.weights(outputs, torch.tensor([3]))
    torch.testing.assert_close(weights, torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
