"""What a classifier predicts: one of some classes, or a number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.example import Example, Examples
from unrolled.data.vocabulary import SavedVocabulary, Vocabulary
from unrolled.saving.schema import ENTRIES, Finite, Positive
from unrolled.tasks.details import confidence, confusion
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.scores import class_scores, number_scores
from unrolled.training.loss import CrossEntropy, Loss, SquaredError


class Targets(ABC):
    """One kind of target: how it is encoded, learned, read off the outputs and scored.

    Attributes:
        kind: its name.
        monitored: the score that decides, and which way is better.
        badness: what `wrongness` is a measure of.
        output_size: numbers that the network gives for one.
    """

    kind: ClassVar[str]
    monitored: ClassVar[tuple[str, Literal["min", "max"]]]
    badness: ClassVar[str]
    output_size: int

    @classmethod
    @abstractmethod
    def fit(cls, examples: Examples) -> Self:
        """Learn from the training data what encoding needs."""

    @abstractmethod
    def encode(self, example: Example) -> np.ndarray:
        """The target as the loss takes it.

        Raises:
            DataError: a class that training has not seen.
        """

    def knows(self, target: Any) -> bool:
        """Whether the target can be predicted; every number can."""
        return True

    @abstractmethod
    def placeholder(self) -> np.ndarray:
        """A target for inputs that have none, in batches made only to predict."""

    @abstractmethod
    def loss(self, weights: Sequence[float] | None = None) -> Loss:
        """What training minimises.

        Args:
            weights: of the classes, where they are given some.
        """

    @abstractmethod
    def decode(self, outputs: Sequence[Tensor]) -> list[Any]:
        """Labels or numbers, from outputs ``(output_size,)``."""

    def predictions(self, outputs: Sequence[Tensor]) -> list[Prediction]:
        """The same with all that is known of them."""
        return [Prediction(value) for value in self.decode(outputs)]

    @abstractmethod
    def label(self, target: Tensor) -> str:
        """An encoded target in a few characters."""

    @abstractmethod
    def scores(self, expected: Sequence[Any], predicted: Sequence[Any]) -> dict[str, float]:
        """The scores by name."""

    def details(
        self, expected: Sequence[Any], predicted: Sequence[Any], outputs: Sequence[Tensor]
    ) -> dict[str, Any]:
        """What of all answers a report shows beside the scores; see `Evaluation`."""
        return {}

    @abstractmethod
    def wrongness(
        self, expected: Sequence[Any], predicted: Sequence[Any], outputs: Sequence[Tensor]
    ) -> np.ndarray:
        """How wrong each answer is, ``(sequences,)``; 0 for one that is right."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Everything that `fit` learned."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""


@with_config(ENTRIES)
class SavedClasses(TypedDict):
    """Classes in a model folder."""

    kind: Literal["classes"]
    vocabulary: SavedVocabulary


@with_config(ENTRIES)
class SavedNumber(TypedDict):
    """A number to be predicted, in a model folder."""

    kind: Literal["numbers"]
    mean: Finite
    scale: Positive


