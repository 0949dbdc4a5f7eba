import logging
import warnings

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.export import Dim

import unrolled
from tests.export.layers import every_option
from unrolled.errors import ShapeError
from unrolled.export.onnx_graphs.graph import largest_difference, session
from unrolled.layers.state import state_tensors


class Many(nn.Module):
    """Somebody's module that holds layers of ours."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(every_option())
        for place, layer in enumerate(self.layers):
            layer.takes_resets = place % 2 == 1 and not layer.proj_size

    def forward(self, values, lengths, resets):
        results = []
        for layer in self.layers:
            given = values if layer.batch_first else values.transpose(0, 1)
            anew = resets if layer.batch_first else resets.t()
            output, state = layer(given, lengths=lengths, resets=anew if layer.takes_resets else None)
            results += [output, *state_tensors(state)]
        return tuple(results)


def quietly(export):
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return export()


EXAMPLE = torch.zeros(2, 3, 3), torch.tensor([3, 2]), torch.zeros(2, 3, dtype=torch.bool)
SHAPES = {0: "batch", 1: "time"}, {0: "batch"}, {0: "batch", 1: "time"}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    torch.manual_seed(0)
    module, file = Many().eval(), tmp_path_factory.mktemp("onnx") / "many.onnx"
    program = quietly(
        lambda: torch.onnx.export(
            module,
            EXAMPLE,
            dynamo=True,
            dynamic_shapes=SHAPES,
            input_names=["values", "lengths", "resets"],
            verbose=False,
        )
    )
    program.save(str(file))
    return module, session(file), onnx.load(file)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 4),
    steps=st.integers(1, 9),
    seed=st.integers(0, 999),
    broken=st.sampled_from([0, np.nan]),
)
def test_every_option_gives_the_same_in_anybodys_module(many, rows, steps, seed, broken):
    module, runner, _ = many
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, steps, 3, generator=generator)
    lengths = torch.randint(0, steps + 1, (rows,), generator=generator)
    values[torch.arange(steps) >= lengths[:, None]] = broken  # what lies past a row's end is not read
    resets = torch.rand(rows, steps, generator=generator) < 0.3
    given = {"values": values.numpy(), "lengths": lengths.numpy(), "resets": resets.numpy()}
    with torch.no_grad():
        expected = module(values, lengths, resets)
    for one, other in zip(expected, runner.run(None, given), strict=True):
        assert largest_difference(one.numpy(), other) < 2e-5


def test_plain_cells_are_nodes_and_all_others_scans(many):
    types = [node.op_type for node in many[2].graph.node]
    plain = [layer for layer in many[0].layers if not layer.takes_resets]
    assert types.count("RNN") == 1
    assert types.count("LSTM") + types.count("GRU") == sum(
        layer.num_layers
        for layer in plain
        if layer.cell in ("gru", "lstm") and not (layer.layer_norm or layer.peepholes or layer.proj_size)
    )
    assert "Scan" in types


@settings(max_examples=10, deadline=None)
@given(rows=st.integers(1, 4), steps=st.integers(1, 9), seed=st.integers(0, 999))
def test_a_layers_file_carries_its_state(layer_file, rows, steps, seed):
    layer, runner = layer_file
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(steps, rows, 3, generator=generator)
    h, c = (torch.randn(2, rows, 4, generator=generator) for _ in range(2))
    with torch.no_grad():
        expected, (h_n, c_n) = layer(values, (h, c))
    found = runner.run(
        ["output", "h_n", "c_n"], {"input": values.numpy(), "h_0": h.numpy(), "c_0": c.numpy()}
    )
    for one, other in zip((expected, h_n, c_n), found, strict=True):
        assert largest_difference(one.numpy(), other) < 2e-5


@pytest.fixture(scope="module")
def layer_file(tmp_path_factory):
    torch.manual_seed(0)
    layer = unrolled.LSTM(3, 4, 2).eval()
    done = unrolled.export.onnx(layer, tmp_path_factory.mktemp("layer") / "lstm.onnx")
    assert done.difference < 2e-5
    runner = session(done.files[0])
    assert [port.shape for port in runner.get_inputs()] == [
        ["time", "batch", 3],
        [2, "batch", 4],
        [2, "batch", 4],
    ]
    return layer, runner


def test_a_step_model_needs_no_scan(tmp_path):
    layer = unrolled.Recurrent("janet", 3, 4, batch_first=True)
    done = unrolled.export.onnx(layer, tmp_path / "step.onnx", step=True)
    graph = onnx.load(done.files[0]).graph
    assert "Scan" not in [node.op_type for node in graph.node]
    assert [axis.dim_param or axis.dim_value for axis in graph.input[0].type.tensor_type.shape.dim] == [
        "batch",
        1,
        3,
    ]


def test_an_exported_program_has_one_operator_a_layer_and_open_sizes():
    module = Many().eval()
    shapes = ({0: Dim.DYNAMIC, 1: Dim.DYNAMIC}, {0: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 1: Dim.DYNAMIC})
    program = torch.export.export(module, EXAMPLE, dynamic_shapes=shapes)
    called = [node.target for node in program.graph.nodes if node.op == "call_function"]
    assert called.count(torch.ops.unrolled.recurrent.default) == len(module.layers)
    values, lengths = torch.randn(5, 7, 3), torch.tensor([7, 0, 3, 7, 1])
    resets = torch.rand(5, 7) < 0.3
    for one, other in zip(
        module(values, lengths, resets), program.module()(values, lengths, resets), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_an_exported_layer_can_be_trained():
    layer = unrolled.LSTM(3, 4, layer_norm=True).eval()
    values = torch.randn(5, 2, 3)
    other = torch.export.export(layer, (values,)).module()
    layer(values)[0].square().sum().backward()
    other(values)[0].square().sum().backward()
    for name, parameter in other.named_parameters():
        torch.testing.assert_close(parameter.grad, layer.get_parameter(name).grad)


def test_the_operator_passes_torchs_own_checks():
    layer = unrolled.GRU(2, 3).eval()
    from unrolled.layers.engines.exported import description

    parameters = [parameter.detach().clone().requires_grad_() for parameter in layer.parameters()]
    given = (description(layer), torch.randn(4, 2, 2, requires_grad=True), [torch.randn(1, 2, 3)], parameters)
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(torch.ops.unrolled.recurrent.default, (*given, None, None), test_utils=checks)


def test_a_state_that_does_not_fit_is_refused_while_exporting():
    with pytest.raises(ShapeError, match="h_0"):
        torch.export.export(unrolled.GRU(2, 3).eval(), (torch.randn(4, 2, 2), torch.randn(1, 2, 4)))
