"""Two texts that are read together: a premise and a hypothesis, two questions that may ask the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.data.example import Source
from unrolled.data.tables import Table, is_missing

PAIR_NAMES = (
    *(("premise", "hypothesis"), ("sentence1", "sentence2"), ("sentence_1", "sentence_2")),
    *(("question1", "question2"), ("question_1", "question_2"), ("text1", "text2"), ("text_1", "text_2")),
    *(("sentence_a", "sentence_b"), ("text_a", "text_b"), ("s1", "s2"), ("query", "document")),
)
"""What columns of pairs are usually called."""


@dataclass(frozen=True, slots=True)
class TextPair:
    """Two texts, the second of which is read with the first."""

    first: str
    second: str


def usual_pair(table: Table) -> tuple[str, str] | None:
    """The columns of two texts by their usual names; None where there are none.

    Example:
        >>> import numpy as np
        >>> cells = {"id": ["1"], "Premise": ["It rains."], "Hypothesis": ["It is wet."], "label": ["yes"]}
        >>> usual_pair(Table("t.csv", cells, np.array([2])))
        ('Premise', 'Hypothesis')
    """
    lowered = {name.lower(): name for name in table.columns}
    for first, second in PAIR_NAMES:
        if first in lowered and second in lowered:
            names = lowered[first], lowered[second]
            if all(_is_text(table, name) for name in names):
                return names
    return None


def _is_text(table: Table, name: str) -> bool:
    known = [cell for cell in table.column(name) if not is_missing(cell)]
    return bool(known) and all(isinstance(cell, str) for cell in known) and not table.is_numeric(name)


def pair_of(given: Any, source: Source) -> TextPair:
    """Two texts from what is handed over: a pair, a list of two, or an object with two entries.

    Raises:
        DataError: it is something else.
    """
    if isinstance(given, TextPair):
        return given
    texts = list(given.values()) if isinstance(given, Mapping) else given
    if not is_pair_of_texts(texts):
        raise source.error(f"expected two texts, got {given!r:.60}")
    return TextPair(*texts)


def is_pair_of_texts(given: Any) -> bool:
    """Whether something is a sequence of two texts.

    Example:
        >>> is_pair_of_texts(["a", "b"]), is_pair_of_texts("ab")
        (True, False)
    """
    two = isinstance(given, Sequence) and not isinstance(given, str | bytes) and len(given) == 2
    return two and all(isinstance(each, str) for each in given)
