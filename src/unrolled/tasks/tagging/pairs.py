"""What a tagger is given, cut into steps: as many as there are tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.data.example import Example
from unrolled.data.images import is_picture
from unrolled.data.offset_spans import tokens_in
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.numbers import NumberKind, numbers_of
from unrolled.tasks.inputs.pictures import ClipKind, ImageKind
from unrolled.tasks.inputs.symbols import SymbolKind
from unrolled.tasks.inputs.words import WordKind, words_of


def are_spelled(examples: Sequence[Example]) -> bool:
    """Whether every example is a string without spaces that has as many characters in its tags, not one tag.

    Example:
        >>> are_spelled([Example(("MKVL",), ("HHHE",))]), are_spelled([Example(("cat",), ("N",))])
        (True, False)
    """
    strings = [(_string(example.inputs), _string(example.target)) for example in examples]
    return all(
        inputs is not None and tags is not None and len(inputs) == len(tags) for inputs, tags in strings
    ) and any(len(inputs or "") > 1 for inputs, _ in strings)


def cut(example: Example, unit: str | None, marks: bool = False) -> Example:
    """The example with a text cut into words, or a string left whole and its tags cut into characters."""
    if unit != "characters" and marks and isinstance(example.inputs, str):
        return replace(example, inputs=tokens_in(example.inputs))
    if unit != "characters":
        return replace(example, inputs=words_of(example)) if isinstance(example.inputs, str) else example
    inputs, tags = _string(example.inputs), _string(example.target)
    if inputs is None:
        raise example.source.error(f"expected a string without spaces, got {example.inputs!r:.60}")
    split = tags is not None and len(tags) == len(inputs)
    return replace(example, inputs=inputs, target=tuple(tags or "") if split else example.target)


def _string(given: Any) -> str | None:
    """A string without spaces, which may be the only word of a sentence."""
    words = given.split() if isinstance(given, str) else given
    if isinstance(words, np.ndarray) or words is None or len(words) > 1:
        return None
    return (words[0] if isinstance(words[0], str) else None) if len(words) else ""


def check_pairs(example: Example) -> None:
    """Require as many tags as there are words or steps, and one at least.

    Raises:
        DataError: there are others, or none.
    """
    steps, kind = _steps(example)
    if not steps:
        raise example.source.error(f"expected {kind.unit}, got an empty {kind.whole}")
    if isinstance(example.target, str) or len(example.target) != steps:
        got = f"{example.target!r:.60}" if isinstance(example.target, str) else f"{len(example.target)} tags"
        raise example.source.error(f"expected as many tags as {kind.unit}, got {steps} {kind.unit} and {got}")


def _steps(example: Example) -> tuple[int, type[StepsKind]]:
    if is_picture(example.inputs):
        return len(example.inputs), ImageKind if example.inputs.ndim == 3 else ClipKind
    if _are_numbers(example.inputs):
        return len(numbers_of(example)), NumberKind
    if isinstance(example.inputs, str):
        return len(example.inputs), SymbolKind
    return len(words_of(example)), WordKind


def _are_numbers(inputs: Any) -> bool:
    if isinstance(inputs, np.ndarray):
        return inputs.dtype.kind in "iufb"
    return not isinstance(inputs, str) and len(inputs) > 0 and not isinstance(inputs[0], str)
