"""What programs written for torch.nn do with a layer besides calling it."""

import pytest
import torch

import unrolled
from unrolled.errors import ConfigError, ShapeError

CELLS = ["RNN", "GRU", "LSTM"]


@pytest.mark.parametrize("cell", CELLS)
def test_arguments_by_torchs_names(cell):
    layer = getattr(unrolled, cell)(3, 4)
    values = torch.randn(5, 2, 3)
    state = layer.initial_state(2)
    assert torch.equal(layer(input=values, hx=state)[0], layer(values, state)[0])


@pytest.mark.parametrize("lengths", [[3, 5], (3, 5), torch.tensor([3, 5], dtype=torch.int32)])
def test_lengths_of_any_sequence(lengths):
    layer = unrolled.GRU(3, 4)
    values = torch.randn(5, 2, 3)
    right = layer(values, lengths=torch.tensor([3, 5]))[0]
    assert torch.equal(layer(values, lengths=lengths)[0], right)
    torch.testing.assert_close(layer.unroll(values, lengths=lengths).output, right)


def test_a_length_for_one_sequence():
    layer = unrolled.GRU(3, 4)
    assert layer(torch.randn(5, 3), lengths=2)[0][2:].eq(0).all()


@pytest.mark.parametrize("lengths", [["a", 1], [1.5, 2], [[1], [2, 3]]])
def test_lengths_that_are_none_are_refused(lengths):
    with pytest.raises(ShapeError, match="expected lengths of whole numbers"):
        unrolled.GRU(3, 4)(torch.randn(5, 2, 3), lengths=lengths)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bias", [True, False])
def test_all_weights_and_mode(cell, bias):
    theirs = getattr(torch.nn, cell)(3, 4, 2, bias=bias, bidirectional=True)
    ours = getattr(unrolled, cell)(3, 4, 2, bias=bias, bidirectional=True)
    ours.load_state_dict(theirs.state_dict())
    assert ours.mode == theirs.mode
    for own, other in zip(ours.all_weights, theirs.all_weights, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(own, other, strict=True))


def test_the_mode_of_another_activation():
    assert unrolled.RNN(3, 4, nonlinearity="relu").mode == torch.nn.RNN(3, 4, nonlinearity="relu").mode


def test_dropout_that_acts_nowhere_is_said():
    with pytest.warns(UserWarning, match="dropout acts between layers"):
        unrolled.GRU(3, 4, dropout=0.5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit itself
def test_script_is_refused_in_a_sentence():
    with pytest.raises(ConfigError, match=r"torch\.jit\.script cannot compile GRU"):
        torch.jit.script(torch.nn.Sequential(unrolled.GRU(3, 4)))


@pytest.mark.parametrize("cell", CELLS)
def test_a_change_in_place_of_the_output_is_refused_on_the_way_back(cell):
    layer = getattr(unrolled, cell)(3, 4)
    changed = torch.relu_(layer(torch.randn(5, 2, 3))[0])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        changed.sum().backward()
