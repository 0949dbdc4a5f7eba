"""The options of a tagger."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from unrolled.tasks.class_weights import ClassWeightOptions
from unrolled.tasks.config import EnsembleOptions, TaskConfig, defaults
from unrolled.tasks.inputs.options import (
    ClipOptions,
    FeatureOptions,
    LongTableOptions,
    TextOptions,
    VectorOptions,
)


@defaults(
    cell="gru",
    bidirectional=True,
    dropout=0.33,
    embedding_size=64,
    input_dropout=0.33,
    epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    clip_threshold=5.0,
    patience=3,
)
class TagConfig(
    ClassWeightOptions,
    EnsembleOptions,
    ClipOptions,
    LongTableOptions,
    TextOptions,
    VectorOptions,
    FeatureOptions,
    TaskConfig,
):
    """How a tagger reads its data, is built and is trained."""

    word_column: str | None = Field(
        None, description="Column of words, by name or by number from 1; found where left out."
    )
    tag_column: str | None = Field(
        None,
        description="Column of tags, by name or by number from 1; found where left out. In CoNLL-U upos "
        "(where left out), xpos, deprel, lemma or feats.",
    )
    unit: Literal["words", "characters"] | None = Field(
        None,
        description="What has a tag: a word, or each character of a string without spaces; by default "
        "characters where every string has as many of them in its tags.",
    )
    marks: bool | None = Field(
        None,
        description="Cut marks off the words of texts, so that 'Paris.' is two; by default where the data to "
        "learn from says by their characters where its entities are.",
    )
    crf: bool | None = Field(
        None,
        description="Score pairs of neighbouring tags too (a conditional random field); where left out, for "
        "tags that mark spans (B-, I-, O).",
    )
    min_count: int = Field(
        2, ge=1, description="Words seen less often in training are known by their characters alone."
    )
    lowercase: bool = Field(True, description="Look words up in lower case; characters keep theirs.")
    character_embedding_size: int = Field(32, ge=1, description="Size of the vector of a character.")
    character_hidden_size: int = Field(
        48, ge=1, description="Units of each direction of the recurrent layer over a word's characters."
    )
    max_characters: int = Field(32, ge=1, description="Characters of a word that are read.")
    unknown_dropout: float = Field(
        0.05, ge=0, lt=1, description="Share of words known by their characters alone, anew in every batch."
    )

    @model_validator(mode="after")
    def _consistent_tagging(self) -> Self:
        if self.crf and self.class_weight is not None:
            raise ValueError(
                "class_weight: expected crf=False with it, got crf=True: a CRF weighs whole paths of tags"
            )
        return self
