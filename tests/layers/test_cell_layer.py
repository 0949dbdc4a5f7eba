"""The layer of any cell: its parameters, and everything that other layers can do too."""

import copy
from typing import ClassVar

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.tolerances import tolerance
from unrolled.cells import Cell, constant, library, sigmoid, tanh
from unrolled.errors import ConfigError
from unrolled.ops.native import plain_torch
from unrolled.ops.native.library import choices
from unrolled.ops.native.library import instruction_set as library_of

TOLERANCE = tolerance(torch.float64, "gradient")


class Mixed(Cell):
    """Two states, a second stage, parameters, and gates of three kinds."""

    states = ("h", "memory")
    gates = ("only_input", "keep", "only_hidden")
    parameters: ClassVar = {"scale": constant(0.5)}
    keep_gate = "keep"

    def step(self, x, u, h, memory):
        f = sigmoid(x.keep + u.keep(h))
        memory = f * memory + (1 - f) * tanh(x.only_input)
        return tanh(u.only_hidden(memory * f) * self.scale + memory), memory


def layer_of(**options):
    torch.manual_seed(0)
    layer = unrolled.Recurrent(Mixed, 3, 4, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return layer


def values_of(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def test_parameters_have_torchs_names_and_hold_the_gates_that_there_are():
    shapes = {name: tuple(parameter.shape) for name, parameter in layer_of().named_parameters()}
    assert shapes == {
        "weight_ih_l0": (8, 3),
        "weight_hh_l0": (8, 4),
        "bias_ih_l0": (8,),
        "bias_hh_l0": (8,),
        "scale_l0": (4,),
    }
    fresh = unrolled.Recurrent(Mixed, 3, 4, forget_bias=2.0)
    assert fresh.scale_l0.tolist() == [0.5] * 4
    assert fresh.bias_ih_l0[4:].tolist() == [2.0] * 4
    assert fresh.bias_hh_l0[:4].tolist() == [0.0] * 4
    assert repr(fresh) == "Recurrent(Mixed, 3, 4)"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2, "bidirectional": True, "dropout": 0.3},
        {"layer_norm": True, "bias": False},
        {"recurrent_dropout": 0.3, "zoneout": (0.2, 0.1)},
        {"weight_drop": 0.3, "clip_step": 0.05},
        {"initial_state": "learned", "batch_first": True},
    ],
)
def test_the_library_and_plain_torch_agree_with_every_option(options):
    layer = layer_of(**options)
    values = values_of(5, 5, 3)
    found = []
    for way in ("library", "torch"):
        torch.manual_seed(1)
        if way == "torch":
            with plain_torch():
                output, state = layer(values, lengths=[5, 0, 2, 4, 1])
        else:
            output, state = layer(values, lengths=[5, 0, 2, 4, 1])
        loss = output.square().sum() + sum(part.sum() for part in state)
        found.append([output, *state, *torch.autograd.grad(loss, [values, *layer.parameters()])])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


def test_second_derivatives_are_right():
    layer = layer_of()

    def run(values, weight):
        return torch.func.functional_call(layer, {"weight_hh_l0": weight}, (values,))[0]

    values, weight = values_of(3, 2, 3), layer.weight_hh_l0.detach().clone().requires_grad_()
    torch.autograd.gradgradcheck(run, (values, weight))


def test_torchs_transforms_see_through_it():
    layer = layer_of()
    values = torch.randn(4, 2, 3, dtype=torch.float64)
    batched = torch.func.vmap(lambda each: layer(each)[0])(torch.stack([values, 2 * values]))
    torch.testing.assert_close(batched[1], layer(2 * values)[0], **TOLERANCE)
    found = torch.func.grad(lambda each: layer(each)[0].square().sum())(values)
    values.requires_grad_()
    (right,) = torch.autograd.grad(layer(values)[0].square().sum(), values)
    torch.testing.assert_close(found, right, **TOLERANCE)


def test_a_stream_takes_the_same_steps():
    layer = layer_of(num_layers=2).eval()
    values = torch.randn(6, 2, 3, dtype=torch.float64)
    stream = layer.stream(2)
    outputs = torch.stack([stream.step(each) for each in values])
    whole, state = layer(values)
    torch.testing.assert_close(outputs, whole, **TOLERANCE)
    for one, other in zip(stream.state, state, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)


