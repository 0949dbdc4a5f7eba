"""The graph of one recurrent layer: sequences and states in, outputs and states out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from unrolled.export.onnx_graphs.graph import Graph, Port, frozen
from unrolled.layers.engines.exported import nested
from unrolled.layers.stack import RecurrentLayer
from unrolled.layers.state import State, state_tensors

BATCH, TIME = "batch", "time"
_ROWS, _STEPS = 2, 3


def layer_graph(
    layer: RecurrentLayer, *, lengths: bool = False, resets: bool = False, step: bool = False
) -> Graph:
    """The graph of a layer.

    Args:
        layer: any.
        lengths: it takes the real steps of each row too.
        resets: it takes the steps at which rows begin anew too.
        step: one step of every row, for input that arrives step by step.
    """
    layer = cast("RecurrentLayer", frozen(layer))
    weight = layer._weight("weight_hh", "_l0")
    first = layer.batch_first
    axes = {0 if first else 1: BATCH, 1 if first else 0: TIME}
    shape = [_ROWS, _STEPS] if first else [_STEPS, _ROWS]
    if step:
        shape = [_ROWS, 1] if first else [1, _ROWS]
        axes = {axis: name for axis, name in axes.items() if name == BATCH}
    ports = [Port("input", torch.zeros(*shape, layer.input_size, dtype=weight.dtype), axes)]
    if lengths:
        ports.append(Port("lengths", torch.full((_ROWS,), shape[1 if first else 0]), {0: BATCH}))
    if resets:
        ports.append(Port("resets", torch.zeros(shape, dtype=torch.bool), axes))
    begin = layer.initial_state(_ROWS)
    names = state_names(layer)
    ports += state_ports(names, begin)
    options = (["lengths"] if lengths else []) + (["resets"] if resets else [])

    def run(*tensors: Tensor) -> Sequence[Tensor]:
        values, *rest = tensors
        given = dict(zip(options, rest, strict=False))
        output, final = layer(values, nested(begin, rest[len(options) :]), **given)
        return [output, *state_tensors(final)]

    return Graph(run, layer, ports, ["output", *(f"{name}_n" for name in names)])


def state_names(layer: RecurrentLayer) -> list[str]:
    """The tensors of a layer's state: by its names, numbered where each layer has one of its own."""
    if layer._layout.equal:
        return list(layer.state_names)
    return [f"{name}_l{level}" for name in layer.state_names for level in range(layer.num_layers)]


def state_ports(names: Sequence[str], state: State) -> list[Port]:
    """The inputs of a state before the first step."""
    return [
        Port(f"{name}_0", part.detach().contiguous(), {1: BATCH})
        for name, part in zip(names, state_tensors(state), strict=True)
    ]


def layer_draws(graph: Graph, generator: torch.Generator) -> list[list[Tensor]]:
    """Random inputs of several sizes."""
    draws = []
    for rows, steps in ((1, 1), (3, 7), (2, 20)):
        sizes = {BATCH: rows, TIME: steps}
        tensors = []
        for port in graph.inputs:
            shape = [sizes.get(port.axes.get(axis, ""), size) for axis, size in enumerate(port.example.shape)]
            if port.name == "lengths":
                most = steps if any(TIME in each.axes.values() for each in graph.inputs) else 1
                tensors.append(torch.randint(0, most + 1, shape, generator=generator))
            elif port.name == "resets":
                tensors.append(torch.rand(shape, generator=generator) < 0.3)
            else:
                tensors.append(torch.randn(shape, generator=generator, dtype=port.example.dtype))
        draws.append(tensors)
    return draws
