"""The options of a captioner: of its training, and of its writing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from unrolled.tasks.config import defaults
from unrolled.tasks.inputs.options import ImageOptions, PerceptionOptions
from unrolled.tasks.writing.config import ConditionalConfig, Unit
from unrolled.tasks.writing.search import SearchConfig

SUITED: Mapping[str, Mapping[str, Any]] = {
    "images": {"epochs": 10},
    # A class says too little to be looked at again and again.
    "classes": {"attention": "none", "learning_rate": 5e-3},
}
"""Options that suit a kind of input, where they are not asked for."""


class CaptioningConfig(SearchConfig):
    """How the text for one input is looked for, or drawn.

    Example:
        >>> CaptioningConfig(temperature=0.8).draws
        True
    """

    temperature: float = Field(
        0.0,
        ge=0,
        description="Above 0, draw texts instead of searching for the most probable: below 1 the likely "
        "becomes likelier.",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="Seed of the draws.")

    @property
    def draws(self) -> bool:
        """Whether texts are drawn rather than searched for."""
        return self.temperature > 0


@defaults(
    cell="gru",
    hidden_size=128,
    dropout=0.2,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=0.01,
    schedule="cosine",
    warmup=0.02,
)
class CaptionConfig(ImageOptions, PerceptionOptions, ConditionalConfig):
    """How a captioner reads its data, is built and is trained; the recurrent layers are the decoder's."""

    text_column: str | None = Field(None, description="Column of the texts; guessed where left out.")
    condition_columns: tuple[str, ...] = Field(
        (),
        description="Columns of what texts are written for: classes, numbers, or one of vectors; guessed "
        "where left out.",
    )
    backbone: str | None = Field(
        None,
        description="The network that reads images: timm:NAME or torchvision:NAME, with trained weights "
        "where that library has them; by default a small convolutional one.",
    )
    unit: Unit = Field(
        "auto",
        description="What texts are made of; auto looks at them: single words are written by character, "
        "others by word or by byte pairs.",
    )
    max_length: int | None = Field(
        None, ge=1, description="Symbols to write at most; by default twice the longest text of training."
    )
