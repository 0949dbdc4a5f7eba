"""A sequence with further columns beside it: a text with numbers and classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.models.inputs import BesideInput, InputLayer
from unrolled.saving.schema import conforming
from unrolled.tasks.inputs.base import StepsKind
from unrolled.tasks.inputs.classes import ClassKind
from unrolled.tasks.inputs.saved import SavedSeveral
from unrolled.tasks.inputs.schema import InputSchema, SeveralSchema
from unrolled.tasks.inputs.wrapped import WrappedKind

_SIZE = 32
"""Of the vector that the further columns become."""


class SeveralKind(WrappedKind):
    """What is read step by step, each step with the same values by name beside it.

    Args:
        sequence: the kind of the sequence.
        beside: the classes and numbers of the further columns.
    """

    kind = "several"
    Saved = SavedSeveral

    def __init__(self, sequence: StepsKind, beside: ClassKind) -> None:
        super().__init__(sequence)
        self.beside = beside

    @property
    def described(self) -> str:
        """The sequence, and what is beside it."""
        return f"{self.sequence.described} beside {', '.join((*self.beside.classes, *self.beside.numbers))}"

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Learn both."""
        from unrolled.tasks.inputs.kinds import fit_sequence

        return cls(fit_sequence(examples, config), ClassKind.fit(_beside(examples), config))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The arrays of the sequence, and ``beside_classes`` and ``beside_numbers`` ``(time, columns)``."""
        arrays = self.sequence.encode(examples)
        values = self.beside.encode(_beside(examples))
        return [self._together(one, other) for one, other in zip(arrays, values, strict=True)]

    def _together(
        self, arrays: dict[str, np.ndarray], values: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        steps = len(next(iter(arrays.values())))
        repeated = {f"beside_{name}": np.tile(each, (steps, 1)) for name, each in values.items()}
        return {**arrays, **repeated}

    def layer(self, config: Any) -> InputLayer:
        """That of the sequence, and beside each of its vectors one of the further columns."""
        classes = sum(map(len, self.beside.classes.values()))
        return BesideInput(self.sequence.layer(config), classes, len(self.beside.numbers), _SIZE)

    def summaries(self, examples: Sequence[Example]) -> list[Any]:
        """Those of the sequence with further channels, or further words, for the other columns."""
        vectors = self.beside.vectors(_beside(examples))
        found = zip(self.sequence.summaries(examples), vectors, examples, strict=True)
        return [self._summary(*each) for each in found]

    def _summary(self, summary: Any, vector: np.ndarray, example: Example) -> Any:
        if isinstance(summary, list):
            numbers = (
                f"{number:.0f}" for number in self.beside.scaled(replace(example, inputs=example.beside))
            )
            rounded = (f"{name} {number}" for name, number in zip(self.beside.numbers, numbers, strict=True))
            return [*summary, *self.beside.seen(replace(example, inputs=example.beside)), *rounded]
        if summary.ndim == 1:
            return np.concatenate([summary, vector])
        return np.concatenate([summary, np.tile(vector, (len(summary), 1))], axis=1)

    def shown(self, example: Example) -> Any:
        """Both, the sequence first."""
        return (
            f"{self.sequence.shown(example)} · {self.beside.shown(replace(example, inputs=example.beside))}"
        )

    def schema(self) -> InputSchema:
        """An object."""
        return SeveralSchema(sequence=self.sequence.schema(), beside=self.beside.schema())

    def to_json(self) -> dict[str, Any]:
        """Both."""
        return {"sequence": self.sequence_to_json(), "beside": self.beside.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        from unrolled.tasks.inputs.kinds import steps_from_json

        sequence = steps_from_json(value["sequence"], config)
        return cls(
            sequence,
            ClassKind.from_json(conforming("vocabulary.json", value["beside"], ClassKind.Saved), config),
        )


def split(example: Example, columns: Sequence[str]) -> Example:
    """An input given as an object, as a sequence with some of the object's values beside it.

    Raises:
        DataError: a value is missing, or what remains is not one sequence.

    Example:
        >>> found = split(Example({"text": "so fine", "age": 3}), ["age"])
        >>> found.inputs, found.beside
        ('so fine', {'age': 3})
    """
    given = example.inputs
    if not isinstance(given, Mapping):
        raise example.source.error(
            f"expected an object with {', '.join(columns)} beside the sequence, got {given!r:.60}"
        )
    missing = [name for name in columns if name not in given]
    others = [name for name in given if name not in columns]
    if missing or not 1 <= len(others) <= 2:
        raise example.source.error(
            f"expected one sequence and {', '.join(columns)} beside it, got {', '.join(given) or 'nothing'}"
        )
    inputs = given[others[0]] if len(others) == 1 else {name: given[name] for name in others}
    return replace(example, inputs=inputs, beside={name: given[name] for name in columns})


def _beside(examples: Sequence[Example]) -> Examples:
    """The further columns alone."""
    return Examples(tuple(replace(example, inputs=example.beside or {}) for example in examples))
