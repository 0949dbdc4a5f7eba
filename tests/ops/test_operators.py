"""What torch asks of an operator, and the transforms that must compose with it."""

import pytest
import torch
from torch.library import opcheck

from tests.ops.cases import CASES, FULLEST, FULLEST_NAMES, GRU, LSTM, NAMES, RNN, as_cell
from tests.tolerances import tolerance
from unrolled.ops.cells.given import tensors_of
from unrolled.ops.cells.operator import scan, scan_backward
from unrolled.ops.cells.run import run_cell

FLOAT64 = tolerance(torch.float64, "gradient")


def as_operator(recurrence, option):
    """What the operator is called with."""
    program, around, given = as_cell(recurrence.name, recurrence.arguments(option))
    text = f"{program.text}\n{around.text()}"
    tensors = [each.detach().clone().requires_grad_(each.requires_grad) for each in tensors_of(given)]
    return tensors, given.lengths, given.resets, text, given.reverse, given.bound, True


@pytest.mark.parametrize(("recurrence", "option"), FULLEST, ids=FULLEST_NAMES)
def test_opcheck_of_the_forward(recurrence, option):
    opcheck(scan, as_operator(recurrence, option))


# Of a projection the backward is computed by torch.func, which the checks' modes cannot see into.
@pytest.mark.parametrize("option", ["plain", "probe", "layer norm", "lengths reverse"])
@pytest.mark.parametrize("recurrence", [RNN, GRU, LSTM], ids=lambda each: each.name)
def test_opcheck_of_the_backward(recurrence, option):
    grads = [torch.randn_like(result) for result in recurrence.reference(**recurrence.arguments(option))]
    tensors, *rest = as_operator(recurrence, option)
    opcheck(scan_backward, (grads, [tensor.detach() for tensor in tensors], *rest))


@pytest.mark.parametrize(("recurrence", "option"), CASES, ids=NAMES)
def test_the_operator_computes_the_cell(recurrence, option):
    arguments = recurrence.arguments(option)
    learned = [value for value in arguments.values() if getattr(value, "requires_grad", False)]
    found, expected = (
        torch.autograd.grad(sum(each.cos().sum() for each in call(**arguments)), learned)
        for call in (recurrence.operator, recurrence.reference)
    )
    for ours, theirs in zip(recurrence.operator(**arguments), recurrence.reference(**arguments), strict=True):
        torch.testing.assert_close(ours, theirs, **tolerance(torch.float64, "value"))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, **FLOAT64)


@pytest.mark.parametrize(("recurrence", "option"), CASES, ids=NAMES)
def test_results_share_no_memory_with_arguments_or_each_other(recurrence, option):
    arguments = recurrence.arguments(option)
    tensors = [value for value in arguments.values() if isinstance(value, torch.Tensor)]
    tensors += recurrence.call(**arguments)
    places = [tensor.untyped_storage().data_ptr() for tensor in tensors]
    assert len(set(places)) == len(places)


START = as_cell("lstm", LSTM.arguments("lengths"))


def run(gates_x, weight_hh):
    program, around, given = START
    return run_cell(program, around, given._replace(gates_x=gates_x, weight_hh=weight_hh)).states[0]


def loss(weight_hh, gates_x):
    return run(gates_x, weight_hh).square().sum()


@pytest.fixture
def many_gates():
    return torch.randn(4, *LSTM.required["gates_x"], dtype=torch.float64)


@pytest.fixture
def weight():
    return LSTM.arguments("plain")["weight_hh"].detach()


def test_vmap(many_gates, weight):
    mapped = torch.vmap(run, (0, None))(many_gates, weight)
    for gates_x, result in zip(many_gates, mapped, strict=True):
        torch.testing.assert_close(result, run(gates_x, weight), **tolerance(torch.float64, "value"))


def test_gradient_of_each_sample(many_gates, weight):
    mapped = torch.vmap(torch.func.grad(loss), (None, 0))(weight, many_gates)
    for gates_x, result in zip(many_gates, mapped, strict=True):
        leaf = weight.clone().requires_grad_()
        (expected,) = torch.autograd.grad(loss(leaf, gates_x), leaf)
        torch.testing.assert_close(result, expected, **FLOAT64)


def test_hessian(many_gates, weight):
    leaf = weight.clone()
    expected = torch.autograd.functional.hessian(lambda w: loss(w, many_gates[0]), leaf)
    twice = torch.func.jacrev(torch.func.grad(loss))(weight, many_gates[0])
    torch.testing.assert_close(twice, expected, **FLOAT64)


def test_gradients_in_a_batch(many_gates, weight):
    leaf = weight.clone().requires_grad_()
    output = run(many_gates[0], leaf)
    directions = torch.randn(3, *output.shape, dtype=torch.float64)
    (batched,) = torch.autograd.grad(output, leaf, directions, retain_graph=True, is_grads_batched=True)
    for direction, result in zip(directions, batched, strict=True):
        (expected,) = torch.autograd.grad(output, leaf, direction, retain_graph=True)
        torch.testing.assert_close(result, expected, **FLOAT64)


def test_compile_traces_the_operator_without_a_break(many_gates, weight):
    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    grads = []
    for call in (loss, compiled):
        leaf = weight.clone().requires_grad_()
        call(leaf, many_gates[0]).backward()
        grads.append(leaf.grad)
    torch.testing.assert_close(grads[1], grads[0], **FLOAT64)


def test_autocast_runs_the_recurrence_in_float32():
    arguments = {
        name: value.detach().bfloat16() if isinstance(value, torch.Tensor) else value
        for name, value in LSTM.arguments("plain").items()
    }
    with torch.autocast("cpu", torch.bfloat16):
        results = LSTM.call(**arguments)
    widened = {name: value.float() for name, value in arguments.items()}
    for result, expected in zip(results, LSTM.call(**widened), strict=True):
        assert torch.equal(result, expected)
