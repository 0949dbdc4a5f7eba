import math

import pytest
import torch

import unrolled
from tests.tolerances import tolerance

FLOAT32 = tolerance(torch.float32, "value")
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@pytest.mark.parametrize("cell", GATES)
def test_orthogonal_gate_by_gate(cell):
    layer = getattr(unrolled, cell)(3, 8, recurrent_init="orthogonal", bidirectional=True)
    for weight in (layer.weight_hh_l0, layer.weight_hh_l0_reverse):
        for block in weight.chunk(GATES[cell]):
            torch.testing.assert_close(block @ block.t(), torch.eye(8), **FLOAT32)


@pytest.mark.parametrize("cell", GATES)
def test_identity_gate_by_gate(cell):
    layer = getattr(unrolled, cell)(3, 8, recurrent_init="identity")
    assert torch.equal(layer.weight_hh_l0, torch.eye(8).repeat(GATES[cell], 1))


@pytest.mark.parametrize("cell", GATES)
def test_xavier_takes_its_bound_from_one_gate(cell):
    layer = getattr(unrolled, cell)(3, 50, recurrent_init="xavier")
    bound = math.sqrt(6 / 100)
    assert 0.98 * bound < layer.weight_hh_l0.abs().max() <= bound


def test_uniform_keeps_within_torchs_bound():
    layer = unrolled.LSTM(3, (64, 16), 2)
    assert 0.98 / 8 < layer.weight_hh_l0.abs().max() <= 1 / 8
    assert 0.98 / 4 < layer.weight_hh_l1.abs().max() <= 1 / 4


def test_the_recurrent_start_leaves_the_others_as_the_seed_gives_them():
    layers = []
    for kind in ("uniform", "orthogonal"):
        torch.manual_seed(0)
        layers.append(unrolled.GRU(3, 8, 2, recurrent_init=kind).state_dict())
    for name in layers[0]:
        assert torch.equal(layers[0][name], layers[1][name]) == ("weight_hh" not in name), name


def test_forget_bias():
    layer = unrolled.LSTM(3, 8, 2, forget_bias=1.5)
    for suffix in ("l0", "l1"):
        total = getattr(layer, f"bias_ih_{suffix}") + getattr(layer, f"bias_hh_{suffix}")
        assert torch.equal(total.chunk(4)[1], torch.full((8,), 1.5))
        assert not torch.equal(total.chunk(4)[0], torch.full((8,), 1.5))


def test_chrono_spreads_the_horizons_of_an_lstm():
    layer = unrolled.LSTM(3, 2000, chrono=50)
    write, keep, _, _ = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(4)
    assert torch.equal(write, -keep)
    horizons = keep.exp()
    assert horizons.min() >= 1
    assert horizons.max() <= 49 * (1 + 1e-5)
    assert abs(float(horizons.mean().detach()) - 25) < 1


def test_chrono_sets_the_gate_of_a_gru_that_keeps():
    layer = unrolled.GRU(3, 2000, chrono=50)
    keep = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(3)[1]
    assert abs(float(keep.exp().mean().detach()) - 25) < 1
    layer.bias_ih_l0.data[2000:4000] = 50.0
    start = torch.randn(1, 1, 2000)
    torch.testing.assert_close(layer(torch.randn(3, 1, 3), start)[1], start, **FLOAT32)


def test_extras_start_as_no_change():
    torch.manual_seed(0)
    plain = unrolled.LSTM(3, 4)
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, 4, peepholes=True, initial_state="learned")
    inputs = torch.randn(5, 2, 3)
    torch.testing.assert_close(layer(inputs), plain(inputs), **FLOAT32)


def test_reset_parameters_draws_anew():
    layer = unrolled.LSTM(3, 4, forget_bias=2.0, layer_norm=True)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    layer.reset_parameters()
    assert not torch.equal(before["weight_ih_l0"], layer.weight_ih_l0)
    assert torch.equal(before["norm_hh_gain_l0"], layer.norm_hh_gain_l0)
    assert torch.equal(before["bias_ih_l0"][4:8], layer.bias_ih_l0[4:8])
