"""What texts are written for: images, vectors, or classes and numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import Scaling
from unrolled.data.tables import is_number
from unrolled.data.vocabulary import Vocabulary
from unrolled.models.one_to_many import ClassPerception, Perception, VectorPerception
from unrolled.tasks.captioning.config import CaptionConfig

_MOST_CLASSES = 20
"""Different whole numbers in a column up to which they are taken for classes."""


class Subjects(ABC):
    """One kind of input: how it is learned from the training data, encoded, perceived and saved.

    Attributes:
        kind: its name.
        likelihood: whether the score to watch is the text's probability, because many texts are right.
    """

    kind: ClassVar[str]
    likelihood: ClassVar[bool]

    @classmethod
    @abstractmethod
    def fit(cls, examples: Examples) -> Self:
        """Learn from the training data what encoding needs."""

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """For each example arrays by the names that the perception reads.

        Raises:
            DataError: an input is not of this kind.
        """

    @abstractmethod
    def seen(self, example: Example) -> tuple[str, ...]:
        """What of an input training must have seen."""

    @abstractmethod
    def perception(self, config: CaptionConfig) -> Perception:
        """A fresh network that reads the input."""

    @abstractmethod
    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """A vector for each input, in which near inputs are alike, for the baselines."""

    @abstractmethod
    def shown(self, example: Example) -> str:
        """The input for a report."""

    @abstractmethod
    def suited(self) -> dict[str, Any]:
        """Options that the data settled, where they are not asked for."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Everything that `fit` learned."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""


class VectorSubjects(Subjects):
    """Features computed before: a vector, or one for each region; all scaled over the training data."""

    kind = "vectors"
    likelihood = False

    def __init__(self, scaling: Scaling) -> None:
        self.scaling = scaling

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Measure every feature."""
        return cls(Scaling.fit(np.concatenate([_regions(example) for example in examples])))

    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """The scaled regions."""
        return [{"values": self._scaled(example)} for example in examples]

    def seen(self, example: Example) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def perception(self, config: CaptionConfig) -> Perception:
        """A linear map."""
        return VectorPerception(len(self.scaling.center), config.input_size)

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """The regions' mean."""
        return [self._scaled(example).mean(axis=0) for example in examples]

    def shown(self, example: Example) -> str:
        """The first numbers."""
        numbers = _regions(example)
        listed = ", ".join(f"{number:.4g}" for number in numbers.ravel()[:8])
        return f"{' × '.join(map(str, numbers.shape))}: {listed}{', …' if numbers.size > 8 else ''}"

    def suited(self) -> dict[str, Any]:
        """None."""
        return {}

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"scaling": self.scaling.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(Scaling.from_dict(value["scaling"]))

    def _scaled(self, example: Example) -> np.ndarray:
        regions = _regions(example)
        expected = len(self.scaling.center)
        if regions.shape[1] != expected:
            raise example.source.error(f"expected {expected} features as in training, got {regions.shape[1]}")
        return self.scaling.apply(regions)


def _regions(example: Example) -> np.ndarray:
    regions = example.inputs
    if not isinstance(regions, np.ndarray) or regions.ndim != 2 or not len(regions):
        raise example.source.error("expected a vector, or one for each region, as in training")
    return regions


class ClassSubjects(Subjects):
    """Values by name: classes, and numbers scaled over the training data.

    Args:
        classes: for every name of a class those seen in training.
        numbers: for every name of a number how it is scaled.
    """

    kind = "classes"
    likelihood = True

    def __init__(self, classes: Mapping[str, Vocabulary], numbers: Mapping[str, Scaling]) -> None:
        self.classes = dict(classes)
        self.numbers = dict(numbers)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
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
        scaled = []
        for name, scaling in self.numbers.items():
            value = _value(example, name)
            if isinstance(value, str) and not is_number(value):
                raise example.source.error(
                    f"expected a number as in training, got {value!r:.60}", column=name
                )
            scaled.append(scaling.apply(np.array(float(value))))
        return {"classes": np.array(places, dtype=np.int64), "numbers": np.array(scaled, dtype=np.float64)}

    def seen(self, example: Example) -> tuple[str, ...]:
        """Its classes."""
        return tuple(f"{name} {_written(_value(example, name))}" for name in self.classes)

    def perception(self, config: CaptionConfig) -> Perception:
        """A vector for every class and number."""
        return ClassPerception(sum(map(len, self.classes.values())), len(self.numbers), config.input_size)

    def simple(self, examples: Sequence[Example]) -> list[np.ndarray]:
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

    def suited(self) -> dict[str, Any]:
        """The columns, where they have names; a class says too little to be looked at again and again."""
        names = (*self.classes, *self.numbers)
        columns = {} if names == ("class",) else {"condition_columns": names}
        return {**columns, "attention": "none", "learning_rate": 5e-3}

    def to_json(self) -> dict[str, Any]:
        """The classes and the scales."""
        classes = {name: vocabulary.to_dict() for name, vocabulary in self.classes.items()}
        numbers = {name: scaling.to_dict() for name, scaling in self.numbers.items()}
        return {"classes": classes, "numbers": numbers}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        classes = {name: Vocabulary.from_dict(content) for name, content in value["classes"].items()}
        numbers = {name: Scaling.from_dict(content) for name, content in value["numbers"].items()}
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
