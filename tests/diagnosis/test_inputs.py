"""What decided an output equals the gradient that autograd has for the inputs."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import unrolled
from tests.tolerances import tolerance
from unrolled.diagnosis import input_gradients
from unrolled.errors import ConfigError
from unrolled.reporting.diagnosis.inputs import input_gradient

EXACT = tolerance(torch.float64, "gradient")


def equal(found, expected):
    torch.testing.assert_close(torch.tensor(found, dtype=torch.float64), expected, **EXACT)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from([nn.RNN, nn.GRU, nn.LSTM, unrolled.GRU, unrolled.LSTM]),
    form=st.sampled_from(["padded", "batch first", "single", "packed"]),
    layers=st.integers(1, 2),
    both=st.booleans(),
    learned=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_of_a_layer(kind, form, layers, both, learned, seed):
    torch.manual_seed(seed)
    layer = kind(3, 4, layers, batch_first=form == "batch first", bidirectional=both, dtype=torch.float64)
    below = nn.Linear(2, 3, dtype=torch.float64)
    raw = torch.randn(5, 2, 2, dtype=torch.float64)
    lengths = torch.tensor([3, 5])
    inputs = below(raw) if learned else below(raw).detach()
    weight = torch.randn(5, 2, 4 * (1 + both), dtype=torch.float64)

    def output_of(values):
        if form == "batch first":
            return layer(values.transpose(0, 1))[0].transpose(0, 1)
        if form == "single":
            return layer(values[:, 1])[0].unsqueeze(1) * torch.ones(2, 1, dtype=torch.float64)
        if form == "packed":
            packed = nn.utils.rnn.pack_padded_sequence(values, lengths, enforce_sorted=False)
            return nn.utils.rnn.pad_packed_sequence(layer(packed)[0])[0]
        return layer(values)[0]

    def loss():
        return (output_of(inputs) * weight).sin().sum()

    leaf = inputs.detach().clone().requires_grad_()
    (expected,) = torch.autograd.grad((output_of(leaf) * weight).sin().sum(), leaf)
    found = input_gradients(layer, loss, row=0 if form == "single" else 1)
    assert [each.layer for each in found] == [""]
    equal(found[0].norm, expected[:, 1].norm(dim=-1))
    equal(found[0].product, (expected * leaf.detach())[:, 1].sum(-1))
    assert all(parameter.grad is None for parameter in layer.parameters())


def test_of_a_cell_in_a_loop_and_a_layer_above_it():
    torch.manual_seed(0)
    model = nn.ModuleDict({"top": nn.GRU(4, 5), "cell": nn.LSTMCell(3, 4)}).double()
    inputs = torch.randn(6, 2, 3, dtype=torch.float64)

    def run(values):
        state, below = None, []
        for x in values:
            state = model["cell"](x, state)
            below.append(state[0])
        return model["top"](torch.stack(below))[0][3].sum()

    leaf = inputs.clone().requires_grad_()
    (expected,) = torch.autograd.grad(run(leaf), leaf)
    found = input_gradients(model, lambda: run(inputs))
    assert [each.layer for each in found] == ["cell", "top"]
    equal(found[0].norm, expected[:, 0].norm(dim=-1))
    assert [norm > 0 for norm in found[1].norm] == [True] * 4 + [False] * 2
    assert sum(found[0].share) == pytest.approx(1)
    drawn = input_gradient(found[0], list("abcdef")).svg()
    assert "What decided" not in drawn
    assert "<svg" in drawn


def test_one_that_runs_nothing_recurrent_is_refused():
    with pytest.raises(ConfigError, match="recurrent layer or cell"):
        input_gradients(nn.GRU(2, 3), lambda: torch.ones((), requires_grad=True))
