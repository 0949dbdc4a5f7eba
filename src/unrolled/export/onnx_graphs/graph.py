"""A torch module as an ONNX file with named inputs, outputs and axes."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

OPSET = 18
TOLERANCE = 1e-4
"""By how much an output may differ from the original's before an export is an error."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input.

    Attributes:
        name: in the file.
        example: a tensor such as it takes; every axis that is named has two entries or more.
        axes: the names of those axes whose size may be any.
    """

    name: str
    example: Tensor
    axes: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """What becomes one file.

    Attributes:
        run: from the inputs, in their order, to the outputs.
        modules: those whose weights it reads.
        inputs: in their order.
        outputs: their names.
    """

    run: Callable[..., Sequence[Tensor]]
    modules: nn.Module
    inputs: Sequence[Port]
    outputs: Sequence[str]

    def arrays(self, tensors: Sequence[Tensor]) -> dict[str, np.ndarray]:
        """Inputs as onnxruntime takes them."""
        return {
            port.name: tensor.detach().cpu().numpy()
            for port, tensor in zip(self.inputs, tensors, strict=True)
        }


class _Module(nn.Module):
    """A graph as torch's exporter takes it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.inner = graph.modules
        self.run = graph.run

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.run(*tensors))


def require_onnx() -> None:
    """See that what writes and runs the files is installed.

    Raises:
        MissingDependencyError: the extra ``export`` is not.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError.of("export to ONNX", extra="export") from error


def write_graph(graph: Graph, file: Path) -> None:
    """Write a graph's file.

    Raises:
        MissingDependencyError: the extra ``export`` is not installed.
    """
    require_onnx()
    import onnxscript

    module = _Module(graph).eval()
    shapes = tuple(dict(port.axes) for port in graph.inputs)
    talkative = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    before = [logger.level for logger in talkative]
    try:
        for logger in talkative:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                tuple(port.example for port in graph.inputs),
                input_names=[port.name for port in graph.inputs],
                output_names=list(graph.outputs),
                dynamic_shapes=(shapes,),
                opset_version=OPSET,
                dynamo=True,
                optimize=False,  # once is enough, below
                verbose=False,
            )
            assert program is not None
            # What is made of weights alone is a weight of the file.
            onnxscript.optimizer.optimize(program.model, input_size_limit=1 << 40, output_size_limit=1 << 40)
            # One that is handed on as an output was renamed after it.
            for value, port in zip(program.model.graph.inputs, graph.inputs, strict=True):
                value.name = port.name
            program.save(str(file))
    finally:
        for logger, level in zip(talkative, before, strict=True):
            logger.setLevel(level)


def session(file: Path) -> InferenceSession:
    """A file as onnxruntime runs it, quietly and on one thread a call."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    named: str | bytes = str(file)
    try:
        str(file).encode()
    except UnicodeEncodeError:  # it takes no name whose bytes are no UTF-8
        named = file.read_bytes()
    return onnxruntime.InferenceSession(named, options, providers=["CPUExecutionProvider"])


def difference(graph: Graph, file: Path, draws: Sequence[Sequence[Tensor]]) -> float:
    """The largest difference of any output between a graph and its file.

    Args:
        graph: the original.
        file: its.
        draws: inputs, each time all in their order.
    """
    runner = session(file)
    apart = 0.0
    for tensors in draws:
        with torch.no_grad():
            expected = graph.run(*tensors)
        found = runner.run(list(graph.outputs), graph.arrays(tensors))
        for one, other in zip(expected, found, strict=True):
            apart = max(apart, largest_difference(one.detach().cpu().numpy(), np.asarray(other)))
    return apart


def largest_difference(expected: np.ndarray, found: np.ndarray) -> float:
    """Between two arrays; NaN where one is and infinity where shapes differ are no number's neighbours.

    Example:
        >>> largest_difference(np.array([1.0, np.nan]), np.array([1.5, np.nan]))
        0.5
        >>> largest_difference(np.zeros(2), np.zeros(3))
        inf
    """
    if expected.shape != found.shape:
        return float("inf")
    both = np.isnan(expected) & np.isnan(found) if expected.dtype.kind == "f" else expected == found
    same = both | (expected == found)
    with np.errstate(invalid="ignore"):
        apart = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    apart = np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return float(apart.max(initial=0.0))


def require_same(apart: float, what: str) -> None:
    """Refuse an export that does not give the same.

    Raises:
        ConfigError: it differs by more than `TOLERANCE`.
    """
    if not apart <= TOLERANCE:
        raise ConfigError(
            f"{what}: expected outputs within {TOLERANCE:g} of the original's, got a difference of "
            f"{apart:.3g}; the files are not to be used."
        )


def frozen(module: nn.Module) -> nn.Module:
    """A copy in evaluation and on the CPU, for what is written is."""
    return copy.deepcopy(module).cpu().eval()
