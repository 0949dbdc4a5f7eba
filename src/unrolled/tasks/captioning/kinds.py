"""Which kind of input texts are written for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.data.captions import is_vector
from unrolled.data.example import Examples
from unrolled.data.images import is_picture
from unrolled.tasks.captioning.pictures import PictureSubjects
from unrolled.tasks.captioning.subjects import ClassSubjects, Subjects, VectorSubjects

_KINDS: Mapping[str, type[Subjects]] = {
    kind.kind: kind for kind in (PictureSubjects, VectorSubjects, ClassSubjects)
}


def fit_subjects(examples: Examples) -> Subjects:
    """The kind of input that the training data has, fitted to it."""
    first = examples[0].inputs
    if is_picture(first):
        return PictureSubjects.fit(examples)
    return (VectorSubjects if is_vector(first) else ClassSubjects).fit(examples)


def subjects_from_json(kind: str, value: Mapping[str, Any]) -> Subjects:
    """Inputs of the kind of that name."""
    return _KINDS[kind].from_json(value)
