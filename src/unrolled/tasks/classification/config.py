"""The options of a classifier."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from unrolled.models.config import Pooling
from unrolled.tasks.class_weights import ClassWeightOptions
from unrolled.tasks.config import EnsembleOptions, TaskConfig, defaults
from unrolled.tasks.inputs.options import (
    ClipOptions,
    FeatureOptions,
    GramOptions,
    LongTableOptions,
    NumberOptions,
    SoundOptions,
    SymbolOptions,
    TextOptions,
    VectorOptions,
)


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
class ClassifyConfig(
    ClassWeightOptions,
    EnsembleOptions,
    ClipOptions,
    SoundOptions,
    NumberOptions,
    LongTableOptions,
    SymbolOptions,
    GramOptions,
    TextOptions,
    VectorOptions,
    FeatureOptions,
    TaskConfig,
):
    """How a classifier reads its data, is built and is trained."""

    text_column: str | None = Field(None, description="Column of texts; guessed where left out.")
    values_column: str | None = Field(None, description="Column of number sequences; guessed where left out.")
    pair_column: str | None = Field(
        None,
        description="Column of a second text that is read with the first, such as the hypothesis beside a "
        "premise; guessed by usual names of both where left out.",
    )
    label_column: str | None = Field(None, description="Column of labels; guessed where left out.")
    group_column: str | None = Field(
        None,
        description="Column of what sequences have in common, such as the speaker: where a share is held out "
        "it holds whole groups, so that their scores are those on unknown ones.",
    )
    refit: bool | None = Field(
        None,
        description="After the scores are taken, train once more on what was held out too, for all the "
        "epochs; by default where recordings of whole groups are held out.",
    )
    feature_columns: tuple[str, ...] = Field(
        (),
        description="Further columns, of numbers or of classes, that are read beside the sequence.",
    )
    label_pattern: str | None = Field(
        None,
        description="Regular expression whose first group, found in the names of a folder's files, is their "
        "label, such as ^([a-z]+)_.",
    )
    label_separator: str | None = Field(
        None,
        min_length=1,
        description="What stands between several labels in a cell, such as ';'; lists in a column need none.",
    )
    label_columns: tuple[str, ...] = Field(
        (), description="Columns of 0 and 1, one for each of several labels, in place of a column of labels."
    )
    target: Literal["auto", "classes", "labels", "numbers"] = Field(
        "auto",
        description="Predict one of some classes, any of some labels, or a number; auto looks at the labels.",
    )
    unit: Literal["words", "characters"] | None = Field(
        None,
        description="What a text is cut into; by default characters for strings of symbols without spaces, "
        "such as DNA, and for short texts, such as names, of which characters say more than words.",
    )
    frames: int = Field(32, ge=1, description="Frames of a clip read at most, evenly spread.")
    pooling: Pooling = Field("attention", description="How the steps of a sequence become one vector.")
    skip: bool = Field(True, description="Pool the recurrent layers' input beside their output.")


class RegressConfig(ClassifyConfig):
    """As a classifier's, for numbers."""

    target: Literal["numbers"] = Field(  # type: ignore[assignment]
        "numbers", description="What is predicted: numbers."
    )
