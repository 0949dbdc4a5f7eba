"""A fitted estimator as a folder that needs no torch: network, what prepares its inputs, and ``run.py``."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from unrolled.export.onnx_graphs.examples import drawn_inputs
from unrolled.export.onnx_graphs.graph import Graph, Port, difference, require_same, write_graph
from unrolled.export.onnx_graphs.networks import carries_state, network_graphs, states_graph
from unrolled.export.onnx_graphs.session import SessionModel
from unrolled.export.result import Exported
from unrolled.layers.state import state_tensors
from unrolled.models.language_states import LanguageStates
from unrolled.saving.files import make_folder, write_file
from unrolled.tasks.base import Estimator
from unrolled.tasks.forecast import Forecaster

FORMAT = 1
"""Of ``preprocess.json``."""


def export_model(
    estimator: Estimator[Any, Any], folder: Path, data: Any = None, int8: bool = False
) -> Exported:
    """Write the files, and compare them with the original.

    Args:
        estimator: fitted.
        folder: where they go.
        data: labelled rows, to compare on and to score; None compares on rows drawn at random, and a
            forecaster on the end of its training data.
        int8: weights in bytes (dynamic quantisation); the outputs may then differ, and with ``data`` the
            scores of both are told.

    Raises:
        ConfigError: outputs differ by more than 1e-4; without ``data`` where pictures are read.
        MissingDependencyError: the extra ``export`` is not installed.
    """
    home = make_folder(folder)
    model = estimator.model
    if data is None and isinstance(estimator, Forecaster):
        data = list(estimator._latest)
    inputs = drawn_inputs(model) if data is None else dict(estimator.first_batch(data).inputs)
    lengths = None if data is None else estimator.first_batch(data).lengths
    graphs = network_graphs(model, inputs)
    files, apart = {}, 0.0
    for name, graph in graphs.items():
        files[name] = home / f"{name}.onnx"
        write_graph(graph, files[name])
        apart = max(apart, difference(graph, files[name], [_row(graph, inputs, lengths)]))
    for name, states in estimator.input_networks().items():
        graph = states_graph(cast(LanguageStates, states))
        files[f"language{name}"] = home / f"language{name}.onnx"
        write_graph(graph, files[f"language{name}"])
        examples = [port.example for port in graph.inputs]
        apart = max(apart, difference(graph, files[f"language{name}"], [examples]))
    require_same(apart, str(home))
    numbers = {}
    if int8:
        numbers = _in_bytes(estimator, files, data)
    content = {
        "format": FORMAT,
        "task": estimator.task,
        "options": estimator.effective.model_dump(mode="json"),
        "vocabulary": estimator._vocabularies(),
        "state": _state(model) if carries_state(model) else {},
        "sisters": estimator.sisters() if isinstance(estimator, Forecaster) else {},
    }
    written = [
        write_file(home / "preprocess.json", json.dumps(content, ensure_ascii=False)),
        write_file(home / "run.py", (Path(__file__).parent / "run.py").read_bytes()),
    ]
    return Exported((*files.values(), *written), apart, numbers)


def _state(model: Any) -> dict[str, Any]:
    tensors = state_tensors(model.initial_state(1))
    return {f"state{place}_0": part.tolist() for place, part in enumerate(tensors)}


def _row(graph: Graph, inputs: Mapping[str, Tensor], lengths: Tensor | None) -> list[Tensor]:
    """Inputs for a graph: the real rows, and beside them the graph's own examples, repeated as often."""
    rows = len(next(iter(inputs.values())))

    def found(port: Port) -> Tensor:
        if port.name in inputs and port.name != "previous":
            return inputs[port.name].to(port.example.dtype)
        if port.name == "lengths":
            steps = next(iter(inputs.values())).shape[1]
            return torch.full((rows,), steps) if lengths is None else lengths
        axis = next(axis for axis, name in port.axes.items() if name == "batch")
        return port.example.index_select(axis, torch.arange(rows) % port.example.shape[axis])

    return [found(port) for port in graph.inputs]


def _in_bytes(estimator: Estimator[Any, Any], files: Mapping[str, Path], data: Any) -> dict[str, float]:
    """Quantise the files in place; the scores of both."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    numbers: dict[str, float] = {"float bytes": sum(file.stat().st_size for file in files.values())}
    monitored = estimator.monitored[0]
    if data is not None:
        numbers[f"float {monitored}"] = _score(estimator, files, data)
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # of a preparation that these graphs have had
    try:
        for file in files.values():
            quantize_dynamic(file, file, weight_type=QuantType.QInt8, extra_options={"EnableSubgraph": True})
    finally:
        logging.disable(disabled)
    numbers["int8 bytes"] = sum(file.stat().st_size for file in files.values())
    if data is not None:
        numbers[f"int8 {monitored}"] = _score(estimator, files, data)
    return numbers


def _score(estimator: Estimator[Any, Any], files: Mapping[str, Path], data: Any) -> float:
    other = copy.copy(estimator)
    other._model = SessionModel(estimator.model, files).eval()
    return other.evaluate(data, baselines=False).scores[estimator.monitored[0]]
