"""The graphs of a fitted network: one for most, an encoder and a step of the decoder for what writes.

A graph's inputs are what the task's ``encode`` gives, padded side by side, and their ``lengths``; where the
network can be fed step by step, its state too. So the same file reads whole sequences and single steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.export.onnx_graphs.graph import Graph, Port, frozen
from unrolled.export.onnx_graphs.layers import BATCH, TIME, state_ports
from unrolled.layers.attention import Memory
from unrolled.layers.engines.exported import nested
from unrolled.layers.state import State, map_state, state_tensors
from unrolled.models.base import SequenceModel
from unrolled.models.conditional import ConditionalModel
from unrolled.models.forecaster import ForecastNetwork
from unrolled.models.frames import RowInput
from unrolled.models.language_states import LanguageStates
from unrolled.models.one_to_many import OneToMany, PicturePerception
from unrolled.models.one_to_one import OneToOne

_ROWS = 2
MEMORY, WRITTEN = "memory", "written"


def network_graphs(model: SequenceModel, inputs: Mapping[str, Tensor]) -> dict[str, Graph]:
    """The graphs by the names of their files.

    Args:
        model: any network of this package.
        inputs: one batch of what it reads, by name, as an example.
    """
    model = frozen(model)  # type: ignore[assignment]
    if isinstance(model, ConditionalModel):
        return _conditional(model, inputs)
    return {"model": _plain(model, inputs)}


def states_graph(states: LanguageStates) -> Graph:
    """What a language model knows after each token of a text.

    Args:
        states: the language model's recurrent part.
    """
    states = frozen(states)  # type: ignore[assignment]
    tokens = torch.arange(_ROWS * 5).view(_ROWS, 5) % states.embedding.num_embeddings
    return Graph(
        lambda tokens: [states(tokens)[0]], states, [Port("tokens", tokens, {0: BATCH, 1: TIME})], ["states"]
    )


def carries_state(model: SequenceModel) -> bool:
    """Whether a network's file takes and gives its state."""
    return isinstance(model, OneToOne | ForecastNetwork)


def flat_names(state: State) -> list[str]:
    """Names for the tensors of any state."""
    return [f"state{place}" for place in range(len(state_tensors(state)))]


def _plain(model: SequenceModel, inputs: Mapping[str, Tensor]) -> Graph:
    ports = input_ports(model, inputs)
    names = [port.name for port in ports]
    if carries_state(model):
        begin = model.initial_state(_ROWS)
        states = flat_names(begin)

        def step(*tensors: Tensor) -> Sequence[Tensor]:
            given = dict(zip(names, tensors, strict=False))
            outputs, after = model(given, None, nested(begin, tensors[len(names) :]))
            return [outputs, *state_tensors(after)]

        outputs = ["output", *(f"{name}_n" for name in states)]
        return Graph(step, model, [*ports, *state_ports(states, begin)], outputs)
    steps = ports[0].example.shape[1]

    def whole(*tensors: Tensor) -> Sequence[Tensor]:
        *values, lengths = tensors
        return [model(dict(zip(names, values, strict=True)), lengths)[0]]

    return Graph(whole, model, [*ports, Port("lengths", torch.full((_ROWS,), steps), {0: BATCH})], ["output"])


