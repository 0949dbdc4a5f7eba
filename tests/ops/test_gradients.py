"""A cell's gradients, first and second, against autograd through the reference and finite differences."""

from contextlib import nullcontext

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from tests.ops.cases import CASES, FULLEST, FULLEST_NAMES, NAMES
from tests.tolerances import tolerance
from unrolled.ops.native import plain_torch

FLOAT64 = tolerance(torch.float64, "gradient")


@pytest.fixture(params=["compiled", "plain torch"])
def implementation(request):
    with nullcontext() if request.param == "compiled" else plain_torch():
        yield


def differentiable(arguments):
    return {
        name: value
        for name, value in arguments.items()
        if isinstance(value, torch.Tensor) and value.requires_grad
    }


def weighted_sum(tensors, seed):
    generator = torch.Generator().manual_seed(seed)
    return sum((torch.randn(x.shape, dtype=x.dtype, generator=generator) * x).sum() for x in tensors)


@pytest.mark.usefixtures("implementation")
@pytest.mark.parametrize("clip_step", [0.0, 0.2], ids=["", "clipped"])
@pytest.mark.parametrize(("recurrence", "option"), CASES, ids=NAMES)
def test_first_and_second_gradients_equal_the_references(recurrence, option, clip_step):
    arguments = recurrence.arguments(option) | {"clip_step": clip_step}
    inputs = differentiable(arguments)
    found = {}
    for name, call in (("cell", recurrence.call), ("reference", recurrence.reference)):
        first = torch.autograd.grad(weighted_sum(call(**arguments), 1), inputs.values(), create_graph=True)
        second = torch.autograd.grad(weighted_sum(first, 2), inputs.values(), materialize_grads=True)
        found[name] = dict(zip(inputs, zip(first, second, strict=True), strict=True))
    for name in inputs:
        for order in (0, 1):
            torch.testing.assert_close(
                found["cell"][name][order],
                found["reference"][name][order],
                **FLOAT64,
                msg=lambda text, name=name, order=order: f"derivative {order + 1} of {name}: {text}",
            )


@pytest.mark.parametrize(("recurrence", "option"), CASES, ids=NAMES)
def test_first_gradients_equal_finite_differences(recurrence, option):
    arguments = recurrence.arguments(option)
    inputs = differentiable(arguments)

    def call(*tensors):
        return recurrence.call(**(arguments | dict(zip(inputs, tensors, strict=True))))

    assert gradcheck(call, tuple(inputs.values()), fast_mode=True)


@pytest.mark.parametrize(("recurrence", "option"), FULLEST, ids=FULLEST_NAMES)
def test_second_gradients_equal_finite_differences(recurrence, option):
    arguments = recurrence.arguments(option)
    inputs = differentiable(arguments)

    def call(*tensors):
        return recurrence.call(**(arguments | dict(zip(inputs, tensors, strict=True))))

    assert gradgradcheck(call, tuple(inputs.values()), fast_mode=True)


@pytest.mark.parametrize(("recurrence", "option"), FULLEST, ids=FULLEST_NAMES)
def test_values_in_plain_torch_equal_the_references_to_the_bit(recurrence, option):
    arguments = recurrence.arguments(option)
    with plain_torch():
        results = recurrence.call(**arguments)
    for ours, theirs in zip(results, recurrence.reference(**arguments), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("recurrence", "option"), FULLEST, ids=FULLEST_NAMES)
def test_each_result_alone_gives_the_references_gradients(recurrence, option):
    arguments = recurrence.arguments(option)
    inputs = differentiable(arguments)
    count = len(recurrence.call(**arguments))
    for index in range(count):
        grads = [
            torch.autograd.grad(
                weighted_sum([call(**arguments)[index]], index), inputs.values(), materialize_grads=True
            )
            for call in (recurrence.call, recurrence.reference)
        ]
        for name, ours, theirs in zip(inputs, *grads, strict=True):
            torch.testing.assert_close(ours, theirs, **FLOAT64, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize(("recurrence", "option"), FULLEST, ids=FULLEST_NAMES)
def test_one_input_alone_can_need_a_gradient(recurrence, option):
    arguments = recurrence.arguments(option)
    whole = torch.autograd.grad(
        weighted_sum(recurrence.call(**arguments), 1), differentiable(arguments).values()
    )
    for name, expected in zip(differentiable(arguments), whole, strict=True):
        alone = {
            key: value.detach() if isinstance(value, torch.Tensor) else value
            for key, value in arguments.items()
        }
        alone[name].requires_grad_()
        (grad,) = torch.autograd.grad(weighted_sum(recurrence.call(**alone), 1), alone[name])
        assert torch.equal(grad, expected), name
