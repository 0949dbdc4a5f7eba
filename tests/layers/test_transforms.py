"""The layers under torch's transforms, copying, saving and autocast."""

import copy

import pytest
import torch

import unrolled
from tests.tolerances import tolerance

CELLS = ["RNN", "GRU", "LSTM"]
GRADIENT = tolerance(torch.float64, "gradient")


@pytest.fixture(params=CELLS)
def layer(request):
    torch.manual_seed(0)
    return getattr(unrolled, request.param)(3, 4, 2, bidirectional=True, dtype=torch.float64)


def sample(*shape):
    torch.manual_seed(1)
    return torch.randn(*shape, dtype=torch.float64)


def test_gradient_of_each_sample_by_vmap(layer):
    parameters = {name: parameter.detach() for name, parameter in layer.named_parameters()}
    many = sample(3, 5, 3)

    def loss(given, sequence):
        return torch.func.functional_call(layer, given, (sequence,))[0].square().sum()

    mapped = torch.vmap(torch.func.grad(loss), (None, 0))(parameters, many)
    for index, sequence in enumerate(many):
        layer.zero_grad()
        layer(sequence)[0].square().sum().backward()
        for name, parameter in layer.named_parameters():
            torch.testing.assert_close(mapped[name][index], parameter.grad, **GRADIENT)


def test_second_derivatives(layer):
    inputs = sample(4, 2, 3).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: layer(x)[0], inputs, fast_mode=True)


@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 2])], ids=["full", "lengths"])
def test_compile_without_a_graph_break(layer, lengths):
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    inputs = sample(5, 2, 3)
    torch.testing.assert_close(compiled(inputs, None, lengths), layer(inputs, None, lengths), **GRADIENT)
    grads = []
    for call in (layer, compiled):
        layer.zero_grad()
        call(inputs, None, lengths)[0].square().sum().backward()
        grads.append({name: parameter.grad for name, parameter in layer.named_parameters()})
    for name, expected in grads[0].items():
        torch.testing.assert_close(grads[1][name], expected, **GRADIENT)


def test_a_deep_copy_is_its_own_layer(layer):
    copied = copy.deepcopy(layer)
    inputs = sample(5, 2, 3)
    assert torch.equal(copied(inputs)[0], layer(inputs)[0])
    with torch.no_grad():
        copied.weight_ih_l0.zero_()
    assert not torch.equal(copied(inputs)[0], layer(inputs)[0])


def test_a_saved_state_dict_loads_without_pickled_code(layer, tmp_path):
    torch.save(layer.state_dict(), tmp_path / "weights.pt")
    fresh = type(layer)(3, 4, 2, bidirectional=True, dtype=torch.float64)
    fresh.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(fresh(sample(5, 2, 3))[0], layer(sample(5, 2, 3))[0])


def test_conversion_to_another_type(layer):
    output, _ = layer.float()(sample(5, 2, 3).float())
    assert output.dtype == torch.float32


@pytest.mark.parametrize("cell", CELLS)
def test_autocast_keeps_the_recurrence_in_float32(cell):
    torch.manual_seed(0)
    layer = getattr(unrolled, cell)(3, 4, layer_norm=True, zoneout=0.1, recurrent_dropout=0.1)
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = layer(torch.randn(5, 2, 3), lengths=torch.tensor([5, 2]))
    assert output.dtype == torch.float32
    output.sum().backward()
    assert all(parameter.grad.dtype == torch.float32 for parameter in layer.parameters())


def test_repr_shows_what_is_set():
    assert repr(unrolled.LSTM(3, 4, 2, dropout=0.1, peepholes=True)) == (
        "LSTM(3, 4, num_layers=2, dropout=0.1, peepholes=True)"
    )
