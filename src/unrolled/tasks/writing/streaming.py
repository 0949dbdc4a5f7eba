"""A text written for an input, symbol by symbol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from unrolled.data.buckets import Encoded, collate_unequal
from unrolled.errors import ConfigError, DataError
from unrolled.layers.attention import Memory
from unrolled.models.conditional import ConditionalModel
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.streaming import Streamed, StreamState, TaskStream, packed, unpacked

_MEMORY = ("values", "keys", "real", "symbols")
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class DecoderStream(TaskStream):
    """The most probable symbol at every step; the first step is given the input.

    Args:
        model: the network.
        read: makes of an input what the network reads.
        text: the text of some symbols, written for an input.
        limit: the most symbols for an encoded input.
        beam_size: of the search, which cannot be followed step by step.
        stop: the symbol that ends a text and stands before its first one.
        never: a symbol that is not to be written, such as the unknown one.

    Raises:
        ConfigError: a beam is asked for.
    """

    def __init__(
        self,
        model: ConditionalModel,
        read: Callable[[Any], Encoded],
        text: Callable[[list[int], Any], str],
        limit: Callable[[Encoded], int],
        *,
        beam_size: int,
        stop: int,
        never: int | None,
    ) -> None:
        if beam_size > 1:
            raise ConfigError(f"beam_size: expected 1 where text is written step by step, got {beam_size}")
        self._model, self._read, self._text, self._limit = model, read, text, limit
        self._stop, self._never = stop, never

    def step(self, given: Any = None, state: StreamState | None = None) -> Streamed:
        """Read an input where one is given, and write the next symbol."""
        model = self._model
        if given is not None:
            state = self._begun(given)
        if state is None:
            raise DataError("expected an input with the first step, got none")
        values, device = state.values, next(model.parameters()).device
        memory = _memory(state, device)
        written: list[int] = list(values["symbols"])
        before = unpacked(state.arrays, model.initial_state(1))
        previous = torch.tensor([[written[-1] if written else self._stop]], device=device)
        with torch.no_grad():
            scores, after = model.decoder(previous, before, memory)
        scores = scores[0, -1].float()
        if self._never is not None:
            scores[self._never] = -torch.inf
        written.append(int(scores.argmax()))
        done = written[-1] == self._stop or len(written) >= values["limit"]
        text = self._text(written[:-1] if written[-1] == self._stop else written, values["given"])
        if text.endswith(_UNFINISHED) and not done:
            text = values["said"]  # a character may need several symbols
        piece = text.removeprefix(values["said"])
        arrays = {name: array for name, array in state.arrays.items() if name.startswith("memory")}
        further = {**values, "symbols": written, "said": text}
        return Streamed(Prediction(piece), StreamState({**arrays, **packed(after)}, further), done)

    def _begun(self, given: Any) -> StreamState:
        item, model = self._read(given), self._model
        batch = collate_unequal([item]).to(next(model.parameters()).device)
        with torch.no_grad():
            start, memory = model.encode(batch.inputs, batch.lengths)
        parts = {} if memory is None else {name: getattr(memory, name) for name in _MEMORY}
        arrays = {f"memory.{name}": part.cpu().numpy() for name, part in parts.items() if part is not None}
        kept = given if isinstance(given, str) else None
        values = {"given": kept, "limit": self._limit(item), "symbols": [], "said": ""}
        return StreamState({**arrays, **packed(start)}, values)


def _memory(state: StreamState, device: torch.device) -> Memory | None:
    parts: dict[str, Any] = {
        name: torch.from_numpy(np.array(state.arrays[f"memory.{name}"])).to(device)
        for name in _MEMORY
        if f"memory.{name}" in state.arrays
    }
    return Memory(**parts) if parts else None
