"""The options of a classifier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unrolled.models.config import Pooling, Size
from unrolled.tasks.config import TaskConfig, defaults


@defaults(
    hidden_size=64,
    bidirectional=True,
    dropout=0.5,
    forget_bias=1.0,
    epochs=20,
    learning_rate=2e-3,
    schedule="cosine",
    # Order over a long time is learned suddenly, after epochs that seem to lead nowhere.
    patience=8,
)
class ClassifyConfig(TaskConfig):
    """How a classifier reads its data, is built and is trained."""

    text_column: str | None = Field(None, description="Column of texts; guessed where left out.")
    values_column: str | None = Field(None, description="Column of number sequences; guessed where left out.")
    label_column: str | None = Field(None, description="Column of labels; guessed where left out.")
    group_column: str | None = Field(
        None,
        description="Column of what sequences have in common, such as the speaker: where a share is held out "
        "it holds whole groups, so that their scores are those on unknown ones.",
    )
    label_pattern: str | None = Field(
        None,
        description="Regular expression whose first group, found in the names of a folder's files, is their "
        "label, such as ^([a-z]+)_.",
    )
    target: Literal["auto", "classes", "numbers"] = Field(
        "auto", description="Predict one of some classes, or a number; auto looks at the labels."
    )
    unit: Literal["words", "characters"] | None = Field(
        None,
        description="What a text is cut into; by default characters for strings of symbols without spaces, "
        "such as DNA. They suit names, too.",
    )
    kmer: int = Field(1, ge=1, description="Characters that are read as one symbol (a k-mer).")
    stride: int = Field(1, ge=1, description="Characters from one such symbol to the next.")
    positions: bool | None = Field(
        None,
        description="Tell the network each character's place; by default where all strings are equally long.",
    )
    lowercase: bool = Field(True, description="Read texts in lower case.")
    min_count: int = Field(1, ge=1, description="Words seen less often in training are treated as unknown.")
    embedding_size: int = Field(100, ge=1, description="Size of the vector of a word or character.")
    input_dropout: float = Field(0.5, ge=0, lt=1, description="Share of those vectors' entries dropped.")
    unknown_dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of words replaced by the unknown one in training."
    )
    input_noise: float = Field(
        0.0,
        ge=0,
        description="Deviation of the noise that training adds to sequences of numbers, in units of each "
        "channel's own; by default 0.5 where few sequences are to be classified.",
    )
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
    image_size: Size | tuple[Size, Size] | None = Field(
        None,
        description="Height and width that images and frames are brought to; by default the most frequent "
        "size, at most 64 pixels a side.",
    )
    colour: bool | None = Field(
        None, description="Read images and frames in colour; by default where any is coloured."
    )
    frames: int = Field(32, ge=1, description="Frames of a clip read at most, evenly spread.")
    frame_size: int = Field(128, ge=1, description="Size of the vector of a clip's frame.")
    pooling: Pooling = Field("attention", description="How the steps of a sequence become one vector.")
    skip: bool = Field(True, description="Pool the recurrent layers' input beside their output.")
