"""Which kind of input the data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.data.example import Examples
from unrolled.data.images import is_picture
from unrolled.data.sound import Recording
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.classification.config import ClassifyConfig
from unrolled.tasks.classification.inputs import Inputs
from unrolled.tasks.classification.numbers import NumberInputs
from unrolled.tasks.classification.pictures import ClipInputs, ImageInputs
from unrolled.tasks.classification.sound import SoundInputs
from unrolled.tasks.classification.symbols import SymbolInputs, are_symbols
from unrolled.tasks.classification.texts import TextInputs

_KINDS: Mapping[str, type[Inputs]] = {
    kind.kind: kind for kind in (TextInputs, SymbolInputs, NumberInputs, SoundInputs, ImageInputs, ClipInputs)
}


def fit_inputs(examples: Examples, config: ClassifyConfig) -> Inputs:
    """The kind of input that the training data has, fitted to it."""
    return _kind_of(examples, config).fit(examples, config)


def linear_baselines() -> tuple[type[Baseline], ...]:
    """The linear models of every kind of input."""
    return tuple(dict.fromkeys(baseline for kind in _KINDS.values() for baseline in kind.linear))


def inputs_from_json(value: Mapping[str, Any], config: ClassifyConfig) -> Inputs:
    """Inputs of the kind that ``value`` names."""
    return _KINDS[value["kind"]].from_json(value, config)


def _kind_of(examples: Examples, config: ClassifyConfig) -> type[Inputs]:
    first = examples[0].inputs
    if isinstance(first, str):
        symbols = are_symbols(examples) if config.unit is None else config.unit == "characters"
        return SymbolInputs if symbols else TextInputs
    if isinstance(first, Recording):
        return SoundInputs
    if is_picture(first):
        return ImageInputs if first.ndim == 3 else ClipInputs
    return NumberInputs
