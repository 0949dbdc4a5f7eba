"""``unrolled.export.onnx``: a layer or a fitted model as ONNX files, and whether they give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from unrolled.errors import ConfigError
from unrolled.export.onnx_graphs.graph import difference, require_same, write_graph
from unrolled.export.onnx_graphs.layers import layer_draws, layer_graph
from unrolled.export.onnx_models import export_model
from unrolled.export.result import Exported
from unrolled.layers.stack import RecurrentLayer
from unrolled.saving.files import make_folder
from unrolled.tasks.base import Estimator


def onnx(thing: Any, path: str | Path, **options: Any) -> Exported:
    """Write a layer as an ONNX file, or a fitted estimator as a folder that needs no torch.

    The file of a layer has the inputs ``input``, if asked for ``lengths`` and ``resets``, and the states
    before the first step, ``h_0`` and further; the outputs are ``output`` and the states after the last one,
    ``h_n`` and further. All are laid out as the layer's own; the axes ``batch`` and ``time`` may be of any
    size.

    Args:
        thing: a layer of `unrolled.layers`, or an estimator.
        path: of a layer's file, or the folder of an estimator's files.
        **options: of a layer ``lengths``, ``resets`` and ``step`` (one step of every row, for input that
            arrives step by step), all False; of an estimator ``data``, labelled rows to compare on and to
            score, and ``int8``, weights in bytes.

    Returns:
        The files and the largest difference of an output from the original's.

    Raises:
        ConfigError: it is neither; outputs differ by more than 1e-4.
        MissingDependencyError: the extra ``export`` is not installed.
    """
    if isinstance(thing, RecurrentLayer):
        return _layer(thing, Path(path), **options)
    if isinstance(thing, Estimator):
        return export_model(thing, Path(path), **options)
    raise ConfigError(
        f"expected a layer of unrolled.layers or a fitted estimator, got {type(thing).__name__}; "
        "torch.onnx.export(module, ..., dynamo=True) takes any module that holds such layers."
    )


def _layer(
    layer: RecurrentLayer,
    file: Path,
    *,
    lengths: bool = False,
    resets: bool = False,
    step: bool = False,
) -> Exported:
    graph = layer_graph(layer, lengths=lengths, resets=resets, step=step)
    make_folder(file.parent)
    write_graph(graph, file)
    draws = layer_draws(graph, torch.Generator().manual_seed(0))
    apart = difference(graph, file, draws)
    require_same(apart, str(file))
    return Exported((file,), apart)
