"""Recurrent matrices with signs and connections: the same layer, on every way that it runs."""

import copy

import pytest
import torch

import unrolled
from tests.tolerances import tolerance
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.constraints import follow_dales_law, join_units

TOLERANCE = tolerance(torch.float64, "gradient")
EXCITATORY = torch.tensor([True, True, True, False])
MASK = torch.tensor([[0, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 1], [0, 1, 1, 0]], dtype=torch.bool)


def made(cell, **options):
    torch.manual_seed(0)
    options["dtype"] = torch.float64
    own = {"gru": unrolled.GRU, "lstm": unrolled.LSTM, "rnn": unrolled.RNN}
    return own[cell](3, 4, **options) if cell in own else unrolled.Recurrent(cell, 3, 4, **options)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "leaky", "lem"])
def test_the_constrained_weights_are_those_that_run(cell):
    layer = join_units(follow_dales_law(made(cell, num_layers=2), EXCITATORY), MASK)
    plain = made(cell, num_layers=2)
    for name in [name for name, _ in plain.named_parameters()]:
        plain.get_parameter(name).data.copy_(getattr(layer, name))
    values = torch.randn(6, 2, 3, dtype=torch.float64)
    torch.testing.assert_close(layer(values)[0], plain(values)[0], **TOLERANCE)
    resets = torch.rand(6, 2) < 0.3
    torch.testing.assert_close(layer(values, resets=resets)[0], plain(values, resets=resets)[0], **TOLERANCE)
    with torch.no_grad():
        torch.testing.assert_close(layer(values)[0], plain(values)[0], **TOLERANCE)
    stream, expected = layer.eval().stream(2), plain(values)[0]
    for step, output in zip(values, expected, strict=True):
        torch.testing.assert_close(stream.step(step), output, **TOLERANCE)
    again = copy.deepcopy(layer)
    again.load_state_dict(layer.state_dict())
    torch.testing.assert_close(again(values)[0], expected, **TOLERANCE)


def test_training_keeps_signs_and_connections():
    layer = join_units(follow_dales_law(made("leaky"), EXCITATORY), MASK)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0)
    before = layer.weight_hh_l0.detach().clone()
    for _ in range(20):
        optimizer.zero_grad()
        (layer(torch.randn(5, 2, 3, dtype=torch.float64))[0] - 1).square().mean().backward()
        optimizer.step()
    weight = layer.weight_hh_l0
    assert not torch.equal(weight, before)
    assert (weight[:, :3] >= 0).all()
    assert (weight[:, 3] <= 0).all()
    assert (weight[~MASK] == 0).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"\(4,\), torch.bool, for weight_hh_l0, got \(3,\)"):
        follow_dales_law(made("leaky"), EXCITATORY[:3])
    with pytest.raises(ShapeError, match=r"mask of shape \(4, 4\), torch.bool"):
        join_units(made("leaky"), MASK.double())
    with pytest.raises(ConfigError, match="cell whose recurrent matrices are its weights"):
        follow_dales_law(made("antisymmetric"), EXCITATORY)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "leaky", "lem"])
def test_a_constrained_layer_starts_anew(cell):
    layer = join_units(follow_dales_law(made(cell, num_layers=2, recurrent_init="xavier"), EXCITATORY), MASK)
    before = layer.weight_hh_l1.detach().clone()
    torch.manual_seed(5)
    layer.reset_parameters()
    plain = made(cell, num_layers=2, recurrent_init="xavier")
    torch.manual_seed(5)
    plain.reset_parameters()
    blocks = len(plain.weight_hh_l1) // 4
    expected = plain.weight_hh_l1.abs() * (2 * EXCITATORY.double() - 1) * MASK.repeat(blocks, 1)
    torch.testing.assert_close(layer.weight_hh_l1, expected)
    torch.testing.assert_close(layer.weight_ih_l1, plain.weight_ih_l1)
    assert not torch.equal(layer.weight_hh_l1, before)
