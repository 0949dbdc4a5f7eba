"""A one-to-one network whose sequences go on step by step: what was written is the next input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from unrolled.layers.state import State
    from unrolled.models.one_to_one import OneToOne


class ModelStream:
    """What a model gives for one step after the other, without gradients; see `unrolled.layers.Stream`.

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

    def __init__(self, model: OneToOne, state: State) -> None:
        part = state
        while isinstance(part, tuple):
            part = part[0]
        self._model = model
        self._layers = model.recurrent.stream(part.shape[1])
        self._layers.state = state

    @property
    def state(self) -> State:
        """The state after the last step."""
        return self._layers.state

    @torch.no_grad()
    def step(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Scores of the next step, ``(batch, ...)``.

        Args:
            inputs: of this one by name, each ``(batch, ...)``.
        """
        each = {name: values[:, None] for name, values in inputs.items()}
        hidden = self._layers.step(self._model._features(each)[:, 0])
        return self._model._outputs(each, hidden[:, None])[:, 0]
