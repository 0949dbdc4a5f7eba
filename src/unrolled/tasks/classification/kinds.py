"""Which kind of input the data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.data.example import Example, Examples
from unrolled.data.images import is_picture
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs, NumberInputs, TextInputs
from unrolled.tasks.classification.pictures import ClipInputs, ImageInputs

_KINDS: Mapping[str, type[Inputs]] = {
    kind.kind: kind for kind in (TextInputs, NumberInputs, ImageInputs, ClipInputs)
}


def fit_inputs(examples: Examples, config: ClassifyConfig) -> Inputs:
    """The kind of input that the training data has, fitted to it."""
    return _kind_of(examples[0]).fit(examples, config)


def inputs_from_json(value: Mapping[str, Any], config: ClassifyConfig) -> Inputs:
    """Inputs of the kind that ``value`` names."""
    return _KINDS[value["kind"]].from_json(value, config)


def _kind_of(example: Example) -> type[Inputs]:
    if isinstance(example.inputs, str):
        return TextInputs
    if is_picture(example.inputs):
        return ImageInputs if example.inputs.ndim == 3 else ClipInputs
    return NumberInputs
