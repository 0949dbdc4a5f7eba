"""Every cell is diagnosed: whatever its states, and whichever of its gates have a matrix."""

import itertools

import pytest
import torch

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import Cell, library, tanh
from unrolled.diagnosis.gates import gate_use
from unrolled.diagnosis.jacobian import jacobians
from unrolled.diagnosis.penalties import flossing, omega
from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import joined
from unrolled.diagnosis.transport import log_gains, state_errors
from unrolled.diagnosis.weights import weight_parts

SIZE, STEPS = 4, 6
TOLERANCE = tolerance(torch.float64, "gradient")


class Unread(Cell):
    """A state that no step reads, and a gate of another name."""

    states = ("h", "shown")
    gates = ("drive",)

    def step(self, x, u, h, shown):
        n = tanh(x.drive + u.drive(h))
        return n, 2 * n


CELLS = [*library.names(), Unread]


def layer_of(cell, **options):
    torch.manual_seed(0)
    layer = unrolled.Recurrent(cell, 3, SIZE, dtype=torch.float64, **options)
    values = torch.randn(STEPS, 3, 3, dtype=torch.float64)
    return layer, values


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "zoneout": 0.3}])
def test_an_error_arrives_as_the_next_step_sends_it(cell, options):
    layer, values = layer_of(cell, **options)
    layer.eval()  # zoneout keeps its mean
    weight = torch.randn(STEPS, 3, SIZE * (1 + layer.bidirectional), dtype=torch.float64)
    lengths = torch.tensor([STEPS, STEPS - 2, 1])
    recurrences = caught(layer, lambda: (layer(values, lengths=lengths)[0] * weight).sum())
    assert len(recurrences) == 1 + layer.bidirectional
    for recurrence in recurrences:
        errors, before = state_errors(recurrence, 1), recurrence.before()
        order = recurrence.order(0)
        for step, following in itertools.pairwise(order):
            state = tuple(part[following, :1].requires_grad_() for part in before)
            after = recurrence.advance(recurrence.scan.gates_x[following, :1], state)
            leaving = joined(tuple(each[following] for each in errors))
            sent = torch.autograd.grad(joined(after), state, leaving, materialize_grads=True)
            arriving = [each[step] for each in errors]
            arriving[0] = arriving[0] - recurrence.direct[step, :1]
            torch.testing.assert_close(tuple(arriving), sent, **TOLERANCE)
        assert log_gains(recurrence, 3).shape == (STEPS, 3)


@pytest.mark.parametrize("cell", CELLS)
def test_the_parts_of_the_weights_gradient_add_up_to_it(cell):
    layer, values = layer_of(cell)
    steps = range(STEPS)

    def loss_at(chosen):
        output, _ = layer(values[:, :1].expand(-1, len(chosen), -1))
        return output[chosen, torch.arange(len(chosen))].square().sum()

    (parts,) = weight_parts(layer, loss_at, steps)
    loss = layer(values[:, :1])[0].square().sum()
    (gradient,) = torch.autograd.grad(loss, layer.weight_hh_l0, materialize_grads=True)
    assert parts.accumulated[-1] == pytest.approx(float(gradient.norm()))


@pytest.mark.parametrize("cell", CELLS)
def test_its_gates_and_matrices_are_measured(cell):
    layer, values = layer_of(cell)
    (gates,) = gate_use(layer, lambda: layer(values))
    assert tuple(gates.gates) == layer.gate_names
    assert (gates.time_constant is None) == (layer.keep_gate is None)
    (found,) = jacobians(layer, lambda: layer(values))
    assert tuple(found.matrix.spectral_norm) == layer.program.products
    assert found.state_size == SIZE * len(layer.state_names)
    (recurrence,) = caught(layer, lambda: layer(values)[0].sum())
    for penalty in (omega, flossing):
        assert penalty(recurrence).isfinite()


def test_units_that_are_never_active_and_flat_ones_are_found_under_any_name():
    layer, values = layer_of("indrnn")
    with torch.no_grad():
        layer.bias_ih_l0[0] = -100
    (gates,) = gate_use(layer, lambda: layer(values))
    assert gates.dead >= 1 / SIZE
    layer, values = layer_of(Unread)
    with torch.no_grad():
        layer.bias_ih_l0.fill_(100)
    (gates,) = gate_use(layer, lambda: layer(values))
    assert (gates.saturated, gates.dead) == (1.0, None)
