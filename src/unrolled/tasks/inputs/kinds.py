"""Which kind of input the data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from unrolled.data.example import Examples
from unrolled.data.images import is_picture
from unrolled.data.sound import Recording
from unrolled.data.text_pairs import TextPair
from unrolled.errors import ModelFolderError
from unrolled.saving.schema import conforming
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.inputs.base import InputKind, PerceivedKind, StepsKind
from unrolled.tasks.inputs.classes import ClassKind
from unrolled.tasks.inputs.contextual import ContextualKind
from unrolled.tasks.inputs.numbers import NumberKind
from unrolled.tasks.inputs.pairs import PairKind
from unrolled.tasks.inputs.pictures import ClipKind, ImageKind
from unrolled.tasks.inputs.several import SeveralKind
from unrolled.tasks.inputs.sound import SoundKind
from unrolled.tasks.inputs.symbols import SymbolKind, are_symbols
from unrolled.tasks.inputs.text import TextKind
from unrolled.tasks.inputs.units import why_characters
from unrolled.tasks.inputs.vectored import VectoredKind
from unrolled.tasks.inputs.vectors import VectorKind
from unrolled.tasks.inputs.words import WordKind

Kind = TypeVar("Kind", bound=InputKind)

STEPS: Mapping[str, type[StepsKind]] = {
    kind.kind: kind
    for kind in (TextKind, PairKind, SymbolKind, WordKind, NumberKind, SoundKind, ImageKind, ClipKind)
}
"""The kinds that are read step by step."""

_WRAPPED: Mapping[str, type[StepsKind]] = {
    kind.kind: kind for kind in (SeveralKind, VectoredKind, ContextualKind)
}

PERCEIVED: Mapping[str, type[PerceivedKind]] = {
    kind.kind: kind for kind in (ImageKind, VectorKind, ClassKind)
}
"""The kinds that are perceived as a whole."""


def steps_kind(examples: Examples, unit: str | None = None) -> type[StepsKind]:
    """The kind of input that some data holds, to be read step by step.

    Args:
        examples: the data.
        unit: what texts are cut into, words or characters; None finds out.
    """
    first = examples[0].inputs
    if isinstance(first, TextPair):
        return PairKind
    if isinstance(first, str):
        symbols = are_symbols(examples) if unit is None else unit == "characters"
        return SymbolKind if symbols else TextKind
    if isinstance(first, Recording):
        return SoundKind
    if is_picture(first):
        return ImageKind if first.ndim == 3 else ClipKind
    if isinstance(first, list | tuple) and all(isinstance(word, str) for word in first):
        return WordKind
    return NumberKind


def fit_sequence(examples: Examples, config: Any) -> StepsKind:
    """The kind of input that the training data has, fitted to it, with what is to stand beside its words."""
    if getattr(config, "features", ()):
        return ContextualKind.fit(examples, config)
    return fit_words(examples, config)


def fit_words(examples: Examples, config: Any) -> StepsKind:
    """As `fit_sequence`, with the vectors of a file alone, where they are asked for."""
    if getattr(config, "vectors", None) is not None:
        return VectoredKind.fit(examples, config)
    unit = getattr(config, "unit", None)
    kind = steps_kind(examples, unit)
    reason = why_characters(examples, config.lowercase) if kind is TextKind and unit is None else None
    fitted = (kind if reason is None else SymbolKind).fit(examples, config)
    if reason is not None:
        fitted.notes = (reason, *fitted.notes)
    return fitted


def fit_steps(examples: Examples, config: Any) -> StepsKind:
    """As `fit_sequence`, with the further columns that are asked for."""
    if getattr(config, "feature_columns", ()):
        return SeveralKind.fit(examples, config)
    return fit_sequence(examples, config)


def perceived_kind(examples: Examples) -> type[PerceivedKind]:
    """The kind of input that some data holds, to be perceived as a whole."""
    first = examples[0].inputs
    if is_picture(first):
        return ImageKind
    return ClassKind if isinstance(first, Mapping) else VectorKind


def steps_from_json(value: Mapping[str, Any], config: Any) -> StepsKind:
    """Inputs of the kind that ``value`` names, read step by step.

    Raises:
        ModelFolderError: there is no such kind, or it keeps something else.
    """
    return _of({**_WRAPPED, **STEPS}, value, config)


def perceived_from_json(value: Mapping[str, Any], config: Any) -> PerceivedKind:
    """Inputs of the kind that ``value`` names, perceived as a whole.

    Raises:
        ModelFolderError: there is no such kind, or it keeps something else.
    """
    return _of(PERCEIVED, value, config)


def simple_methods() -> tuple[type[Baseline], ...]:
    """The simple methods for whole inputs of every kind that is read step by step."""
    return tuple(
        dict.fromkeys(
            method
            for kind in STEPS.values()
            for method in (*kind.simple_classifiers, *kind.simple_regressors)
        )
    )


def to_json(inputs: InputKind) -> dict[str, Any]:
    """What was learned of the inputs, and which kind they are."""
    return {"kind": inputs.kind} | inputs.to_json()


def _of(kinds: Mapping[str, type[Kind]], value: Mapping[str, Any], config: Any) -> Kind:
    kind = kinds.get(value["kind"])
    if kind is None:
        raise ModelFolderError(
            f"vocabulary.json: expected one of {', '.join(kinds)}, got {value['kind']!r:.60}"
        )
    learned = {name: each for name, each in value.items() if name != "kind"}
    return kind.from_json(conforming("vocabulary.json", learned, kind.Saved), config)
