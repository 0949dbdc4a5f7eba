"""The table of weights counts every parameter once, under the textbook's symbol."""

import pytest
import torch

from unrolled.inspection.weights import weights
from unrolled.layers import GRU, LSTM, RNN


@pytest.mark.parametrize(
    ("layer", "symbols"),
    [
        (RNN(3, 4), ["W_xh", "W_hh", "b_xh", "b_hh"]),
        (GRU(3, 4), ["W_x{r,z,n}", "W_h{r,z,n}", "b_x{r,z,n}", "b_h{r,z,n}"]),
        (LSTM(3, 4), ["W_x{i,f,g,o}", "W_h{i,f,g,o}", "b_x{i,f,g,o}", "b_h{i,f,g,o}"]),
    ],
)
def test_symbols_of_the_three_cells(layer, symbols):
    assert [weight.symbol for weight in weights(layer)] == symbols


def test_layers_and_directions_are_told_apart():
    rows = {weight.name: weight.symbol for weight in weights(RNN(3, 4, num_layers=2, bidirectional=True))}
    assert rows["weight_hh_l0"] == "W_hh (1)"
    assert rows["weight_hh_l1_reverse"] == "W_hh (2) ←"


@pytest.mark.parametrize(
    "layer",
    [
        LSTM(3, 5, peepholes=True, layer_norm=True, initial_state="learned"),
        LSTM(3, 5, proj_size=2, bidirectional=True, num_layers=2),
        GRU(3, (5, 4), num_layers=2, layer_norm=True, initial_state="learned"),
    ],
)
def test_the_size_in_letters_is_the_size_in_numbers(layer):
    for weight in weights(layer):
        assert weight.formula, weight.name
        assert weight.symbol != weight.name, weight.name
        values = {"H": [5, 4], "P": [2], "I": [3, 4, 5]}
        for factor, size in zip(weight.formula.split(" × "), weight.size, strict=True):
            number, letter = factor.rstrip("HPI"), factor.lstrip("0123456789")
            possible = [int(number or 1) * value for value in values.get(letter, [1])]
            assert size in possible, weight.name


def test_tied_weights_count_once():
    model = torch.nn.Module()
    model.embedding = torch.nn.Embedding(7, 3)
    model.output = torch.nn.Linear(3, 7)
    model.output.weight = model.embedding.weight
    rows = weights(model)
    assert [row.symbol for row in rows] == ["E", "b_y"]
    assert sum(row.count for row in rows) == 7 * 3 + 7