class ClassTargets(Targets):
    """One of the classes seen in training."""

    kind = "classes"
    monitored = ("accuracy", "max")
    badness = "confidence"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.output_size = len(vocabulary)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Collect the classes."""
        return cls(Vocabulary.of_labels(example.target for example in examples))

    def encode(self, example: Example) -> np.ndarray:
        """The class's number."""
        return np.array(self.vocabulary.number(example.target, example.source))

    def knows(self, target: Any) -> bool:
        """Whether training has seen the class."""
        return target in self.vocabulary

    def placeholder(self) -> np.ndarray:
        """Class 0."""
        return np.array(0)

    def loss(self, weights: Sequence[float] | None = None) -> Loss:
        """Cross-entropy."""
        return CrossEntropy(weights=weights)

    def decode(self, outputs: Sequence[Tensor]) -> list[str]:
        """The class with the highest score."""
        return self.vocabulary.decode([int(scores.argmax()) for scores in outputs])

    def label(self, target: Tensor) -> str:
        """The class."""
        return self.vocabulary.decode([int(target)])[0]

    def predictions(self, outputs: Sequence[Tensor]) -> list[Prediction]:
        """The class with the highest score, and the probability of every one."""
        return [
            Prediction(value, self.vocabulary.symbols, probabilities)
            for value, probabilities in zip(self.decode(outputs), self.probabilities(outputs), strict=True)
        ]

    def probabilities(self, outputs: Sequence[Tensor]) -> np.ndarray:
        """The probability of every class, ``(sequences, classes)``."""
        if not outputs:
            return np.zeros((0, self.output_size))
        return torch.stack(list(outputs)).double().softmax(1).numpy()

    def scores(self, expected: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
        """Accuracy and macro F1."""
        return class_scores(expected, predicted)

    def details(
        self, expected: Sequence[str], predicted: Sequence[str], outputs: Sequence[Tensor]
    ) -> dict[str, Any]:
        """What was taken for what, and how sure the network was."""
        sure = self.probabilities(outputs).max(1)
        right = np.array(expected, dtype=object) == np.array(predicted, dtype=object)
        return {"confusion": confusion(expected, predicted), "confidence": confidence(sure, right)}

    def wrongness(
        self, expected: Sequence[str], predicted: Sequence[str], outputs: Sequence[Tensor]
    ) -> np.ndarray:
        """How sure it was of a wrong class."""
        right = np.array(expected, dtype=object) == np.array(predicted, dtype=object)
        return np.where(right, 0.0, self.probabilities(outputs).max(1))

    def to_json(self) -> dict[str, Any]:
        """The classes."""
        return {"vocabulary": self.vocabulary.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]))


class NumberTargets(Targets):
    """A number, brought to mean 0 and deviation 1 over the training data for the network."""

    kind = "numbers"
    monitored = ("RMSE", "min")
    badness = "error"
    output_size = 1

    def __init__(self, mean: float, scale: float) -> None:
        self.mean = mean
        self.scale = scale

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Measure the targets."""
        numbers = np.array([example.target for example in examples])
        return cls(float(numbers.mean()), float(numbers.std()) or 1.0)

    def encode(self, example: Example) -> np.ndarray:
        """The scaled number ``(1,)``."""
        return np.array([(example.target - self.mean) / self.scale])

    def placeholder(self) -> np.ndarray:
        """The mean."""
        return np.zeros(1)

    def loss(self, weights: Sequence[float] | None = None) -> Loss:
        """Squared error."""
        return SquaredError()

    def decode(self, outputs: Sequence[Tensor]) -> list[float]:
        """The number on the scale of the data."""
        return [float(output[0]) * self.scale + self.mean for output in outputs]

    def label(self, target: Tensor) -> str:
        """The number on the scale of the data."""
        return f"{float(target[0]) * self.scale + self.mean:.3g}"

    def scores(self, expected: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
        """RMSE, MAE and R2."""
        return number_scores(np.array(expected), np.array(predicted))

    def wrongness(
        self, expected: Sequence[float], predicted: Sequence[float], outputs: Sequence[Tensor]
    ) -> np.ndarray:
        """The size of its error."""
        return np.abs(np.array(predicted, dtype=np.float64) - np.array(expected, dtype=np.float64))

    def to_json(self) -> dict[str, Any]:
        """The scale."""
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(value["mean"], value["scale"])


def fit_targets(examples: Examples) -> Targets:
    """The kind of target that the training data has, fitted to it."""
    kind = ClassTargets if isinstance(examples[0].target, str) else NumberTargets
    return kind.fit(examples)


def targets_from_json(value: Mapping[str, Any]) -> Targets:
    """Targets of the kind that ``value`` names."""
    kind = {kind.kind: kind for kind in (ClassTargets, NumberTargets)}[value["kind"]]
    return kind.from_json(value)
