"""The options of the kinds of input, for the configurations of the tasks that read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from unrolled.models.config import Size


class TextOptions(BaseModel):
    """Of texts, sentences and strings of symbols."""

    lowercase: bool = Field(True, description="Read texts in lower case.")
    min_count: int = Field(1, ge=1, description="Words seen less often in training are treated as unknown.")
    embedding_size: int = Field(100, ge=1, description="Size of the vector of a word or character.")
    input_dropout: float = Field(0.5, ge=0, lt=1, description="Share of those vectors' entries dropped.")
    unknown_dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of words replaced by the unknown one in training."
    )


class GramOptions(BaseModel):
    """Of what is read beside single words or characters."""

    grams: int = Field(
        1,
        ge=1,
        le=8,
        description="Words or characters in a row, up to so many, that are read as one beside each; by "
        "default 4 characters where strings differ in length, such as names, else 1.",
    )
    gram_size: int = Field(64, ge=1, description="Size of the vector of those in a row.")
    direct: bool = Field(
        False,
        description="Average the network with a linear model of words and pairs of words, or of up to 4 "
        "characters in a row, that is a part of it; by default for texts and names that are read in both "
        "directions.",
    )


class VectorOptions(BaseModel):
    """Of the vectors that words have elsewhere."""

    vectors: str | None = Field(
        None,
        description="File of word vectors that are read beside the learned ones: of word2vec, GloVe or "
        "fastText, as text or binary.",
    )
    vectors_limit: int = Field(
        100_000,
        ge=1,
        description="Of how many words of that file, the first ones, the vectors are kept; those of the "
        "training data's words are kept in any case.",
    )


def _listed_paths(value: Any) -> Any:
    """One path as a list of it, and paths as texts."""
    if isinstance(value, str | Path):
        return (str(value),)
    return tuple(map(str, value)) if isinstance(value, list | tuple) else value


class FeatureOptions(BaseModel):
    """Of what language models of one's own know of words."""

    features: Annotated[tuple[str, ...], BeforeValidator(_listed_paths)] = Field(
        (),
        description="Language models of characters (unrolled train generate), whose states at each word are "
        "read beside its vector: one that reads forwards, one backwards (--backwards), or both.",
    )


class SymbolOptions(BaseModel):
    """Of strings of symbols."""

    kmer: int = Field(1, ge=1, description="Characters that are read as one symbol (a k-mer).")
    stride: int = Field(1, ge=1, description="Characters from one such symbol to the next.")
    positions: bool | None = Field(
        None,
        description="Tell the network each character's place; by default where all strings are equally long.",
    )


class NumberOptions(BaseModel):
    """Of sequences of numbers."""

    input_noise: float = Field(
        0.0,
        ge=0,
        description="Deviation of the noise that training adds to sequences of numbers, in units of each "
        "channel's own; by default 0.5 where few sequences are to be classified, 0.1 of a single channel.",
    )

    filters: int = Field(
        0,
        ge=0,
        description="Filters of convolutions over time, whose outputs are read beside the numbers, or over "
        "time and frequency, whose outputs are read instead of a recording's bands; by default 8 where "
        "recordings are to be classified, 32 where few sequences of one channel are.",
    )


class LongTableOptions(BaseModel):
    """Of tables with a row a step."""

    sequence_column: str | None = Field(
        None,
        description="Column that names the sequence of a row, where a row is a step; guessed by usual names.",
    )
    time_column: str | None = Field(
        None,
        description="Column of the times of such steps, which puts them in order; where they are uneven, the "
        "time since the step before is read too.",
    )


class SoundOptions(BaseModel):
    """Of recordings."""

    sampling_rate: int | None = Field(
        None,
        ge=1,
        description="Samples a second that recordings are brought to; by default the most frequent rate.",
    )
    mel_bands: int = Field(40, ge=4, le=256, description="Bands of frequencies of a recording's spectrogram.")
    time_shift: float = Field(
        0.05, ge=0, description="Seconds that recordings are moved back or forth in training, at most."
    )
    masks: int = Field(
        2, ge=0, description="Masks over time, and over frequency, that training lays on a recording."
    )
    time_mask: float = Field(
        0.2, ge=0, le=1, description="Share of a recording's steps that a mask hides at most."
    )
    frequency_mask: float = Field(
        0.2, ge=0, le=1, description="Share of the bands that a mask hides at most."
    )
    tempo: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share by which recordings are made faster in training, at most.",
    )
    voice: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share by which their frequencies are raised or lowered in training, at most, as those "
        "of another voice.",
    )
    own_level: bool | None = Field(
        None,
        description="Take from each band of a recording its mean over the louder half of it, which is more "
        "of the microphone and the speaker than of what is said, and from its ends silence; by default where "
        "a group column is named.",
    )


class ImageOptions(BaseModel):
    """Of images, and of the frames of clips."""

    image_size: Size | tuple[Size, Size] | None = Field(
        None,
        description="Height and width that images and frames are brought to; by default the most frequent "
        "size, at most 64 pixels a side.",
    )
    colour: bool | None = Field(
        None, description="Read images and frames in colour; by default where any is coloured."
    )


class ClipOptions(ImageOptions):
    """Of images and of clips."""

    frame_size: int = Field(128, ge=1, description="Size of the vector of a clip's frame.")


class PerceptionOptions(BaseModel):
    """Of what is perceived as a whole."""

    input_size: Size = Field(256, description="Size of the vector that an input becomes.")
