"""Many to one: a sequence in, one output out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.models.config import NetworkConfig, Pooling
from unrolled.models.direct import DirectConnection, DirectStream
from unrolled.models.inputs import InputLayer
from unrolled.models.pooling import AttentionStep, last_step, max_step, mean_step
from unrolled.models.recurrent import InputModel
from unrolled.models.streaming import ModelStream

if TYPE_CHECKING:
    from unrolled.layers.state import State
    from unrolled.models.streaming import StepStream


class ManyToOne(InputModel):
    """Input layer, recurrent layers, pooling over the steps, one linear output.

    Where it is connected so, a direct connection from the symbols to the output stands beside all that. What
    comes of a step in a stream is for the sequence up to there.

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
        self.direct: DirectConnection | None = None

    def connect(self, direct: DirectConnection) -> None:
        """Put a direct connection beside the recurrent layers."""
        self.direct = direct

    @property
    def causal(self) -> bool:
        """False where the layers read both directions, or more is looked at than a step and the state."""
        one_way = self.inputs.by_step and not self.recurrent.bidirectional
        return one_way and self.pooling == "last" and not self.skip

    def initial_state(self, batch_size: int) -> State:
        """The recurrent layers' initial state, and where there is one the direct connection's."""
        begin = self.recurrent.initial_state(batch_size)
        return begin if self.direct is None else (begin, self.direct.initial_state(batch_size))

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run over whole sequences: outputs ``(batch, output_size)``; see `SequenceModel`."""
        vectors = self._features(inputs)
        if lengths is None:
            lengths = torch.full(vectors.shape[:1], vectors.shape[1], device=vectors.device)
        direct = self.direct
        # A shape, and no len, which a graph would take for constant.
        own, said_before = (state, None) if direct is None else self._parts(state, vectors.shape[0])
        hidden, end = self.recurrent(vectors, own, lengths=lengths)
        pooled = self._pooled(inputs, hidden, vectors, lengths)
        outputs = self._outputs(inputs, functional.dropout(pooled, self.dropout, self.training))
        if direct is None:
            return outputs, end
        if self.training:  # the network learns by itself
            return outputs, (end, cast("State", said_before))
        said, after = direct(inputs, lengths, said_before)
        return direct.mixed(outputs, said), (end, after)

    def stream(self, state: State) -> StepStream | None:
        """Go on from a state one step at a time; what comes of each is for the sequence up to there."""
        if not self.causal:
            return None
        if self.direct is None:
            return super().stream(state)
        own, said_before = self._parts(state, 1)
        return DirectStream(ModelStream(self, own), self.direct, said_before)

    def _parts(self, state: State | None, batch_size: int) -> tuple[State, State]:
        """The state of the recurrent layers, and that of the direct connection."""
        return cast("tuple[State, State]", self.initial_state(batch_size) if state is None else state)

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
