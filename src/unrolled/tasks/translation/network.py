"""The network of a translator."""

from __future__ import annotations

from unrolled.models.conditional import ScheduledSampling
from unrolled.models.decoder import Decoder
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.models.inputs import TokenInput
from unrolled.tasks.translation.config import TranslateConfig


def build_network(
    config: TranslateConfig, sources: int, targets: int, unknown: int | None = None, ramp: int = 1
) -> EncoderDecoder:
    """A fresh network.

    Args:
        config: the options.
        sources: the number of symbols that are read.
        targets: the number of symbols that are written.
        unknown: the symbol that stands for those that are copied without being known.
        ramp: updates in which the share of scheduled sampling rises.

    Example:
        >>> build_network(TranslateConfig(decoder_num_layers=2), sources=10, targets=7).decoder.recurrent
        GRU(64, 128, num_layers=2, batch_first=True, dropout=0.1)
    """
    encoder = config.encoder_network()
    decoder = Decoder(
        targets,
        config.embedding_size,
        config.decoder_network(),
        memory_size=encoder.output_size,
        attention=config.attention,
        input_feeding=config.input_feeding,
        copying=config.copying,
        unknown=unknown,
    )
    source = TokenInput(sources, config.embedding_size, config.dropout)
    return EncoderDecoder(source, encoder, decoder, ScheduledSampling(config.scheduled_sampling, ramp))
