"""A network that goes on step by step, with its recurrent layers' weights packed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from unrolled.layers.state import state_tensors

if TYPE_CHECKING:
    from unrolled.layers.state import State
    from unrolled.models.recurrent import RecurrentModel


class StepStream(Protocol):
    """What a network gives for one step after the other, without gradients; see `unrolled.layers.Stream`."""

    @property
    def state(self) -> State:
        """The state after the last step; set it to go on from elsewhere."""
        ...

    @state.setter
    def state(self, state: State) -> None: ...

    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The outputs of the next step, ``(batch, ...)``.

        Args:
            inputs: of this step by name, each ``(batch, ...)``.
        """
        ...


class ModelStream:
    """The stream of a network that is one recurrence, whose other parts see single steps.

    Args:
        model: as its weights are now.
        state: the state to go on from, as the model returned it.

    Example:
        >>> from unrolled.models.config import NetworkConfig
        >>> from unrolled.models.one_to_one import LanguageModel
        >>> model = LanguageModel(5, 4, NetworkConfig(hidden_size=6))
        >>> stream = model.stream(model.initial_state(2))
        >>> stream.step({"tokens": torch.tensor([1, 2])}).shape
        torch.Size([2, 5])
    """

    def __init__(self, model: RecurrentModel, state: State) -> None:
        self._model = model
        self._layers = model.recurrent.stream(state_tensors(state)[0].shape[1])
        self._layers.state = state

    @property
    def state(self) -> State:
        """The state after the last step; set it to go on from elsewhere."""
        return self._layers.state

    @state.setter
    def state(self, state: State) -> None:
        self._layers.state = state

    @torch.no_grad()
    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The outputs of the next step, ``(batch, ...)``.

        Args:
            inputs: of this one by name, each ``(batch, ...)``.
        """
        each = {name: values.unsqueeze(1) for name, values in inputs.items()}
        hidden = self._layers.step(self._model._features(each).squeeze(1))
        return self._model._outputs(each, hidden.unsqueeze(1)).squeeze(1)


class EnsembleStream:
    """The streams of several networks, whose outputs are averaged.

    Args:
        streams: of each.
        averaged: the average of outputs ``(network, batch, ...)``.
    """

    def __init__(self, streams: Sequence[StepStream], averaged: Callable[[Tensor], Tensor]) -> None:
        self._streams, self._averaged = streams, averaged

    @property
    def state(self) -> State:
        """Those of all networks; set them to go on from elsewhere."""
        return tuple(stream.state for stream in self._streams)

    @state.setter
    def state(self, state: State) -> None:
        for stream, own in zip(self._streams, state, strict=True):
            stream.state = own

    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """The average of what all give; see `StepStream`."""
        return self._averaged(torch.stack([stream.step(inputs) for stream in self._streams]))
