"""A recurrent layer that runs as its input arrives: one element in, one output out, the state kept."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import checks
from unrolled.layers.engines import ENGINES
from unrolled.layers.engines.engine import Step
from unrolled.layers.state import State, reset_rows
from unrolled.ops.alike import alike

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer


class Stream:
    """A recurrent layer, in evaluation and without gradients, that is handed one step at a time.

    What `step` returns step by step is what the layer returns for the whole sequence. Made with
    ``layer.stream(batch_size)``. It holds the weights as they were then; `refresh` takes those of now.
    Several streams of a layer may run in several threads, one stream in one thread at a time only.

    Args:
        layer: any that reads forwards.
        batch_size: sequences that run side by side.

    Raises:
        ConfigError: the layer is bidirectional: it would have to know the sequence's end.

    Example:
        >>> from unrolled.layers import GRU
        >>> layer = GRU(3, 4)
        >>> sequence = torch.randn(5, 1, 3)
        >>> stream = layer.stream()
        >>> outputs = torch.stack([stream.step(element) for element in sequence])
        >>> torch.allclose(outputs, layer(sequence)[0], atol=1e-6)
        True
        >>> stream.state.shape
        torch.Size([1, 1, 4])
    """

    def __init__(self, layer: RecurrentLayer, batch_size: int = 1) -> None:
        if layer.bidirectional:
            raise ConfigError(
                "a bidirectional layer reads from the sequence's end, which a stream has not seen: expected "
                "bidirectional=False, got True; give the layer whole sequences instead."
            )
        self.batch_size = checks.whole_number("batch_size", batch_size, 1)
        self._layer = layer
        self._shape = torch.Size((batch_size, layer.input_size))
        self._take_weights(None)

    def step(self, inputs: Tensor) -> Tensor:
        """Take one element of every sequence.

        Args:
            inputs: ``(batch_size, input_size)``, of the weights' type and device.

        Returns:
            The top layer's output, ``(batch_size, hidden_size)``.

        Raises:
            ShapeError: shape, type or device do not fit.
        """
        return self._advance(inputs if self._like_the_last(inputs) else self._accepted(inputs))

    def _accepted(self, inputs: Tensor) -> Tensor:
        if inputs.shape != self._shape or inputs.dtype != self._dtype or inputs.device != self._device:
            raise ShapeError(
                f"expected a step's inputs of shape {tuple(self._shape)}, {self._dtype} on {self._device}, "
                f"got {tuple(inputs.shape)}, {inputs.dtype} on {inputs.device}."
            )
        if inputs.is_contiguous() and not inputs.is_neg():
            self._like_the_last = alike(inputs)
        return inputs.resolve_neg().contiguous()

    @property
    def state(self) -> State:
        """The state after the last step, in the layer's layout; set it to go on from elsewhere."""
        return self._frozen._layout.join([tuple(part.clone() for part in parts) for parts in self._states])

    @state.setter
    def state(self, state: State) -> None:
        with torch.no_grad():
            parts = self._frozen._layout.split(state, self.batch_size)
            for own, given in zip(self._states, parts, strict=True):
                for part, value in zip(own, given, strict=True):
                    part.copy_(value)

    def reset(self, rows: Tensor | None = None) -> None:
        """Go back to the layer's initial state, where new sequences begin.

        Args:
            rows: ``(batch_size,)`` bool, the rows where one does; None: all.
        """
        with torch.no_grad():
            initial = self._frozen.initial_state(self.batch_size)
            self.state = initial if rows is None else reset_rows(self.state, rows, initial)

    def refresh(self) -> None:
        """Take the layer's weights as they are now; the state stays."""
        self._take_weights(self.state)

    def _take_weights(self, state: State | None) -> None:
        # Neither training nor a new value of a weight changes the layer under a stream that runs.
        with torch.inference_mode(False), torch.no_grad():
            # Observers watch the layer, not a copy of it.
            self._frozen = copy.deepcopy(self._layer, {id(self._layer.observers): ()}).eval()
            self._frozen.flatten_parameters()  # copies lie apart
            weight = self._frozen._weight("weight_hh", "_l0")
            self._dtype, self._device = weight.dtype, weight.device
            self._like_the_last = alike(weight.new_empty(self._shape))
            if state is None:
                state = self._frozen.initial_state(self.batch_size)
            parts = self._frozen._layout.split(state, self.batch_size)
            self._states = [tuple(_own(part, weight) for part in each) for each in parts]
            self._advance = _advance(self._frozen, self._states)


def _own(part: Tensor, like: Tensor) -> Tensor:
    return part.to(like).clone(memory_format=torch.contiguous_format)


def _advance(layer: RecurrentLayer, states: Sequence[tuple[Tensor, ...]]) -> Step:
    """What computes a step, by the first engine that can."""
    for engine in ENGINES:
        answer = engine.stream(layer, states)
        if not isinstance(answer, str):
            return answer
    raise AssertionError("the reference computes every layer.")
