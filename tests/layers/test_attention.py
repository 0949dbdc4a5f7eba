"""Attention, against its equations written out for one query."""

import pytest
import torch

from tests.tolerances import tolerance
from unrolled.errors import ConfigError
from unrolled.layers.attention import AdditiveAttention, MultiplicativeAttention, build_attention

VALUE = tolerance(torch.float64, "value")


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def by_hand(attention, query, values):
    keys = values @ attention.key.weight.T
    if isinstance(attention, AdditiveAttention):
        inner = torch.tanh(query @ attention.query.weight.T + attention.query.bias + keys)
        scores = inner @ attention.energy.weight[0]
    else:
        scores = keys @ query
    weights = scores.softmax(0)
    return weights @ values, weights


@pytest.mark.parametrize("kind", ["additive", "multiplicative"])
def test_it_follows_its_equation_over_the_real_steps(kind):
    attention = build_attention(kind, query_size=3, memory_size=4).double()
    values, lengths = torch.randn(3, 5, 4).double(), torch.tensor([5, 2, 1])
    queries = torch.randn(3, 2, 3).double()
    contexts, weights = attention(queries, attention.remember(values, lengths))
    for row, length in enumerate(lengths.tolist()):
        for step in range(2):
            context, expected = by_hand(attention, queries[row, step], values[row, :length])
            torch.testing.assert_close(contexts[row, step], context, **VALUE)
            torch.testing.assert_close(weights[row, step, :length], expected, **VALUE)
            assert (weights[row, step, length:] == 0).all()


@pytest.mark.parametrize("kind", [AdditiveAttention, MultiplicativeAttention])
def test_padding_is_never_read(kind):
    attention = kind(3, 4)
    values = torch.randn(2, 5, 4, requires_grad=True)
    queries = torch.randn(2, 2, 3)
    contexts, _ = attention(queries, attention.remember(values, torch.tensor([3, 0])))
    assert (contexts[1] == 0).all()
    contexts.sum().backward()
    assert (values.grad[0, 3:] == 0).all()
    assert (values.grad[1] == 0).all()
    assert values.grad[0, :3].abs().sum() > 0


def test_a_memory_of_some_rows():
    attention = MultiplicativeAttention(3, 4)
    symbols = torch.arange(10).view(2, 5)
    memory = attention.remember(torch.randn(2, 5, 4), torch.tensor([5, 2]), symbols)
    one = memory.select(torch.tensor([1]))
    assert torch.equal(one.values, memory.values[1:])
    assert torch.equal(one.keys, memory.keys[1:])
    assert one.real.tolist() == [[True, True, False, False, False]]
    assert one.symbols.tolist() == [[5, 6, 7, 8, 9]]


def test_none_and_unknown_kinds():
    assert build_attention("none", 3, 4) is None
    with pytest.raises(ConfigError, match="expected attention to be one of none, additive, multiplicative"):
        build_attention("soft", 3, 4)
