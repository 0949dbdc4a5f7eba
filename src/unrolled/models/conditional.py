"""What every network has in common that writes a sequence given some input."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unrolled.models.base import SequenceModel
from unrolled.models.decoder import Decoder

if TYPE_CHECKING:
    from unrolled.layers.attention import Memory
    from unrolled.layers.state import State


class ScheduledSampling(nn.Module):
    """The share of symbols that a decoder reads from itself in training, rising from 0 (Bengio et al. 2015).

    Args:
        share: reached at the end of the ramp.
        ramp: updates in which it rises, linearly.
    """

    def __init__(self, share: float = 0.0, ramp: int = 1) -> None:
        super().__init__()
        self.share = share
        self.ramp = ramp
        self.updates: Tensor
        # Saved with the weights, so that an interrupted run goes on with the share that it had.
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def forward(self) -> float:
        """The share for the present batch; 0 outside of training."""
        if not self.training or not self.share:
            return 0.0
        self.updates += 1
        return self.share * min(1.0, int(self.updates) / self.ramp)


class ConditionalModel(SequenceModel):
    """An input in, a sequence of another length out.

    Batches hold, beside what `encode` reads, ``previous`` ``(batch, target time)``: the symbol before each
    symbol of the target.

    Args:
        decoder: writes the sequence.
        sampling: how often it reads its own symbols in training.
    """

    def __init__(self, decoder: Decoder, sampling: ScheduledSampling | None = None) -> None:
        super().__init__()
        self.decoder = decoder
        self.sampling = sampling or ScheduledSampling()

    @property
    def causal(self) -> bool:
        """Never: every output depends on the whole input."""
        return False

    def initial_state(self, batch_size: int) -> State:
        """The decoder's state when nothing is known of the input."""
        return self.decoder.initial_state(batch_size)

    @abstractmethod
    def encode(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None
    ) -> tuple[State, Memory | None]:
        """The decoder's state before its first step, and the memory that it attends to."""

    def forward(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Scores of every symbol of the target, ``(batch, target time, vocabulary)``.

        Args:
            inputs: what is encoded, and ``previous``.
            lengths: of the inputs.
            state: the decoder's, to go on from; None: the one that the input gives.
        """
        start, memory = self.encode(inputs, lengths)
        return self.decoder(inputs["previous"], start if state is None else state, memory, self.sampling())
