"""The library's cells beside their papers' equations, written out once more."""

import pytest
import torch
from torch import sigmoid, tanh

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import library

SIZE = 5
TOLERANCE = tolerance(torch.float64, "gradient")


def minimal_gated_unit(x, u, own, h):
    f = sigmoid(x["forget_gate"] + u("forget_gate", h))
    return (1 - f) * h + f * tanh(x["candidate"] + u("candidate", f * h))


def janet(x, u, own, h):
    s = x["forget_gate"] + u("forget_gate", h)
    return sigmoid(s) * h + (1 - sigmoid(s - 1)) * tanh(x["candidate"] + u("candidate", h))


def light_gru(x, u, own, h):
    z = sigmoid(x["update_gate"] + u("update_gate", h))
    return z * h + (1 - z) * (x["candidate"] + u("candidate", h)).clamp(min=0)


def gru_reset_before(x, u, own, h):
    r, z = (sigmoid(x[gate] + u(gate, h)) for gate in ("reset_gate", "update_gate"))
    return z * h + (1 - z) * tanh(x["candidate"] + u("candidate", r * h))


def ugrnn(x, u, own, h):
    g = sigmoid(x["update_gate"] + u("update_gate", h))
    return g * h + (1 - g) * tanh(x["candidate"] + u("candidate", h))


def indrnn(x, u, own, h):
    return (x["candidate"] + own["recurrent"] * h).clamp(min=0)


def leaky(x, u, own, h):
    return 0.8 * h + 0.2 * (x["candidate"] + u("candidate", h)).clamp(min=0)


def antisymmetric(x, u, own, h):
    weight, bias = u.weight("candidate"), u.bias("candidate")
    return h + 0.1 * tanh(x["candidate"] + h @ (weight - weight.T - 0.01 * torch.eye(SIZE).double()).T + bias)


def lem(x, u, own, y, z):
    dt_z, dt_y = sigmoid(x["scale_z"] + u("scale_z", y)), sigmoid(x["scale_y"] + u("scale_y", y))
    z = (1 - dt_z) * z + dt_z * tanh(x["drive_z"] + u("drive_z", y))
    return (1 - dt_y) * y + dt_y * tanh(x["drive_y"] + u("drive_y", z)), z


def slstm(x, u, own, h, c, n, m):
    """Without its stabiliser, which changes nothing but the size of c and n."""
    i, f = torch.exp(x["input_gate"] + u("input_gate", h)), sigmoid(x["forget_gate"] + u("forget_gate", h))
    c = f * c + i * tanh(x["candidate"] + u("candidate", h))
    n = f * n + i
    return sigmoid(x["output_gate"] + u("output_gate", h)) * c / n, c, n, m


def min_gru(x, u, own, h):
    z = sigmoid(x["update_gate"])
    return (1 - z) * h + z * x["candidate"]


EQUATIONS = [
    minimal_gated_unit,
    janet,
    light_gru,
    gru_reset_before,
    ugrnn,
    indrnn,
    leaky,
    antisymmetric,
    lem,
    slstm,
    min_gru,
]
BUILT_IN = {"elman": unrolled.RNN, "gru_reset_after": unrolled.GRU, "long_short_term_memory": unrolled.LSTM}


class Products:
    """The recurrent product of a gate, from a layer's parameters."""

    def __init__(self, layer):
        self.layer, self.gates = layer, layer.program.products

    def weight(self, gate):
        return self.layer.weight_hh_l0.chunk(len(self.gates))[self.gates.index(gate)]

    def bias(self, gate):
        return self.layer.bias_hh_l0.chunk(len(self.gates))[self.gates.index(gate)]

    def __call__(self, gate, value):
        return value @ self.weight(gate).T + self.bias(gate)


@pytest.mark.parametrize("step", EQUATIONS, ids=lambda step: step.__name__)
def test_a_cell_computes_its_papers_equations(step):
    torch.manual_seed(0)
    layer = unrolled.Recurrent(step.__name__, 3, SIZE, dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    values = torch.randn(6, 4, 3, dtype=torch.float64)
    output, _ = layer(values)
    gates_x = values @ layer.weight_ih_l0.T + layer.bias_ih_l0
    own = {name: getattr(layer, f"{name}_l0") for name in layer.program.parameters}
    states = tuple(torch.zeros(4, SIZE, dtype=torch.float64) for _ in layer.state_names)
    expected = []
    for shares in gates_x:
        x = dict(zip(layer.program.inputs, shares.chunk(len(layer.program.inputs), -1), strict=True))
        new = step(x, Products(layer), own, *states)
        states = new if isinstance(new, tuple) else (new,)
        expected.append(states[0])
    expected = torch.stack(expected)
    torch.testing.assert_close(output, expected, **TOLERANCE)
    parameters = [parameter for parameter in layer.parameters() if parameter.numel()]
    found = torch.autograd.grad(output.square().sum(), parameters)
    right = torch.autograd.grad(expected.square().sum(), parameters)
    for one, other in zip(found, right, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


def test_every_cell_is_tested():
    assert {step.__name__ for step in EQUATIONS} | set(BUILT_IN) == set(library.names())


OPTIONS = [{}, {"zoneout": 0.3}, {"recurrent_dropout": 0.3, "clip_step": 0.01}]


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, options) for name in BUILT_IN for options in OPTIONS] + [("elman", {"layer_norm": True})],
)
def test_the_built_in_layers_are_their_programs(name, options):
    torch.manual_seed(0)
    layer = BUILT_IN[name](3, SIZE, 2, bidirectional=True, dtype=torch.float64, **options)
    program = unrolled.Recurrent(name, 3, SIZE, 2, bidirectional=True, dtype=torch.float64, **options)
    program.load_state_dict(layer.state_dict())
    values = torch.randn(7, 4, 3, dtype=torch.float64)
    results = []
    for each in (layer, program):
        torch.manual_seed(1)
        output, _ = each(values, lengths=[7, 2, 5, 1])
        output.square().sum().backward()
        results.append([output, *(parameter.grad for parameter in each.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)
