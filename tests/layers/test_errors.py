"""What does not fit is refused with what was expected and what came."""

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import unrolled
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import build_recurrent


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (torch.ones(4), r"3 dimensions, or 2 for a single sequence, got \(4,\)"),
        (torch.ones(2, 2, 2, 4), r"3 dimensions, or 2 for a single sequence, got \(2, 2, 2, 4\)"),
        (torch.ones(6, 2, 5), r"input_size=4 features in the last dimension, got \(6, 2, 5\)"),
        (torch.ones(0, 2, 4), r"at least one time step"),
        (torch.ones(6, 2, 4, dtype=torch.float64), r"type torch.float32, got torch.float64"),
    ],
    ids=["one dimension", "four dimensions", "features", "no steps", "type"],
)
def test_inputs(inputs, message):
    with pytest.raises(ShapeError, match=message):
        unrolled.LSTM(4, 5)(inputs)


@pytest.mark.parametrize(
    ("layer", "state", "message"),
    [
        (unrolled.GRU(4, 5), torch.zeros(1, 3, 5), r"h_0 of shape \(1, 2, 5\), got \(1, 3, 5\)"),
        (unrolled.GRU(4, 5), torch.zeros(2, 5), r"h_0 of shape \(1, 2, 5\), got \(2, 5\)"),
        (unrolled.GRU(4, 5), (torch.zeros(1, 2, 5),), r"h_0 of shape \(1, 2, 5\), got \(\(1, 2, 5\),\)"),
        (unrolled.LSTM(4, 5), torch.zeros(1, 2, 5), r"2 parts \(h, c\), got \(1, 2, 5\)"),
        (unrolled.LSTM(4, 5), (torch.zeros(1, 2, 5), torch.zeros(1, 2, 4)), r"c_0 of shape \(1, 2, 5\)"),
        (unrolled.LSTM(4, 5), [torch.zeros(1, 2, 5)] * 2, r"2 parts \(h, c\), got list"),
        (unrolled.GRU(4, (5, 3), 2), torch.zeros(2, 2, 5), r"shape \(\(1, 2, 5\), \(1, 2, 3\)\), got"),
    ],
    ids=["rows", "dimensions", "nested", "one part", "cell", "a list", "widths"],
)
def test_states(layer, state, message):
    with pytest.raises(ShapeError, match=message):
        layer(torch.ones(6, 2, 4), state)


def test_lengths_beside_a_packed_sequence():
    with pytest.raises(ShapeError, match="expected lengths=None"):
        unrolled.GRU(4, 5)(pack_sequence([torch.ones(3, 4)]), lengths=torch.tensor([3]))


def test_unrolling_a_packed_sequence():
    with pytest.raises(ShapeError, match="pass lengths"):
        unrolled.GRU(4, 5).unroll(pack_sequence([torch.ones(3, 4)]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: unrolled.GRU(0, 5), "input_size to be a whole number of at least 1, got 0"),
        (lambda: unrolled.GRU(4, 5.0), "hidden_size"),
        (lambda: unrolled.GRU(4, 5, 0), "num_layers to be a whole number of at least 1, got 0"),
        (lambda: unrolled.GRU(4, (5, 3)), r"each of num_layers=1 layers, got \(5, 3\)"),
        (lambda: unrolled.GRU(4, 5, dropout=1.5), "dropout to be a share between 0 and 1, got 1.5"),
        (lambda: unrolled.GRU(4, 5, zoneout=(0.1, 0.2)), "a zoneout for h, got"),
        (lambda: unrolled.GRU(4, 5, initial_state="ones"), "one of zeros, learned, random, got 'ones'"),
        (lambda: unrolled.GRU(4, 5, recurrent_init="zeros"), "one of uniform, orthogonal, identity, xavier"),
        (lambda: unrolled.GRU(4, 5, bias=False, chrono=9), "bias=True"),
        (lambda: unrolled.GRU(4, 5, chrono=2), "above 2 steps, got 2"),
        (lambda: unrolled.LSTM(4, 5, forget_bias=1.0, chrono=9), "one of them"),
        (lambda: unrolled.LSTM(4, 5, proj_size=5), "proj_size below hidden_size=5, got 5"),
        (lambda: unrolled.RNN(4, 5, nonlinearity="gelu"), "one of tanh, relu, sigmoid, identity, got 'gelu'"),
        (lambda: build_recurrent("transformer", 4, 5), r"one of rnn, gru, lstm, .*got 'transformer'"),
        (lambda: build_recurrent("gru", 4, 5, peepholes=True), "peepholes is an option of cell='lstm'"),
        (lambda: build_recurrent("lstm", 4, 5, activation="relu"), "nonlinearity is an option of cell='rnn'"),
    ],
)
def test_options(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_options_that_are_off_are_no_options():
    off = {"peepholes": False, "projection_size": 0, "forget_bias": None, "activation": None}
    assert isinstance(build_recurrent("gru", 4, 5, **off), unrolled.GRU)
    assert build_recurrent("lstm", 4, 5, forget_bias=0.0, projection_size=2).proj_size == 2
