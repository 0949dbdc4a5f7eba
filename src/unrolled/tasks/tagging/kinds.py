"""Which kind of input a tagger's data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.tasks.tagging.config import TagConfig
from unrolled.tasks.tagging.inputs import StepInputs
from unrolled.tasks.tagging.numbers import Numbers, numbers_of
from unrolled.tasks.tagging.words import Words, words_of

_KINDS: Mapping[str, type[StepInputs]] = {kind.kind: kind for kind in (Words, Numbers)}


def fit_inputs(examples: Examples, config: TagConfig) -> StepInputs:
    """The kind of input that the training data has, fitted to it."""
    return (Numbers if _are_numbers(examples[0].inputs) else Words).fit(examples, config)


def inputs_from_json(value: Mapping[str, Any], config: TagConfig) -> StepInputs:
    """Inputs of the kind that ``value`` names."""
    return _KINDS[value["kind"]].from_json(value, config)


def check_pairs(example: Example) -> None:
    """Require as many tags as there are words or steps, and one at least.

    Raises:
        DataError: there are others, or none.
    """
    if _are_numbers(example.inputs):
        steps, kind = len(numbers_of(example)), Numbers
    else:
        steps, kind = len(words_of(example)), Words
    if not steps:
        raise example.source.error(f"expected {kind.unit}, got an empty {kind.whole}")
    if isinstance(example.target, str) or len(example.target) != steps:
        got = f"{example.target!r:.60}" if isinstance(example.target, str) else f"{len(example.target)} tags"
        raise example.source.error(f"expected as many tags as {kind.unit}, got {steps} {kind.unit} and {got}")


def _are_numbers(inputs: Any) -> bool:
    if isinstance(inputs, np.ndarray):
        return inputs.dtype.kind in "iufb"
    return not isinstance(inputs, str) and len(inputs) > 0 and not isinstance(inputs[0], str)
