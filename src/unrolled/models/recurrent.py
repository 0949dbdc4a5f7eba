"""What the networks share that are one recurrence over the features of their inputs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from unrolled.layers import build_recurrent
from unrolled.models.base import SequenceModel
from unrolled.models.config import NetworkConfig
from unrolled.models.inputs import InputLayer
from unrolled.models.streaming import ModelStream

if TYPE_CHECKING:
    from unrolled.layers.stack import RecurrentLayer
    from unrolled.layers.state import State
    from unrolled.models.streaming import StepStream


class RecurrentModel(SequenceModel):
    """Recurrent layers between what they read of a step's inputs and what becomes of their output."""

    recurrent: RecurrentLayer

    def initial_state(self, batch_size: int) -> State:
        """The recurrent layers' state before the first step."""
        return self.recurrent.initial_state(batch_size)

    def stream(self, state: State) -> StepStream | None:
        """Go on from a state one step at a time, if the network is causal; see `SequenceModel`."""
        return ModelStream(self, state) if self.causal else None

    @abstractmethod
    def _features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """What the recurrent layers read, ``(batch, time, input_size)``."""

    @abstractmethod
    def _outputs(self, inputs: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        """The outputs, from the inputs and what the recurrent layers made of them.

        Args:
            inputs: by name.
            hidden: ``(batch, time, hidden)``.
        """


class InputModel(RecurrentModel):
    """An input layer, recurrent layers over its vectors, and a linear output.

    Args:
        inputs: turns the batch's inputs into one vector a step.
        config: the recurrent layers.
    """

    output: nn.Linear

    def __init__(self, inputs: InputLayer, config: NetworkConfig) -> None:
        super().__init__()
        self.inputs = inputs
        self.recurrent = build_recurrent(input_size=inputs.size, batch_first=True, **config.layer_options())
        self.dropout = config.dropout

    def _features(self, inputs: Mapping[str, Tensor]) -> Tensor:
        return self.inputs(inputs)

    def _outputs(self, inputs: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        return self.output(hidden)
