"""Layers of any cell are measured as the three that are built in are."""

import pytest
import torch

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import Cell, library, sigmoid, tanh
from unrolled.diagnosis.gates import gate_use
from unrolled.diagnosis.jacobian import jacobians
from unrolled.diagnosis.penalties import flossing, omega
from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import joined, step_jacobians
from unrolled.diagnosis.transport import log_gains, state_errors
from unrolled.diagnosis.weights import weight_parts

TOLERANCE = tolerance(torch.float64, "gradient")


class Unread(Cell):
    """No step reads the output of the one before."""

    states = ("h", "memory")
    gates = ("forget_gate", "output_gate")

    def step(self, x, u, h, memory):
        memory = sigmoid(x.forget_gate) * memory + x.output_gate
        return tanh(memory + u.output_gate(memory)), memory


CELLS = [*library.names(), Unread]


def layer_of(cell):
    torch.manual_seed(0)
    layer = unrolled.Recurrent(cell, 2, 4, dtype=torch.float64)
    return layer, torch.randn(6, 3, 2, dtype=torch.float64)


def loss_of(layer, values):
    return lambda: layer(values)[0].square().sum()


@pytest.mark.parametrize("cell", CELLS)
def test_an_error_is_what_the_later_steps_send_back(cell):
    layer, values = layer_of(cell)
    (recurrence,) = caught(layer, loss_of(layer, values))
    errors = joined(state_errors(recurrence, 3))
    direct = torch.zeros_like(errors)
    direct[..., :4] = 2 * recurrence.steps.hidden
    for row in range(3):
        every = step_jacobians(recurrence, list(range(6)), row)
        sent = direct[-1, row]
        for step in range(5, 0, -1):
            torch.testing.assert_close(errors[step, row], sent, **TOLERANCE)
            sent = direct[step - 1, row] + sent @ every[step]
    assert log_gains(recurrence, 3).shape == (5, 3)


@pytest.mark.parametrize("cell", CELLS)
def test_the_parts_of_the_weights_gradient_add_up(cell):
    layer, values = layer_of(cell)
    row = values[:, :1]

    def loss_at(steps):
        output, _ = layer(row.expand(-1, len(steps), -1))
        return output[steps, torch.arange(len(steps))].square().sum()

    parts = weight_parts(layer, loss_at, range(6))
    if not layer.weight_hh_l0.numel():
        assert parts == ()
        return
    (gradient,) = torch.autograd.grad(layer(row)[0].square().sum(), layer.weight_hh_l0)
    assert parts[0].accumulated[-1] == pytest.approx(float(gradient.norm()), rel=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_jacobians_are_looked_at(cell):
    layer, values = layer_of(cell)
    (gates,) = gate_use(layer, lambda: layer(values))
    assert tuple(gates.gates) == layer.gate_names
    (found,) = jacobians(layer, lambda: layer(values))
    assert tuple(found.matrix.spectral_norm) == layer.gates_of("weight_hh")
    assert found.state_size == 4 * len(layer.state_names)


@pytest.mark.parametrize("cell", CELLS)
def test_penalties_have_gradients(cell):
    layer, values = layer_of(cell)
    (recurrence,) = caught(layer, loss_of(layer, values))
    for penalty in (omega, flossing):
        value = penalty(recurrence)
        assert value.isfinite()
        if value.requires_grad:
            value.backward()


def test_an_antisymmetric_matrix_is_looked_at_as_it_is_used():
    layer, values = layer_of("antisymmetric")
    (found,) = jacobians(layer, lambda: layer(values))
    weight = layer.weight_hh_l0.detach()[:4]
    largest = torch.linalg.matrix_norm(weight - weight.t(), 2)
    gate = next(iter(found.matrix.spectral_norm))
    assert found.matrix.spectral_norm[gate] == pytest.approx(float(largest))


def test_layers_below_the_sequence_are_left_out_of_its_weights():
    class Words(torch.nn.Module):
        """A layer over the letters of three words, and one over the words."""

        def __init__(self):
            super().__init__()
            self.letters, self.words = unrolled.GRU(2, 3), unrolled.GRU(3, 4)

        def forward(self, copies):
            _, read = self.letters(torch.ones(4, 3, 2))
            return self.words(read.transpose(0, 1).expand(-1, copies, -1))[0]

    model = Words()

    def loss_at(steps):
        return model(len(steps))[steps, torch.arange(len(steps))].square().sum()

    parts = weight_parts(model, loss_at, [1, 2])
    assert [part.layer for part in parts] == ["words.l0"]
