"""Many to one: a sequence in, one output out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.config import NetworkConfig, Pooling
from unrolled.models.inputs import InputLayer
from unrolled.models.pooling import AttentionStep, last_step, max_step, mean_step
from unrolled.models.recurrent import InputModel

if TYPE_CHECKING:
    from unrolled.layers.state import State


class ManyToOne(InputModel):
    """Input layer, recurrent layers, pooling over the steps, one linear output.

    What comes of a step in a stream is for the sequence up to there.

    Args:
        inputs: turns the batch's inputs into one vector a step.
        config: the recurrent layers.
        output_size: the number of classes, or of numbers.
        pooling: how the steps become one vector.
        skip: pool the recurrent layers' input beside their output, so that what single steps say does not
            have to pass through the recurrence.
    """

    every_step: ClassVar[bool] = False
    seen_of_pooled: ClassVar[int] = 1
    """Vectors as large as a pooled one that the output sees."""

    def __init__(
        self,
        inputs: InputLayer,
        config: NetworkConfig,
        output_size: int,
        pooling: Pooling = "last",
        skip: bool = False,
    ) -> None:
        super().__init__(inputs, config)
        self.pooling = pooling
        self.skip = skip
        size = config.output_size + (inputs.size if skip else 0)
        self.attention = AttentionStep(size) if pooling == "attention" else None
        self.output = nn.Linear(self.seen_of_pooled * size, output_size)

    @property
    def causal(self) -> bool:
        """False where the layers read both directions, or more is looked at than a step and the state."""
        one_way = self.inputs.by_step and not self.recurrent.bidirectional
        return one_way and self.pooling == "last" and not self.skip

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run over whole sequences: outputs ``(batch, output_size)``; see `SequenceModel`."""
        vectors = self._features(inputs)
        if lengths is None:
            lengths = torch.full(vectors.shape[:1], vectors.shape[1], device=vectors.device)
        hidden, end = self.recurrent(vectors, state, lengths=lengths)
        pooled = self._pooled(inputs, hidden, vectors, lengths)
        return self._outputs(inputs, functional.dropout(pooled, self.dropout, self.training)), end

    def _pooled(
        self, inputs: Mapping[str, Tensor], hidden: Tensor, vectors: Tensor, lengths: Tensor
    ) -> Tensor:
        """What the output sees of the steps, ``(batch, size)``."""
        return self._pool(hidden, vectors, lengths)

    def _pool(self, hidden: Tensor, vectors: Tensor, lengths: Tensor, starts: Tensor | None = None) -> Tensor:
        if self.pooling == "last":
            last = last_step(hidden, lengths, self.recurrent.bidirectional, starts)
            return torch.cat([last, last_step(vectors, lengths, starts=starts)], 1) if self.skip else last
        steps = torch.cat([hidden, vectors], dim=2) if self.skip else hidden
        if self.attention is not None:
            return self.attention(steps, lengths, starts)
        return (mean_step if self.pooling == "mean" else max_step)(steps, lengths, starts)
