"""Tags handed over in Python, as texts, and what they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.targets import label_text
from unrolled.tasks.label_values import LabelValues


def with_tag_names(examples: Examples) -> tuple[Examples, LabelValues]:
    """The examples with the texts of their tags for tags, and the tags as they came.

    Raises:
        DataError: a target is no sequence of tags, or a tag is missing.

    Example:
        >>> examples, values = with_tag_names(Examples((Example(["a"], np.array([3])),)))
        >>> examples[0].target, values.restored(["3"])
        (('3',), array([3]))
    """
    named = tuple(_named(example) for example in examples)
    values = LabelValues.of_list(tag for example in examples for tag in _tags(example))
    kinds = {getattr(example.target, "dtype", None) for example in examples}
    dtype = kinds.pop() if len(kinds) == 1 else None
    return replace(examples, items=named), LabelValues(values.of_name, dtype)


def _named(example: Example) -> Example:
    if isinstance(example.target, str):  # `check_pairs` says what is wrong with it
        return example
    return replace(example, target=tuple(label_text(tag, example.source) for tag in _tags(example)))


def _tags(example: Example) -> list[Any]:
    if isinstance(example.target, str):
        return []
    if example.target is None or np.ndim(example.target) == 0:
        raise example.source.error(f"expected a tag for every step, got {example.target!r:.60}")
    tags = example.target.tolist() if hasattr(example.target, "tolist") else list(example.target)
    for step, tag in enumerate(tags, start=1):
        if tag is None or tag != tag:
            raise example.source.error(f"expected a tag for every step, got none at step {step}")
    return tags
