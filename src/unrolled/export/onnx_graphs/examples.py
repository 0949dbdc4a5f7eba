"""What a network could read, where no data is at hand: rows drawn at random, of the right form."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.models.band_convolution import BandConvolutionInput
from unrolled.models.base import SequenceModel
from unrolled.models.conditional import ConditionalModel
from unrolled.models.convolution import ConvolutionInput
from unrolled.models.encoder_decoder import EncoderDecoder
from unrolled.models.forecaster import ForecastNetwork
from unrolled.models.grams import GramInput
from unrolled.models.inputs import ContextualInput, InputLayer, MarkedInput, TokenInput, ValueInput, WordInput
from unrolled.models.one_to_many import ClassPerception, OneToMany, VectorPerception
from unrolled.models.one_to_one import BinaryVectorModel, LanguageModel
from unrolled.models.positions import PositionInput
from unrolled.models.spectrogram import SpectrogramInput

_ROWS, _STEPS = 3, 7


def drawn_inputs(model: SequenceModel, seed: int = 0) -> dict[str, Tensor]:
    """A batch of rows by name, none of them padded.

    Raises:
        ConfigError: the network reads pictures, whose size only the data tells.
    """
    generator = torch.Generator().manual_seed(seed)

    def tokens(count: int, *shape: int) -> Tensor:
        return torch.randint(min(2, count - 1), count, (_ROWS, _STEPS, *shape), generator=generator)

    def numbers(size: int) -> Tensor:
        return torch.randn(_ROWS, _STEPS, size, generator=generator)

    def of_layer(layer: InputLayer) -> dict[str, Tensor]:
        if isinstance(layer, PositionInput):
            return of_layer(layer.inner)
        if isinstance(layer, ConvolutionInput | BandConvolutionInput):
            return of_layer(layer.values)
        if isinstance(layer, GramInput):
            return of_layer(layer.tokens)
        if isinstance(layer, TokenInput):
            return {"tokens": tokens(layer.embedding.table.num_embeddings)}
        if isinstance(layer, MarkedInput):
            words = of_layer(layer.words)
            second = (torch.arange(_STEPS) > _STEPS // 2).long().expand(_ROWS, -1)
            shared = torch.randint(0, 2, (_ROWS, _STEPS), generator=generator)
            return {**words, "marks": second + 2 * shared}
        if isinstance(layer, ContextualInput):
            return {**of_layer(layer.words), "features": numbers(layer.size - layer.words.size)}
        if isinstance(layer, WordInput):
            letters = layer.characters.embedding.table.num_embeddings
            return {"words": tokens(layer.words.table.num_embeddings), "characters": tokens(letters, 5)}
        if isinstance(layer, ValueInput | SpectrogramInput):
            return {"values": numbers(layer.size)}
        raise _unknown(layer)

    if isinstance(model, LanguageModel):
        return {"tokens": tokens(len(model.output_bias))}
    if isinstance(model, BinaryVectorModel):
        return {"values": (numbers(model.recurrent.input_size) > 1).float()}
    if isinstance(model, ForecastNetwork):
        return {"values": numbers(model.recurrent.input_size)}
    if isinstance(model, ConditionalModel):
        found = _conditional(model, of_layer, numbers)
        if model.decoder.generate is not None:
            found["copies"] = torch.randint(
                1, model.decoder.vocabulary + 3, (_ROWS, _STEPS), generator=generator
            )
        return found
    layer = getattr(model, "inputs", None)
    if isinstance(layer, InputLayer):
        return of_layer(layer)
    raise _unknown(model)


def _conditional(model: ConditionalModel, of_layer: Any, numbers: Any) -> dict[str, Tensor]:
    if isinstance(model, EncoderDecoder):
        return of_layer(model.inputs)
    perception = model.perception if isinstance(model, OneToMany) else None
    if isinstance(perception, VectorPerception):
        return {"values": numbers(perception.region_size)}
    if isinstance(perception, ClassPerception):
        columns = len(perception.directions)
        return {
            "classes": torch.zeros(_ROWS, 1, dtype=torch.int64),
            "numbers": numbers(columns)[:, 0],
        }
    raise _unknown(perception)


def _unknown(layer: object) -> ConfigError:
    return ConfigError(
        f"what {type(layer).__name__} reads cannot be drawn: expected DATA with rows like those of training."
    )
