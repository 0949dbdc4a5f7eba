"""The options of a tagger."""

from __future__ import annotations

from pydantic import Field

from unrolled.tasks.config import TaskConfig, defaults


@defaults(
    cell="gru",
    bidirectional=True,
    dropout=0.33,
    epochs=10,
    learning_rate=3e-3,
    schedule="cosine",
    clip_threshold=5.0,
    patience=3,
)
class TagConfig(TaskConfig):
    """How a tagger reads its data, is built and is trained."""

    word_column: str | None = Field(
        None, description="Column of words, by name or by number from 1; found where left out."
    )
    tag_column: str | None = Field(
        None,
        description="Column of tags, by name or by number from 1; found where left out. In CoNLL-U upos "
        "(where left out), xpos, deprel, lemma or feats.",
    )
    crf: bool | None = Field(
        None,
        description="Score pairs of neighbouring tags too (a conditional random field); where left out, for "
        "tags that mark spans (B-, I-, O).",
    )
    embedding_size: int = Field(64, ge=1, description="Size of the vector of a word.")
    min_count: int = Field(
        2, ge=1, description="Words seen less often in training are known by their characters alone."
    )
    lowercase: bool = Field(True, description="Look words up in lower case; characters keep theirs.")
    character_embedding_size: int = Field(32, ge=1, description="Size of the vector of a character.")
    character_hidden_size: int = Field(
        48, ge=1, description="Units of each direction of the recurrent layer over a word's characters."
    )
    max_characters: int = Field(32, ge=1, description="Characters of a word that are read.")
    input_dropout: float = Field(
        0.33, ge=0, lt=1, description="Share of the entries of the words' vectors dropped."
    )
    unknown_dropout: float = Field(
        0.05, ge=0, lt=1, description="Share of words known by their characters alone, anew in every batch."
    )
