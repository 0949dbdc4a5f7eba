"""What a probe receives: the gradient with respect to a state, with all that is drawn from it."""

import itertools

import pytest
import torch

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import Cell, library, sigmoid, tanh
from unrolled.diagnosis.jacobian import jacobians
from unrolled.diagnosis.penalties import flossing, omega
from unrolled.diagnosis.probes import caught
from unrolled.diagnosis.recurrence import joined, step_jacobians
from unrolled.diagnosis.transport import log_gains, state_errors
from unrolled.ops.cells.cell import Shares

TOLERANCE = tolerance(torch.float64, "gradient")


class Chained(Cell):
    """Each state draws from the ones before it, in the same step."""

    states = ("h", "a", "b")
    gates = ("first", "second")

    def step(self, x, u, h, a, b):
        a = tanh(x.first + u.first(h)) * 0.5 + 0.5 * a
        b = sigmoid(x.second + u.second(a)) * b + a
        return tanh(b) * a, a, b


CELLS = {
    "LSTM": library.cell("long_short_term_memory"),
    "long_short_term_memory": library.cell("long_short_term_memory"),
    "lem": library.cell("lem"),
    "slstm": library.cell("slstm"),
    "chained": Chained,
}


def layer_of(name, **options):
    torch.manual_seed(0)
    options["dtype"] = torch.float64
    return (
        unrolled.LSTM(3, 4, **options) if name == "LSTM" else unrolled.Recurrent(CELLS[name], 3, 4, **options)
    )


def by_hand(cell, layer, values, lengths, resets):
    """Every state as a tensor of its own, whose gradient torch keeps."""
    program = cell.program()
    inputs = (values @ layer.weight_ih_l0.t() + layer.bias_ih_l0).split(4, -1)
    matrices = dict(zip(program.products, layer.weight_hh_l0.split(4), strict=True))
    biases = dict(zip(program.products, layer.bias_hh_l0.split(4), strict=True))
    kept = []
    for row, length in enumerate(lengths):
        states = [values.new_zeros(1, 4) for _ in program.states]
        for t in range(length):
            if resets is not None and resets[t, row]:
                states = [values.new_zeros(1, 4) for _ in program.states]
            shares = dict(zip(program.inputs, [part[t, row : row + 1] for part in inputs], strict=True))
            u = Shares(lambda gate: lambda value: value @ matrices[gate].t() + biases[gate], program.gates)
            states = list(cell.step(Shares(shares.__getitem__, program.gates), u, *states))
            for state in states:
                state.retain_grad()
            kept.append((t, row, states))
    return kept


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("anew", [False, True])
def test_it_is_the_total_gradient(name, anew):
    layer, lengths = layer_of(name), [6, 4, 1]
    values = torch.randn(6, 3, 3, dtype=torch.float64)
    resets = torch.rand(6, 3) < 0.4 if anew else None
    unrolling = layer.unroll(values, lengths=lengths, resets=resets, probe=True)
    weight = torch.randn(6, 3, 4, dtype=torch.float64)
    (unrolling.output * weight).sum().backward()
    kept = by_hand(CELLS[name](), layer, values, lengths, resets)
    sum((states[0] * weight[t, row]).sum() for t, row, states in kept).backward()
    for index, probe in enumerate(unrolling.directions[0].probes.values()):
        expected = torch.zeros_like(probe)
        for t, row, states in kept:
            if states[index].grad is not None:
                expected[t, row] = states[index].grad[0]
        torch.testing.assert_close(probe.grad, expected, **TOLERANCE)


@pytest.mark.parametrize("name", [*CELLS, "GRU"])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"zoneout": 0.3}])
def test_probes_and_noise_change_nothing_else(name, options):
    if name == "GRU":
        torch.manual_seed(0)
        layer = unrolled.GRU(3, 4, dtype=torch.float64, state_noise=0.2, **options)
    else:
        layer = layer_of(name, state_noise=0.2, **options)
    values, resets = torch.randn(6, 3, 3, dtype=torch.float64), torch.rand(6, 3) < 0.3
    for given in (None, resets):
        found = []
        for run in (layer, layer.unroll, lambda *args, **kwargs: layer.unroll(*args, probe=True, **kwargs)):
            torch.manual_seed(1)
            result = run(values, lengths=[6, 4, 1], resets=given)
            output = result[0] if isinstance(result, tuple) else result.output
            found.append([output, *torch.autograd.grad(output.square().sum(), list(layer.parameters()))])
        torch.testing.assert_close(found[1], found[0], **TOLERANCE)
        torch.testing.assert_close(found[2], found[0], **TOLERANCE)


@pytest.mark.parametrize("name", [*CELLS, "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_diagnosis_knows_where_rows_begin_anew(name, bidirectional):
    layer = (
        layer_of(name, bidirectional=bidirectional)
        if name != "GRU"
        else unrolled.GRU(3, 4, dtype=torch.float64, bidirectional=bidirectional)
    )
    values = torch.randn(6, 2, 3, dtype=torch.float64)
    resets = torch.zeros(6, 2, dtype=torch.bool)
    resets[3, 0] = resets[2, 1] = True
    weight = torch.randn(6, 2, 4 * (1 + bidirectional), dtype=torch.float64)
    recurrences = caught(layer, lambda: (layer(values, resets=resets)[0] * weight).sum())
    for recurrence in recurrences:
        anew = recurrence.scan.resets
        errors, before = state_errors(recurrence, 2), recurrence.before()
        for row in range(2):
            order = list(recurrence.order(row))
            for step, following in itertools.pairwise(order):
                state = tuple(part[following, row : row + 1].requires_grad_() for part in before)
                after = recurrence.advance(recurrence.scan.gates_x[following, row : row + 1], state)
                leaving = joined(tuple(each[following, row : row + 1] for each in errors))
                sent = torch.autograd.grad(joined(after), state, leaving, materialize_grads=True)
                arriving = [each[step, row : row + 1] for each in errors]
                arriving[0] = arriving[0] - recurrence.direct[step, row : row + 1]
                passes = 0.0 if anew[following, row] else 1.0
                torch.testing.assert_close(arriving, [part * passes for part in sent], **TOLERANCE)
        gains = log_gains(recurrence, 2)
        cut = anew[:-1] if recurrence.scan.reverse else anew[1:]
        assert torch.equal(gains[:-1].isnan(), cut)
        assert gains[-1].isnan().all()
        found = step_jacobians(recurrence, list(range(6)), 0)
        assert torch.equal((found == 0).all(-1).all(-1), anew[:, 0])
        assert omega(recurrence).isfinite()
        assert flossing(recurrence).isfinite()
    assert len(jacobians(layer, lambda: layer(values, resets=resets))) == 1 + bidirectional
