"""Many to many of unequal length: one network reads the source, another writes the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from unrolled.layers import build_recurrent
from unrolled.models.bridge import Bridge, flat_state
from unrolled.models.conditional import ConditionalModel, ScheduledSampling
from unrolled.models.config import NetworkConfig
from unrolled.models.decoder import Decoder
from unrolled.models.inputs import InputLayer

if TYPE_CHECKING:
    from unrolled.layers.attention import Memory
    from unrolled.layers.state import State


class EncoderDecoder(ConditionalModel):
    """An encoder, a bridge from its last states to the decoder's first, and a decoder.

    Sutskever, Vinyals and Le (2014); Cho et al. (2014).
    Both may differ in cell, depth and width, and the encoder may read in both directions.

    Args:
        inputs: turns the source into one vector a step.
        network: the encoder's recurrent layers.
        decoder: writes the target; where it attends, its memory has vectors of ``network.output_size``.
        sampling: how often the decoder reads its own symbols in training.
    """

    def __init__(
        self,
        inputs: InputLayer,
        network: NetworkConfig,
        decoder: Decoder,
        sampling: ScheduledSampling | None = None,
    ) -> None:
        super().__init__(decoder, sampling)
        self.inputs = inputs
        self.encoder = build_recurrent(input_size=inputs.size, batch_first=True, **network.layer_options())
        self.dropout = nn.Dropout(network.dropout)
        self.bridge = Bridge(flat_state(self.encoder.initial_state(1)).shape[1], decoder.recurrent)

    def encode(
        self, inputs: Mapping[str, Tensor], lengths: Tensor | None = None
    ) -> tuple[State, Memory | None]:
        """Read the source; ``copies``, where given, are its symbols' numbers in the target's vocabulary."""
        hidden, end = self.encoder(self.inputs(inputs), lengths=lengths)
        memory = self.decoder.remember(self.dropout(hidden), lengths, inputs.get("copies"))
        return self.decoder.start(self.bridge(flat_state(end))), memory
