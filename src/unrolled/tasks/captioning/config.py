"""The options of a captioner: of its training, and of its writing."""

from __future__ import annotations

from pydantic import Field

from unrolled.models.config import Size
from unrolled.tasks.conditional import ConditionalConfig, Unit
from unrolled.tasks.config import defaults
from unrolled.tasks.translation.config import SearchConfig


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
class CaptionConfig(ConditionalConfig):
    """How a captioner reads its data, is built and is trained; the recurrent layers are the decoder's."""

    text_column: str | None = Field(None, description="Column of the texts; guessed where left out.")
    condition_columns: tuple[str, ...] = Field(
        (),
        description="Columns of what texts are written for: classes, numbers, or one of vectors; guessed "
        "where left out.",
    )
    image_size: Size | tuple[Size, Size] | None = Field(
        None,
        description="Height and width that images are brought to; by default the most frequent size, at most "
        "64 pixels a side.",
    )
    colour: bool | None = Field(None, description="Read images in colour; by default where any is coloured.")
    backbone: str | None = Field(
        None,
        description="The network that reads images: timm:NAME or torchvision:NAME, with trained weights "
        "where that library has them; by default a small convolutional one.",
    )
    input_size: Size = Field(256, description="Size of the vector that an input becomes.")
    unit: Unit = Field(
        "auto",
        description="What texts are made of; auto looks at them: single words are written by character, "
        "others by word or by byte pairs.",
    )
    max_length: int | None = Field(
        None, ge=1, description="Symbols to write at most; by default twice the longest text of training."
    )