@settings(max_examples=60)
@given(
    cell=st.sampled_from(library.names()),
    layers=st.integers(1, 3),
    rows=st.integers(1, 4),
    width=st.integers(1, 9),
    hidden=st.integers(1, 18),
    options=st.fixed_dictionaries(
        {}, optional={"bias": st.just(False), "zoneout": st.just(0.3), "layer_norm": st.just(True)}
    ),
    turned=st.booleans(),
    instruction_set=st.sampled_from(choices()),
    seed=st.integers(0, 2**16),
)
def test_any_cell_streams_as_it_runs(
    cell, layers, rows, width, hidden, options, turned, instruction_set, seed
):
    torch.manual_seed(seed)
    layer = unrolled.Recurrent(cell, width, hidden, layers, dtype=torch.float64, **options).eval()
    if turned:  # weights as they lie in memory after a transposition
        for name, parameter in list(layer.named_parameters()):
            if parameter.dim() == 2:
                setattr(layer, name, torch.nn.Parameter(parameter.detach().t().contiguous().t()))
    values = torch.randn(5, rows, width, dtype=torch.float64)
    with library_of(instruction_set):
        stream = layer.stream(rows)
        outputs = torch.stack([stream.step(each) for each in values])
    torch.testing.assert_close(outputs, layer(values)[0], **TOLERANCE)


def test_it_can_be_copied_saved_and_unrolled(tmp_path):
    layer = layer_of(bidirectional=True)
    values = torch.randn(4, 2, 3, dtype=torch.float64)
    torch.save(layer.state_dict(), tmp_path / "weights")
    again = unrolled.Recurrent(layer.program.to_dict(), 3, 4, bidirectional=True, dtype=torch.float64)
    again.load_state_dict(torch.load(tmp_path / "weights"))
    for each in (again, copy.deepcopy(layer)):
        torch.testing.assert_close(each(values)[0], layer(values)[0], **TOLERANCE)
    unrolling = layer.unroll(values, gates=True, probe=True)
    torch.testing.assert_close(unrolling.output, layer(values)[0], **TOLERANCE)
    forward = unrolling.directions[0]
    assert set(forward.states) == set(forward.probes) == {"h", "memory"}
    assert forward.gates["keep"].shape == (4, 2, 4)
    assert ((forward.gates["keep"] > 0) & (forward.gates["keep"] < 1)).all()
    unrolling.output.sum().backward()
    assert forward.probes["memory"].grad.abs().sum() > 0


def test_norms_of_the_errors_are_heard():
    layer, heard = layer_of(), []
    layer.listeners = (lambda call: heard.append,)
    values = values_of(5, 2, 3)
    unrolling_of = copy.deepcopy(layer)
    unrolling_of.listeners = ()
    output, _ = layer(values, lengths=[5, 3])
    output.square().sum().backward()
    unrolling = unrolling_of.unroll(values, lengths=[5, 3], probe=True)
    unrolling.output.square().sum().backward()
    torch.testing.assert_close(heard[0], unrolling.directions[0].probe_hidden.grad.norm(dim=-1), **TOLERANCE)


def test_a_result_that_is_kept_for_the_gradient_cannot_be_changed():
    with pytest.raises(RuntimeError, match=r"modified inplace|inplace"):
        torch.relu_(layer_of()(values_of(4, 2, 3))[0])


def test_other_types_and_no_rows_run_in_plain_torch():
    layer = unrolled.Recurrent("lem", 3, 4).to(torch.bfloat16)
    assert layer(torch.randn(4, 2, 3, dtype=torch.bfloat16))[0].dtype is torch.bfloat16
    assert layer_of()(values_of(4, 0, 3))[0].shape == (4, 0, 4)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="gate that keeps the old state"):
        unrolled.Recurrent("leaky", 3, 4, forget_bias=1.0)
    with pytest.raises(ConfigError, match="expected a zoneout for h and memory"):
        unrolled.Recurrent(Mixed, 3, 4, zoneout=(0.1, 0.2, 0.3))
    with pytest.raises(ConfigError, match="expected cell to be one of"):
        unrolled.Recurrent("no_such_cell", 3, 4)
