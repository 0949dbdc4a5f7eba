"""A model that is handed its input, or gives its output, piece by piece; its state is argument and result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded
from unrolled.errors import ConfigError
from unrolled.models.base import SequenceModel
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.network_steps import network_steps
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.stream_state import ArrayForm, StateForm, StreamState, state_fits


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """What a step of a stream gives.

    Attributes:
        prediction: of what has been read so far, or the next piece of what is written; None for none yet.
        state: for the next step.
        done: whether what is written has come to its end.
    """

    prediction: Prediction | None
    state: StreamState
    done: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        prediction = None if self.prediction is None else self.prediction.to_json()
        return {"prediction": prediction, "state": self.state.to_json(), "done": self.done}


class TaskStream(ABC):
    """Steps of a model, nothing kept between them: several may run side by side, each with its own state."""

    writes: ClassVar[bool] = False
    """Whether steps go on after the input by themselves, until what is written is done."""

    def step(self, given: Any = None, state: StreamState | None = None) -> Streamed:
        """Read what is given, if anything, and say what there is to say.

        Args:
            given: the next piece of the input, as the task's `predict` takes an input; None where a task
                goes on writing.
            state: from the step before, wherever it has been since; None, or an empty one, begins anew.

        Raises:
            DataError: the input is not of the kind seen in training, or the state is none of this stream.
        """
        if state is None or state.empty:
            return self._advance(given, None)
        self.form.require(state)
        with state_fits():
            return self._advance(given, state)

    @property
    @abstractmethod
    def form(self) -> StateForm:
        """What a state of this stream holds."""

    @abstractmethod
    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        """Take a step from a state that is of this stream's form."""


@with_config(ENTRIES)
class _Nothing(TypedDict):
    """The values of a state that is the network's alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A piece of an input.

    Attributes:
        data: what it is to the task.
        item: what the network reads of it.
        carried: what encoding the next piece goes on from, by name.
    """

    data: Any
    item: Encoded
    carried: Mapping[str, np.ndarray]


class ReadingStream(TaskStream):
    """A network that says at every step what it makes of the steps so far.

    Args:
        model: reads forwards, and looks at the latest state alone.
        read: takes a piece of input, and what encoding goes on from, by name; nothing at the beginning.
        decode: makes a prediction of the network's outputs, and the piece's data.
        carried: what those arrays are.

    Raises:
        ConfigError: the model has to see a whole input first.
    """

    def __init__(
        self,
        model: SequenceModel,
        read: Callable[[Any, Mapping[str, np.ndarray]], Piece],
        decode: Callable[[Tensor, Any], Prediction],
        carried: Mapping[str, ArrayForm],
    ) -> None:
        if not model.causal:
            raise ConfigError(
                "this model has to see the whole input first; one that is read step by step is trained with "
                "bidirectional=False, and a classifier with pooling='last', skip=False and filters=0, a "
                "tagger with crf=False"
            )
        self._network, self._read, self._decode = network_steps(model), read, decode
        self._carried = tuple(carried)
        self._form = StateForm({**self._network.arrays, **carried}, _Nothing)

    @property
    def form(self) -> StateForm:
        """The network's state, and what encoding goes on from."""
        return self._form

    def _advance(self, given: Any, state: StreamState | None) -> Streamed:
        before = {} if state is None else {name: state.arrays[name] for name in self._carried}
        piece = None if given is None else self._read(given, before)
        if piece is None or not len(piece.item):
            return Streamed(None, state or StreamState())
        outputs, after = self._network.run(piece.item.inputs, state)
        return Streamed(self._decode(outputs, piece.data), StreamState({**after, **piece.carried}))
