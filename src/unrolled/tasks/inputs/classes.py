"""Values by name: classes, and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import Scaling
from unrolled.data.tables import is_number
from unrolled.data.vocabulary import Vocabulary
from unrolled.models.one_to_many import ClassPerception, Perception
from unrolled.tasks.inputs.base import PerceivedKind
from unrolled.tasks.inputs.options import PerceptionOptions
from unrolled.tasks.inputs.saved import SavedClasses
from unrolled.tasks.inputs.schema import ClassesSchema

_MOST_CLASSES = 20
"""Different whole numbers in a column up to which they are taken for classes."""


class ClassKind(PerceivedKind):
    """Values by name: classes, and numbers scaled over the training data.

    Args:
        classes: for every name of a class those seen in training.
        numbers: for every name of a number how it is scaled.
    """

    kind = "classes"
    Saved = SavedClasses
    likelihood = True

    def __init__(self, classes: Mapping[str, Vocabulary], numbers: Mapping[str, Scaling]) -> None:
        self.classes = dict(classes)
        self.numbers = dict(numbers)

    @classmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Collect the classes, and measure the numbers.

        A column holds numbers where all its values are numbers and some have a fraction or many differ; a few
        whole numbers stand for classes.
        """
        classes, numbers = {}, {}
        for name in _values(examples[0]):
            column = [_written(_value(example, name)) for example in examples]
            if _are_numbers(column):
                numbers[name] = Scaling.fit(np.array(column, dtype=np.float64))
            else:
                classes[name] = Vocabulary.of_labels(column, kind=name)
        return cls(classes, numbers)

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The classes as numbers, each column's after those of the ones before, and the scaled numbers."""
        return [self._encoded(example) for example in examples]

    def _encoded(self, example: Example) -> dict[str, np.ndarray]:
        places, before = [], 0
        for name, vocabulary in self.classes.items():
            places.append(before + vocabulary.number(_written(_value(example, name)), example.source))
            before += len(vocabulary)
        classes = np.array(places, dtype=np.int64)
        return {"classes": classes, "numbers": np.array(self.scaled(example), dtype=np.float64)}

    def scaled(self, example: Example) -> list[float]:
        """The scaled numbers."""
        scaled = []
        for name, scaling in self.numbers.items():
            value = _value(example, name)
            if isinstance(value, str) and not is_number(value):
                raise example.source.error(
                    f"expected a number as in training, got {value!r:.60}", column=name
                )
            scaled.append(float(scaling.apply(np.array(float(value)))))
        return scaled

    def seen(self, example: Example) -> tuple[str, ...]:
        """Its classes."""
        return tuple(f"{name} {_written(_value(example, name))}" for name in self.classes)

    def perception(self, config: PerceptionOptions) -> Perception:
        """A vector for every class and number."""
        return ClassPerception(sum(map(len, self.classes.values())), len(self.numbers), config.input_size)

    def vectors(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """One place for every class, then the numbers."""
        size = sum(map(len, self.classes.values()))
        rows = []
        for encoded in self.encode(examples):
            places = np.zeros(size)
            places[encoded["classes"]] = 1
            rows.append(np.concatenate([places, encoded["numbers"]]))
        return rows

    def shown(self, example: Example) -> str:
        """The values."""
        values = _values(example)
        if len(values) == 1:
            return _written(next(iter(values.values())))
        return ", ".join(f"{name} {_written(value)}" for name, value in values.items())

    def settled(self) -> dict[str, Any]:
        """The columns, where they have names."""
        names = (*self.classes, *self.numbers)
        return {} if names == ("class",) else {"condition_columns": names}

    def schema(self) -> ClassesSchema:
        """The classes, and the names of numbers."""
        return ClassesSchema(
            classes={name: vocabulary.symbols for name, vocabulary in self.classes.items()},
            numbers=tuple(self.numbers),
        )

    def to_json(self) -> dict[str, Any]:
        """The classes and the scales."""
        classes = {name: vocabulary.to_dict() for name, vocabulary in self.classes.items()}
        numbers = {name: scaling.to_dict() for name, scaling in self.numbers.items()}
        return {"classes": classes, "numbers": numbers}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""
        classes = {name: Vocabulary.from_dict(content) for name, content in value["classes"].items()}
        numbers = {name: Scaling.from_dict(content) for name, content in value["numbers"].items()}
        if not (classes or numbers) or any(scaling.center.shape for scaling in numbers.values()):
            raise ValueError("expected classes, or a scale for each number")
        return cls(classes, numbers)


def _values(example: Example) -> Mapping[str, str | float]:
    if not isinstance(example.inputs, Mapping):
        raise example.source.error("expected a class, or values by name, as in training")
    return example.inputs


def _value(example: Example, name: str) -> str | float:
    values = _values(example)
    if name not in values:
        # A single one needs no name.
        if len(values) == 1 and "class" in values:
            return values["class"]
        raise example.source.error(
            f"expected a value of {name!r} as in training, got those of {', '.join(values)}"
        )
    return values[name]


def _are_numbers(column: Sequence[str]) -> bool:
    distinct = set(column)
    if not all(map(is_number, distinct)):
        return False
    return len(distinct) > _MOST_CLASSES or any(not float(value).is_integer() for value in distinct)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
