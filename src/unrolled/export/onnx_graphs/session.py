"""A network that onnxruntime computes in the place of the one in torch, to score what was exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from unrolled.export.onnx_graphs.graph import session
from unrolled.export.onnx_graphs.networks import memory_of, memory_tensors
from unrolled.layers.attention import Memory
from unrolled.layers.engines.exported import nested
from unrolled.layers.state import State, state_tensors
from unrolled.models.base import SequenceModel
from unrolled.models.decoder import Decoded, Decoder

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class SessionModel(SequenceModel):
    """A network's files in the network's place.

    Args:
        original: what was exported.
        files: by the names of `unrolled.export.onnx_graphs.networks.network_graphs`.
    """

    def __init__(self, original: SequenceModel, files: Mapping[str, Path]) -> None:
        super().__init__()
        self.original = original
        self._sessions = {name: session(file) for name, file in files.items()}
        if "decoder" in self._sessions:
            self.decoder = _SessionDecoder(original.decoder, self._sessions["decoder"])  # type: ignore[arg-type]

    @property
    def causal(self) -> bool:
        """As the original."""
        return self.original.causal

    def initial_state(self, batch_size: int) -> State:
        """The original's."""
        return self.original.initial_state(batch_size)

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """The outputs, and the state where the file gives one; see `SequenceModel`."""
        runner = self._sessions["model"]
        rows, steps = next(iter(inputs.values())).shape[:2]
        before = self.initial_state(rows) if state is None else state
        given = {**inputs, **_named(before)}
        given["lengths"] = torch.full((rows,), steps) if lengths is None else lengths
        output, *after = _run(runner, given)
        return output, nested(before, after) if after else before

    def encode(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None
    ) -> tuple[State, Memory | None]:
        """The decoder's first state and its memory."""
        rows, steps = next(iter(inputs.values())).shape[:2]
        given = {**inputs, "lengths": torch.full((rows,), steps) if lengths is None else lengths}
        found = _run(self._sessions["encoder"], given)
        like = self.decoder.initial_state(1)
        count = len(state_tensors(like))
        names = [port.name for port in self._sessions["encoder"].get_outputs()][count:]
        return nested(like, found[:count]), memory_of(found[count:], names)

    def stream(self, state: State) -> _SessionStream:
        """As `unrolled.models.one_to_one.OneToOne.stream`."""
        return _SessionStream(self, state)


class _SessionStream:
    def __init__(self, model: SessionModel, state: State) -> None:
        self._model = model
        self.state = state

    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        output, self.state = self._model(
            {name: each[:, None] for name, each in inputs.items()}, None, self.state
        )
        return output[:, 0]


class _SessionDecoder(torch.nn.Module):
    stepper = Decoder.stepper

    def __init__(self, original: Decoder, runner: InferenceSession) -> None:
        super().__init__()
        self.original = original
        self._runner = runner

    def initial_state(self, batch_size: int) -> State:
        return self.original.initial_state(batch_size)

    def forward(
        self, previous: Tensor, state: State, memory: Memory | None = None, sampling: float = 0.0
    ) -> tuple[Tensor, State]:
        decoded = self.unroll(previous, state, memory)
        return decoded.scores, decoded.state

    def unroll(self, previous: Tensor, state: State, memory: Memory | None = None) -> Decoded:
        scores, weights = [], []
        for symbols in previous.unbind(1):
            given = {"previous": symbols[:, None], **_named(state)}
            if memory is not None:
                each = len(symbols) // len(memory.real)
                names = ("memory_values", "memory_keys", "memory_real", "memory_symbols")
                parts = memory_tensors(memory)
                given |= {
                    name: part.repeat_interleave(each, 0) for name, part in zip(names, parts, strict=False)
                }
            found = _run(self._runner, given)
            scores.append(found.pop(0))
            weights += [found.pop(0)] if memory is not None else []
            state = nested(state, found)
        return Decoded(torch.cat(scores, 1), torch.cat(weights, 1) if weights else None, state)


def _named(state: State) -> dict[str, Tensor]:
    return {f"state{place}_0": part for place, part in enumerate(state_tensors(state))}


def _run(runner: InferenceSession, given: Mapping[str, Tensor]) -> list[Tensor]:
    arrays: dict[str, Any] = {}
    for port in runner.get_inputs():
        array = given[port.name].detach().cpu().numpy()
        arrays[port.name] = array.astype(np.float32) if port.type == "tensor(float)" else array
    outputs: Sequence[Any] = runner.run(None, arrays)
    return [torch.from_numpy(np.array(each)) for each in outputs]