def _conditional(model: ConditionalModel, inputs: Mapping[str, Tensor]) -> dict[str, Graph]:
    ports = input_ports(model, {name: each for name, each in inputs.items() if name != "previous"})
    names = [port.name for port in ports]
    fixed = isinstance(model, OneToMany) and not any(TIME in port.axes.values() for port in ports)
    if not fixed:
        ports.append(Port("lengths", torch.full((_ROWS,), ports[0].example.shape[1]), {0: BATCH}))
    examples = [port.example for port in ports]

    def encode(*tensors: Tensor) -> Sequence[Tensor]:
        values, lengths = (tensors, None) if fixed else (tensors[:-1], tensors[-1])
        state, memory = model.encode(dict(zip(names, values, strict=True)), lengths)
        return [*state_tensors(state), *memory_tensors(memory)]

    with torch.no_grad():
        values, lengths = (examples, None) if fixed else (examples[:-1], examples[-1])
        state, memory = model.encode(dict(zip(names, values, strict=True)), lengths)
    begin = map_state(torch.Tensor.detach, state)
    states, kept = flat_names(begin), memory_names(memory)
    previous = Port("previous", torch.ones(_ROWS, 1, dtype=torch.int64), {0: BATCH})
    # A picture has a number of regions of its own; a text as many as symbols.
    own = isinstance(model, OneToMany) and isinstance(model.perception, PicturePerception)
    axes = {0: BATCH} if fixed or own else {0: BATCH, 1: MEMORY}
    remembered = [
        Port(name, tensor.detach(), axes) for name, tensor in zip(kept, memory_tensors(memory), strict=True)
    ]

    def decode(*tensors: Tensor) -> Sequence[Tensor]:
        symbols, *rest = tensors
        before = nested(begin, rest[: len(states)])
        decoded = model.decoder.unroll(symbols, before, memory_of(rest[len(states) :], kept))
        weights = [] if decoded.weights is None else [decoded.weights]
        return [_padded(decoded.scores, model, rest, kept), *weights, *state_tensors(decoded.state)]

    decoder_outputs = ["scores", *(["weights"] if memory is not None else []), *(f"{n}_n" for n in states)]
    return {
        "encoder": Graph(encode, model, ports, [*(f"{name}_0" for name in states), *kept]),
        "decoder": Graph(
            decode, model, [previous, *state_ports(states, begin), *remembered], decoder_outputs
        ),
    }


def _padded(scores: Tensor, model: ConditionalModel, rest: Sequence[Tensor], kept: Sequence[str]) -> Tensor:
    """Scores with room for as many copied symbols as a graph has: one for each step of the memory."""
    if model.decoder.generate is None or torch.compiler.is_exporting():
        return scores
    width = model.decoder.vocabulary + rest[len(rest) - len(kept)].shape[1]
    missing = width - scores.shape[-1]
    return nn.functional.pad(scores, (0, missing), value=math.log(torch.finfo(scores.dtype).tiny))


def memory_names(memory: Memory | None) -> list[str]:
    """What of a memory there is."""
    if memory is None:
        return []
    names = ["memory_values", "memory_keys", "memory_real"]
    return names if memory.symbols is None else [*names, "memory_symbols"]


def memory_tensors(memory: Memory | None) -> list[Tensor]:
    """That, in the order of `memory_names`."""
    if memory is None:
        return []
    parts = [memory.values, memory.keys, memory.real]
    return parts if memory.symbols is None else [*parts, memory.symbols]


def memory_of(tensors: Sequence[Tensor], names: Sequence[str]) -> Memory | None:
    """The inverse of `memory_tensors`."""
    return Memory(*tensors) if names else None


def input_ports(model: SequenceModel, inputs: Mapping[str, Tensor]) -> list[Port]:
    """The inputs by name, with the axes that may be of any size."""
    ports = []
    for name, example in inputs.items():
        repeated = torch.cat([example[:1]] * _ROWS)
        axes = {0: BATCH} | _AXES.get(name, {})
        if name == "pixels" and not _reads_frames(model):
            axes = {0: BATCH}
        for axis in axes:
            while axis and repeated.shape[axis] < 3:  # sizes of 0 and 1 are taken for constants
                repeated = (
                    torch.cat([repeated, repeated], axis) if repeated.shape[axis] else _one(repeated, axis)
                )
        ports.append(Port(name, repeated, axes))
    return ports


def _one(tensor: Tensor, axis: int) -> Tensor:
    shape = list(tensor.shape)
    shape[axis] = 1
    return tensor.new_zeros(shape)


_AXES: dict[str, dict[int, str]] = {
    "tokens": {1: TIME},
    "values": {1: TIME},
    "marks": {1: TIME},
    "vectors": {1: TIME},
    "features": {1: TIME},
    "words": {1: TIME},
    "characters": {1: TIME, 2: "letters"},
    "copies": {1: TIME},
    "pixels": {1: TIME},
    "beside_classes": {1: TIME},
    "beside_numbers": {1: TIME},
}
"""The axes that differ from sequence to sequence."""


def _reads_frames(model: Any) -> bool:
    """Whether pixels are those of frames, any number of them, rather than of one image."""
    return not isinstance(getattr(model, "inputs", None), RowInput) and not isinstance(model, OneToMany)
