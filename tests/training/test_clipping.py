import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from tests.tolerances import tolerance
from unrolled.training.clipping import AutoClipping, NormClipping, StepClipping, ValueClipping, build_clipping
from unrolled.training.config import TrainingConfig

values = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6)
gradient_lists = st.lists(values, min_size=1, max_size=3)
thresholds = st.floats(1e-3, 1e3)


def parameters_with(gradients):
    parameters = [nn.Parameter(torch.zeros(len(gradient), dtype=torch.float64)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    return parameters, torch.cat([parameter.grad for parameter in parameters])


def flat(parameters):
    return torch.cat([parameter.grad for parameter in parameters])


@given(gradient_lists, thresholds)
def test_norm_clipping_bounds_the_norm_and_keeps_the_direction(gradients, threshold):
    parameters, before = parameters_with(gradients)
    clipped = NormClipping(threshold)(parameters)
    after, close = flat(parameters), tolerance(torch.float64, "value")
    assert clipped.norm == pytest.approx(float(before.norm()))
    assert float(after.norm()) <= threshold * (1 + 1e-12)
    torch.testing.assert_close(after * before.norm(), before * after.norm(), **close)
    if not clipped.clipped:
        assert torch.equal(after, before)
    else:
        assert float(after.norm()) == pytest.approx(threshold)


@given(gradient_lists, thresholds)
def test_value_clipping_bounds_every_element_and_keeps_small_ones(gradients, threshold):
    parameters, before = parameters_with(gradients)
    clipped = ValueClipping(threshold)(parameters)
    after, small = flat(parameters), before.abs() <= threshold
    assert float(after.abs().max()) <= threshold
    assert torch.equal(after[small], before[small])
    assert torch.equal(after.sign(), before.sign())
    assert clipped.clipped == (not bool(small.all()))


@given(st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=20), st.floats(0.5, 10))
def test_auto_clipping_bounds_the_norm_by_a_multiple_of_the_average(norms, multiple):
    clipping = AutoClipping(multiple)
    for index, norm in enumerate(norms):
        average = clipping.average
        parameters, _ = parameters_with([[norm]])
        clipped = clipping(parameters)
        assert clipped.clipped == (index > 0 and norm > multiple * average)
        if index:
            assert float(flat(parameters).norm()) <= multiple * average * (1 + 1e-12) or not clipped.clipped
    assert min(norms) * (1 - 1e-9) <= clipping.average <= max(norms) * (1 + 1e-9)


def test_one_explosion_hardly_moves_the_average():
    clipping = AutoClipping(5)
    for norm in [1.0] * 50 + [1e9]:
        clipping(parameters_with([[norm]])[0])
    assert clipping.average < 1.3


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=10))
def test_auto_clipping_goes_on_from_its_state(norms):
    through, first, second = AutoClipping(1), AutoClipping(1), AutoClipping(1)
    for clipping in (through, first):
        clipping(parameters_with([norms[:1]])[0])
    second.restore(first.state())
    for norm in norms[1:]:
        assert through(parameters_with([[norm]])[0]) == second(parameters_with([[norm]])[0])


def test_step_clipping_sets_every_recurrent_layer_and_leaves_the_gradient():
    class Layer(nn.Module):
        clip_step = 0.0

    model = nn.ModuleList([Layer(), nn.Linear(2, 2), nn.Sequential(Layer())])
    clipping = StepClipping(model, 0.5)
    assert model[0].clip_step == model[2][0].clip_step == 0.5
    assert not hasattr(model[1], "clip_step")
    parameters, before = parameters_with([[3.0, 4.0]])
    assert clipping(parameters).norm == 5.0
    assert torch.equal(flat(parameters), before)


@pytest.mark.parametrize("kind", ["none", "norm", "value", "step", "auto"])
def test_the_norm_before_clipping_is_reported_by_every_kind(kind):
    parameters, before = parameters_with([[3.0, 4.0], [12.0]])
    clipping = build_clipping(nn.Linear(1, 1), TrainingConfig(clip=kind, clip_threshold=1))
    assert clipping(parameters).norm == 13.0
    changed = not torch.equal(flat(parameters), before)
    assert changed == (kind in ("norm", "value"))


@given(gradient_lists)
def test_a_parameter_without_gradient_is_left_out(gradients):
    assume(gradients)
    parameters, before = parameters_with(gradients)
    clipped = NormClipping(1.0)([nn.Parameter(torch.zeros(3)), *parameters])
    assert clipped.norm == pytest.approx(float(before.norm()))
