"""A recurrent layer as an ONNX model, run by onnxruntime where that is installed."""

import importlib.util
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.processes import unbound

AVAILABLE = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime"))

# The order of the gates' blocks: ONNX has i o f c where torch has i f g o, and z r h where torch has r z n.
_ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}


def inference(cell: str, layer: nn.Module, inputs: Tensor) -> Callable[[], np.ndarray]:
    """A run over whole sequences ``(T, B, I)``, with torch's number of threads and bound buffers."""
    session = _session(cell, layer, torch.get_num_threads())
    before, after = (_zero_states(cell, layer, inputs.shape[1]) for _ in range(2))
    run = _Bound(session, inputs.detach().numpy(), before, after)
    return lambda: run()[:, 0]


def streaming(cell: str, layer: nn.Module, inputs: Tensor) -> Callable[[], np.ndarray]:
    """A step ``(1, I)``; two bindings take turns, so that each reads the state that the other one wrote."""
    session = _session(cell, layer, 1)
    one, other = (_zero_states(cell, layer, 1) for _ in range(2))
    step = inputs.detach().numpy()[None]
    there, back = _Bound(session, step, one, other), _Bound(session, step, other, one)
    turns = itertools.cycle((there, back))
    return lambda: next(turns)()


class _Bound:
    """A session with the arrays it reads and writes."""

    def __init__(
        self, session: Any, inputs: np.ndarray, before: dict[str, np.ndarray], after: dict[str, np.ndarray]
    ) -> None:
        steps, rows, _ = inputs.shape
        output = np.empty((steps, 1, rows, before["initial_h"].shape[-1]), np.float32)
        given = {"X": inputs, **before}
        wanted = {"Y": output} | {f"{name}_after": array for name, array in after.items()}
        self._run, self._binding, self._output = session.run_with_iobinding, session.io_binding(), output
        self._kept = given, wanted  # the binding has their addresses only
        for name, array in given.items():
            self._binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in wanted.items():
            self._binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)

    def __call__(self) -> np.ndarray:
        self._run(self._binding)
        return self._output


def _session(cell: str, layer: nn.Module, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    with unbound():
        return onnxruntime.InferenceSession(_model(cell, layer), options, providers=["CPUExecutionProvider"])


def _model(cell: str, layer: nn.Module) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    weights = {name: value.detach().numpy() for name, value in layer.named_parameters()}

    def reordered(name: str) -> np.ndarray:
        blocks = np.split(weights[name + "_l0"], len(_ORDER[cell]))
        return np.concatenate([blocks[gate] for gate in _ORDER[cell]])[None]

    constants = {
        "W": reordered("weight_ih"),
        "R": reordered("weight_hh"),
        "B": np.concatenate([reordered("bias_ih"), reordered("bias_hh")], 1),
    }
    inputs, hidden = constants["W"].shape[-1], constants["R"].shape[-1]
    states = ["initial_h", "initial_c"] if cell == "lstm" else ["initial_h"]
    attributes = {"hidden_size": hidden} | ({"linear_before_reset": 1} if cell == "gru" else {})
    node = helper.make_node(
        cell.upper(),
        ["X", *constants, "", *states],
        ["Y", *(f"{name}_after" for name in states)],
        **attributes,
    )

    def value(name: str, shape: list[Any]) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        [node],
        cell,
        [value("X", ["T", "B", inputs]), *(value(name, [1, "B", hidden]) for name in states)],
        [value("Y", ["T", 1, "B", hidden]), *(value(f"{name}_after", [1, "B", hidden]) for name in states)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return model.SerializeToString()


def _zero_states(cell: str, layer: nn.Module, rows: int) -> dict[str, np.ndarray]:
    hidden = layer.get_parameter("weight_hh_l0").shape[1]
    names = ("initial_h", "initial_c") if cell == "lstm" else ("initial_h",)
    return {name: np.zeros((1, rows, hidden), np.float32) for name in names}
