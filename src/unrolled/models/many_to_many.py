"""Many to many of equal length: one output for every step of the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.config import NetworkConfig
from unrolled.models.crf import TransitionScores
from unrolled.models.inputs import InputLayer
from unrolled.models.recurrent import InputModel

if TYPE_CHECKING:
    from unrolled.layers.state import State


class ManyToMany(InputModel):
    """Input layer, recurrent layers, a linear output at every step, and if asked for a CRF on top.

    Args:
        inputs: turns the batch's inputs into one vector a step.
        config: the recurrent layers.
        output_size: the number of tags, or of numbers, at every step.
        crf: score pairs of neighbouring tags too; the outputs are then the potentials
            ``(batch, time, tags, tags)`` of `unrolled.models.crf`.
    """

    def __init__(
        self, inputs: InputLayer, config: NetworkConfig, output_size: int, crf: bool = False
    ) -> None:
        super().__init__(inputs, config)
        self.output = nn.Linear(config.output_size, output_size)
        self.transitions = TransitionScores(output_size) if crf else None

    @property
    def causal(self) -> bool:
        """False where the layers read both directions; a CRF's best path depends on later steps too."""
        return not self.recurrent.bidirectional and self.transitions is None

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run over the steps: outputs ``(batch, time, output_size)``, or potentials; see `SequenceModel`."""
        hidden, end = self.recurrent(self._features(inputs), state, lengths=lengths)
        scores = self._outputs(inputs, functional.dropout(hidden, self.dropout, self.training))
        return (scores if self.transitions is None else self.transitions(scores, lengths)), end
