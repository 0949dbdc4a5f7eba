"""What each kind of input keeps in a model folder; see `unrolled.saving.schema`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from unrolled.data.scaling import SavedScaling
from unrolled.data.vocabulary import SavedVocabulary
from unrolled.saving.schema import ENTRIES, Size


@with_config(ConfigDict(strict=True, extra="allow"))
class SavedKind(TypedDict):
    """Inputs of any kind: which, and what that keeps."""

    kind: str


@with_config(ENTRIES)
class SavedTokens(TypedDict):
    """Texts."""

    vocabulary: SavedVocabulary


@with_config(ENTRIES)
class SavedSymbols(TypedDict):
    """Strings of symbols."""

    vocabulary: SavedVocabulary
    length: Size | None


@with_config(ENTRIES)
class SavedWords(TypedDict):
    """Words."""

    words: SavedVocabulary
    characters: SavedVocabulary


@with_config(ENTRIES)
class SavedNumbers(TypedDict):
    """Vectors."""

    scaling: SavedScaling


@with_config(ENTRIES)
class SavedSteps(TypedDict):
    """Sequences of numbers, which may be missing."""

    scaling: SavedScaling
    gaps: bool


@with_config(ENTRIES)
class SavedSound(TypedDict):
    """Recordings."""

    sampling_rate: Size
    bands: Annotated[int, Field(ge=4, le=256)]
    scaling: SavedScaling
    own_level: bool


@with_config(ENTRIES)
class SavedClasses(TypedDict):
    """Classes and numbers by name."""

    classes: dict[str, SavedVocabulary]
    numbers: dict[str, SavedScaling]


@with_config(ENTRIES)
class SavedSeveral(TypedDict):
    """A sequence, and classes and numbers beside it."""

    sequence: SavedKind
    beside: dict[str, Any]
