"""A generator step by step: each writes a token, or a set of notes, on after what was read and written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.rolls import KEYS, notes_of_roll
from unrolled.data.tokenizer import Tokenizer
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.saving.schema import ENTRIES, Count
from unrolled.tasks.generation.config import WritingConfig
from unrolled.tasks.generation.stops import released
from unrolled.tasks.generation.writing import chosen_notes, is_whole, writable
from unrolled.tasks.network_steps import network_steps
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.stream_state import ArrayForm, StateForm, StreamState
from unrolled.tasks.streaming import Streamed, TaskStream
from unrolled.tasks.writing.sampling import Sampling

_GENERATOR = {"generator": ArrayForm("u", (torch.Generator().get_state().numel(),))}


@with_config(ENTRIES)
class _Text(TypedDict):
    """Beside the arrays of a text: how much is written, and what of it is held back."""

    made: Count
    held: str
    pending: list[Count]


@with_config(ENTRIES)
class _Notes(TypedDict):
    """Beside the arrays of notes: how much is written."""

    made: Count


class TextStream(TaskStream):
    """Text, a token a step; what is given is read before it.

    Args:
        model: a language model.
        tokenizer: its alphabet.
        options: of the writing; a beam cannot be followed step by step.

    Raises:
        ConfigError: a beam is asked for.
    """

    writes: ClassVar[bool] = True

    def __init__(self, model: SequenceModel, tokenizer: Tokenizer, options: WritingConfig) -> None:
        if options.beam:
            raise ConfigError(f"beam: expected 0 where text is written step by step, got {options.beam}")
        self._network, self._tokenizer, self._options = network_steps(model), tokenizer, options
        self._sampling = Sampling(options.temperature, options.top_k, options.top_p)
        token = ArrayForm("i", (1,), below=tokenizer.size)
        self._form = StateForm({"tokens": token, **_GENERATOR, **self._network.arrays}, _Text)

    @property
    def form(self) -> StateForm:
        """The latest token, the network's state and that of the draws."""
        return self._form

    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        state = state or _begun(
            self._options.seed, {"tokens": np.array([self._tokenizer.end])}, held="", pending=[]
        )
        made, held, options = state.values["made"], state.values["held"], self._options
        read = [*state.arrays["tokens"].tolist(), *([] if given is None else self._tokenizer.encode(given))]
        outputs, after = self._network.run({"tokens": np.array(read)}, state)
        scores = writable(outputs[-1:], self._tokenizer)
        chance, generator = _drawn(state, 1)
        token = int(self._sampling.draw(scores, chance))
        ended = token == self._tokenizer.end
        pending = [*state.values["pending"], *([] if ended else [token])]
        if ended or made + 1 >= options.length or is_whole(pending, self._tokenizer):
            held, pending = held + self._tokenizer.decode(pending), []
        piece, held, stopped = released(held, options.stop)
        done = ended or stopped or made + 1 >= options.length
        if done and not stopped:
            piece, held = piece + held, ""
        values = {"made": made + 1, "held": held, "pending": pending}
        arrays = {"tokens": np.array([token]), "generator": generator, **after}
        return Streamed(Prediction(piece), StreamState(arrays, values), done)


class NoteStream(TaskStream):
    """Sets of notes, one a step; what is given is read before it.

    Args:
        model: gives the probability of every key.
        seed: makes a roll ``(time, key)`` of what is given.
        options: of the writing.
    """

    writes: ClassVar[bool] = True

    def __init__(
        self, model: SequenceModel, seed: Callable[[Any], np.ndarray], options: WritingConfig
    ) -> None:
        self._network, self._seed, self._options = network_steps(model), seed, options
        notes = ArrayForm("f", (1, KEYS))
        self._form = StateForm({"values": notes, **_GENERATOR, **self._network.arrays}, _Notes)

    @property
    def form(self) -> StateForm:
        """The latest notes, the network's state and that of the draws."""
        return self._form

    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        state = state or _begun(self._options.seed, {"values": np.zeros((1, KEYS))})
        made, read = state.values["made"], state.arrays["values"]
        if given is not None:
            read = np.concatenate([read, self._seed(given)])
        outputs, after = self._network.run({"values": read}, state)
        chance, generator = _drawn(state, KEYS)
        roll = chosen_notes(outputs[-1:], self._options.temperature, chance[None]).numpy()
        arrays = {"values": roll.astype(np.float64), "generator": generator, **after}
        done = made + 1 >= self._options.length
        return Streamed(Prediction(notes_of_roll(roll)[0]), StreamState(arrays, {"made": made + 1}), done)


def _begun(seed: int, arrays: dict[str, np.ndarray], **values: Any) -> StreamState:
    """Before the first step."""
    generator = torch.Generator().manual_seed(seed).get_state().numpy()
    return StreamState({**arrays, "generator": generator}, {"made": 0, **values})


def _drawn(state: StreamState, count: int) -> tuple[torch.Tensor, np.ndarray]:
    """The next chances ``(count,)``, and where the generator is after them."""
    generator = torch.Generator()
    generator.set_state(torch.from_numpy(state.arrays["generator"].copy()))
    return torch.rand(count, generator=generator), generator.get_state().numpy()
