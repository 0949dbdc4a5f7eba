
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unrolled
from tests.export.layers import layers
from unrolled.export.onnx_graphs.graph import session

onnx = pytest.importorskip("onnx")


def node_types(file):
    return [node.op_type for node in onnx.load(file).graph.node]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layer=layers(), lengths=st.booleans(), resets=st.booleans(), step=st.booleans())
def test_any_layer_gives_the_same_in_onnx(layer, lengths, resets, step, tmp_path):
    done = unrolled.export.onnx(layer, tmp_path / "layer.onnx", lengths=lengths, resets=resets, step=step)
    assert done.difference < 2e-5
    runner = session(done.files[0])
    assert runner.get_inputs()[0].shape[0 if layer.batch_first else 1] == "batch"


@pytest.mark.parametrize(
    ("layer", "node"), [(unrolled.RNN, "RNN"), (unrolled.GRU, "GRU"), (unrolled.LSTM, "LSTM")]
)
def test_plain_cells_are_nodes_of_their_own(layer, node, tmp_path):
    done = unrolled.export.onnx(layer(3, 4, bidirectional=True), tmp_path / "layer.onnx", lengths=True)
    types = node_types(done.files[0])
    assert types.count(node) == 1
    assert "Scan" not in types


def test_other_cells_are_a_scan(tmp_path):
    done = unrolled.export.onnx(unrolled.Recurrent("janet", 3, 4), tmp_path / "layer.onnx")
    assert node_types(done.files[0]).count("Scan") == 1
