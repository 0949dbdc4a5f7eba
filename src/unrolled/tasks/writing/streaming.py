"""A text written for an input, symbol by symbol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded, collate_unequal
from unrolled.errors import ConfigError, DataError
from unrolled.layers.attention import Memory
from unrolled.models.conditional import ConditionalModel
from unrolled.saving.schema import ENTRIES, Count
from unrolled.tasks.network_steps import network_arrays, packed, unpacked
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.stream_state import ArrayForm, StateForm, StreamState
from unrolled.tasks.streaming import Streamed, TaskStream

_OF_MEMORY = "memory."
_MEMORY = {
    "memory.values": ArrayForm("f", (1, "steps", "size")),
    "memory.keys": ArrayForm("f", (1, "steps", "size of a key")),
    "memory.real": ArrayForm("b", (1, "steps")),
    "memory.symbols": ArrayForm("i", (1, "steps")),
}
_SYMBOLS = "memory.symbols"
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


@with_config(ENTRIES)
class _Values(TypedDict):
    """Beside the arrays: the input where it is a text, the most symbols, and what is written."""

    given: str | None
    limit: Count
    symbols: list[Count]
    said: str


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

    writes: ClassVar[bool] = True

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
        decoder = model.decoder
        attends, copies = decoder.attention is not None, decoder.generate is not None
        memory = {name: form for name, form in _MEMORY.items() if attends and (copies or name != _SYMBOLS)}
        self._form = StateForm({**network_arrays(model), **memory}, _Values)

    @property
    def form(self) -> StateForm:
        """The decoder's state, what it attends to, and what is written."""
        return self._form

    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        model = self._model
        if given is not None:
            state = self._begun(given)
        if state is None:
            raise DataError("expected an input with the first step, got none")
        self._require_symbols(state)
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
        arrays = {name: array for name, array in state.arrays.items() if name.startswith(_OF_MEMORY)}
        further = {**values, "symbols": written, "said": text}
        return Streamed(Prediction(piece), StreamState({**arrays, **packed(after)}, further), done)

    def _require_symbols(self, state: StreamState) -> None:
        """Hold symbols to those that there are: the vocabulary's, and one for each step of the memory."""
        symbols = state.arrays.get(_SYMBOLS, np.zeros((1, 0), dtype=np.int64))
        below = self._model.decoder.vocabulary + symbols.size
        if symbols.size and not (symbols.min() >= 0 and symbols.max() < below):
            raise DataError(f"expected symbols from 0 to {below - 1} in the state's memory")

    def _begun(self, given: Any) -> StreamState:
        item, model = self._read(given), self._model
        batch = collate_unequal([item]).to(next(model.parameters()).device)
        with torch.no_grad():
            start, memory = model.encode(batch.inputs, batch.lengths)
        asked = [name for name in _MEMORY if name in self._form.arrays]
        parts = {name: getattr(memory, name.removeprefix(_OF_MEMORY)) for name in asked}
        arrays = {name: part.cpu().numpy() for name, part in parts.items()}
        kept = given if isinstance(given, str) else None
        values = {"given": kept, "limit": self._limit(item), "symbols": [], "said": ""}
        return StreamState({**arrays, **packed(start)}, values)


def _memory(state: StreamState, device: torch.device) -> Memory | None:
    parts: dict[str, Any] = {
        name.removeprefix(_OF_MEMORY): torch.from_numpy(np.array(state.arrays[name])).to(device)
        for name in _MEMORY
        if name in state.arrays
    }
    return Memory(**parts) if parts else None
