"""The options of a generator: of its training, and of its writing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unrolled.models.config import Share, Size
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.prediction import PredictOptions
from unrolled.tasks.work import LONGER, WIDER


class GenerateConfig(TaskConfig):
    """The options of training a generator; the defaults suit a megabyte of text by characters."""

    unit: Literal["auto", "character", "byte", "word", "bpe", "notes"] = Field(
        "auto",
        description="What a step is: a character, a byte, a word, a byte pair, or a set of notes; auto takes "
        "notes for JSON of lists, MIDI files and piano rolls, else characters.",
    )
    document: Literal["auto", "file", "line", "tune"] = Field(
        "auto",
        description="Where texts begin and end: a text is a whole file, each of its lines, or each of its "
        "tunes in ABC notation; auto takes tunes in .abc files, else whole files.",
    )
    text_column: str = Field("text", description="The column with the texts, where the data is a table.")
    vocabulary_size: int | None = Field(
        None, ge=2, description="Tokens at most; by default 50,000 words, 4,096 byte pairs, every character."
    )
    min_count: Size = Field(1, description="Leave out characters, words or byte pairs seen less often.")
    embedding_size: int | None = Field(
        None, ge=1, description="Width of a token's vector; by default 64, for words and byte pairs 256."
    )
    steps_per_beat: Size = Field(4, description="Steps of a quarter note, where notes are read from MIDI.")
    backwards: bool = Field(
        False,
        description="Read texts from their ends, and write what stands before a text; with one that reads "
        "forwards it tells a tagger of both sides of a word (--features).",
    )
    tied: bool = Field(False, description="Use the embedding matrix for the output too.")
    ngram_order: int | None = Field(
        None, ge=1, description="Order of the n-gram baseline; by default 5, for words and byte pairs 3."
    )

    hidden_size: Size | tuple[Size, ...] = Field(
        256, description="Units of each recurrent layer; several numbers give every layer its own width."
    )
    dropout: Share = Field(
        0.1, description="Share of units dropped at the input, between layers and at the output."
    )
    epochs: int = Field(6, ge=1, description="Passes over the training data, at most.")
    batch_size: int = Field(32, ge=1, description="Places of the text that are read at the same time.")
    window: int | None = Field(
        64,
        ge=1,
        description="New steps per update of truncated BPTT; the state is carried from window to window.",
    )
    learning_rate: float = Field(3e-3, gt=0, description="Size of the updates, after warm-up.")
    weight_decay: float = Field(
        0.01, ge=0, description="Decay of weight matrices; biases and gains never decay."
    )
    min_improvement: float = Field(
        1e-3,
        ge=0,
        description="By how much the dev score must get better for patience, and the schedule, to count it.",
    )
    schedule: Literal["constant", "plateau", "cosine"] = Field(
        "cosine",
        description="How the learning rate falls: not, when the dev score stands still, or as a cosine.",
    )
    warmup: float = Field(
        0.02,
        ge=0,
        description="Batches in which the learning rate rises from near 0; below 1, a share of all.",
    )


class WritingConfig(PredictOptions):
    """The options of writing with a trained generator.

    Example:
        >>> WritingConfig(temperature=0.8, length=20).length
        20
    """

    length: int = Field(
        500, ge=1, description="Tokens (or steps) to write at most.", json_schema_extra=LONGER
    )
    temperature: float = Field(
        1.0, ge=0, description="Below 1 the likely becomes likelier; 0 always takes the most probable."
    )
    top_k: int = Field(0, ge=0, description="Draw from the k most probable tokens only; 0: from all.")
    top_p: float = Field(
        1.0, gt=0, le=1, description="Draw from the fewest tokens that together have this probability."
    )
    beam: int = Field(
        0,
        ge=0,
        description="Search for the most probable text with a beam of this width; 0 draws instead.",
        json_schema_extra=WIDER,
    )
    stop: str = Field("", description="Stop before this text; a document's end always stops.")
    tempo: float = Field(100.0, gt=0, description="Quarter notes a minute, where notes go to a file.")
    seed: int = Field(
        0, ge=0, lt=2**32, description="Seed of the draws; each further prompt takes the next number."
    )
