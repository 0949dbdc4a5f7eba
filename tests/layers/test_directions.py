"""Outputs side by side: what torch.cat makes, whoever asks and however often it is differentiated."""

import pytest
import torch

from unrolled.layers.directions import side_by_side
from unrolled.ops.native.memory import LARGE


@pytest.mark.parametrize("large", [False, True])
def test_outputs_and_every_derivative_are_those_of_cat(large):
    rows = LARGE // 64 if large else 3
    halves = [torch.randn(rows, 2, 8, requires_grad=True) for _ in range(2)]

    def derivatives(join):
        joined = join(*halves)
        assert joined.shape == (rows, 2, 16)
        first = torch.autograd.grad(joined.pow(3).sum(), halves, create_graph=True)
        second = torch.autograd.grad(sum(each.square().sum() for each in first), halves)
        upstream = torch.randn(2, *joined.shape, generator=torch.Generator().manual_seed(0))
        batched = torch.autograd.grad(join(*halves), halves, upstream, is_grads_batched=True)
        return [joined, *first, *second, *batched]

    expected = derivatives(lambda *both: torch.cat(both, -1))
    for found, wanted in zip(derivatives(side_by_side), expected, strict=True):
        assert torch.equal(found, wanted)


def test_a_large_output_can_be_changed_in_place():
    halves = [torch.randn(LARGE // 64, 2, 8, requires_grad=True) for _ in range(2)]
    joined = side_by_side(*halves)
    joined.mul_(2).sum().backward()
    assert all(torch.equal(half.grad, torch.full_like(half, 2)) for half in halves)


def test_where_something_looks_on_torch_joins_them():
    halves = [torch.randn(LARGE // 64, 2, 8) for _ in range(2)]
    total, tangents = torch.func.vjp(side_by_side, *halves)
    assert torch.equal(total, torch.cat(halves, -1))
    assert all(torch.equal(each, torch.ones(LARGE // 64, 2, 8)) for each in tangents(torch.ones_like(total)))
