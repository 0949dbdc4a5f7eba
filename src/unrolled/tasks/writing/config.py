"""The options that all tasks share which write a text for something else."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unrolled.models.config import AttentionKind, Share, Size
from unrolled.tasks.config import TaskConfig

Unit = Literal["auto", "word", "character", "bpe"]


class ConditionalConfig(TaskConfig):
    """A decoder: its symbols, what it looks at, how it is trained and searched."""

    vocabulary_size: int | None = Field(
        None, ge=2, description="Symbols at most; by default 50,000 words, 4,096 byte pairs, every character."
    )
    min_count: Size = Field(1, description="Leave out characters, words or byte pairs seen less often.")
    embedding_size: Size = Field(64, description="Size of the vector of a symbol.")
    attention: AttentionKind = Field(
        "multiplicative",
        description="How the decoder looks back at what was read, the symbols of a source or the regions of "
        "an image: not, by a small network (Bahdanau), or by products (Luong).",
    )
    input_feeding: bool = Field(
        False, description="Tell each step of the decoder what the one before looked at; slower."
    )
    scheduled_sampling: Share = Field(
        0.0,
        description="Share of the symbols that the decoder reads from itself at the end of training instead "
        "of from the target; rises from 0 in the first half. Slower.",
    )
    beam_size: int = Field(
        1, ge=1, description="Texts that are followed at a time when the model is scored; 1 is greedy."
    )
    length_penalty: float = Field(
        0.6,
        ge=0,
        description="Exponent of the length that a text's log-probability is divided by when the model is "
        "scored; 0 favours short ones.",
    )
