"""What a classifier predicts: one of some classes, several labels, or a number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.data.example import Example, Examples
from unrolled.data.scaling import mean_and_deviation
from unrolled.data.vocabulary import SavedVocabulary, Vocabulary
from unrolled.models.ensemble import Average
from unrolled.saving.schema import ENTRIES, Finite, Positive
from unrolled.tasks.class_weights import balanced_weights
from unrolled.tasks.details import confidence, confusion
from unrolled.tasks.prediction import Prediction
from unrolled.tasks.scores import class_scores, label_scores, number_scores
from unrolled.training.loss import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError


class Targets(ABC):
    """One kind of target: how it is encoded, learned, read off the outputs and scored.

    Attributes:
        kind: its name.
        monitored: the score that decides, and which way is better.
        scored: the score that scikit-learn's ``score`` is.
        badness: what `wrongness` is a measure of.
        averaged: what is averaged of several networks.
        output_size: numbers that the network gives for one.
    """

    kind: ClassVar[str]
    monitored: ClassVar[tuple[str, Literal["min", "max"]]]
    scored: ClassVar[str]
    badness: ClassVar[str]
    averaged: ClassVar[Average] = "outputs"
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

    def unseen(self, target: Any) -> tuple[str, ...]:
        """The labels of a target that training has not seen, which cannot be predicted; every number can."""
        return ()

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
class SavedNames(TypedDict):
    """Classes, or labels, in a model folder."""

    kind: Literal["classes", "labels"]
    vocabulary: SavedVocabulary


@with_config(ENTRIES)
class SavedNumber(TypedDict):
    """A number to be predicted, in a model folder."""

    kind: Literal["numbers"]
    mean: Finite
    scale: Positive


class NamedTargets(Targets):
    """Targets with names, of which the network gives each an output."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.output_size = len(vocabulary)

    def extended(self, labels: Sequence[str]) -> Self:
        """These and further ones."""
        return type(self)(Vocabulary([*self.vocabulary.symbols, *labels], "label"))

    @abstractmethod
    def balanced(self, targets: Sequence[Any]) -> list[float]:
        """What an error weighs on each, the more the rarer it is among the targets of the training data."""

    @abstractmethod
    def probabilities(self, outputs: Sequence[Tensor]) -> np.ndarray:
        """The probability of each, ``(sequences, names)``."""

    def to_json(self) -> dict[str, Any]:
        """The names."""
        return {"vocabulary": self.vocabulary.to_dict()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(Vocabulary.from_dict(value["vocabulary"]))


class ClassTargets(NamedTargets):
    """One of the classes seen in training."""

    kind = "classes"
    monitored = ("accuracy", "max")
    scored = "accuracy"
    badness = "confidence"
    averaged = "probabilities"

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Collect the classes."""
        return cls(Vocabulary.of_labels(example.target for example in examples))

    def encode(self, example: Example) -> np.ndarray:
        """The class's number."""
        return np.array(self.vocabulary.number(example.target, example.source))

    def unseen(self, target: Any) -> tuple[str, ...]:
        """The class, where training has not seen it."""
        return () if target in self.vocabulary else (target,)

    def balanced(self, targets: Sequence[str]) -> list[float]:
        """The mean number of examples of a class over its own."""
        return balanced_weights(targets, self.vocabulary)

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


class LabelTargets(NamedTargets):
    """Any of the labels seen in training, several of them or none: each is there or not by itself."""

    kind = "labels"
    monitored = ("micro F1", "max")
    scored = "subset accuracy"
    badness = "labels wrong"

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Collect the labels."""
        return cls(Vocabulary.of_labels(label for example in examples for label in example.target))

    def encode(self, example: Example) -> np.ndarray:
        """A one for each label that is there, ``(labels,)``."""
        there = self.placeholder()
        there[[self.vocabulary.number(label, example.source) for label in example.target]] = 1
        return there

    def unseen(self, target: Any) -> tuple[str, ...]:
        """The labels that training has not seen."""
        return tuple(label for label in target if label not in self.vocabulary)

    def balanced(self, targets: Sequence[Sequence[str]]) -> list[float]:
        """The number of examples without a label over that of those with it (King and Zeng 2001)."""
        counts = Counter(label for target in targets for label in target)
        with_it = [counts[symbol] for symbol in self.vocabulary.symbols]
        return [max(1, len(targets) - count) / max(1, count) for count in with_it]

    def placeholder(self) -> np.ndarray:
        """No label."""
        return np.zeros(self.output_size, dtype=np.float32)

    def loss(self, weights: Sequence[float] | None = None) -> Loss:
        """The cross-entropy of each label's being there, added up."""
        return BinaryCrossEntropy(weights=weights)

    def decode(self, outputs: Sequence[Tensor]) -> list[list[str]]:
        """The labels that are more likely there than not."""
        return [self.vocabulary.decode(np.flatnonzero(each.numpy() > 0).tolist()) for each in outputs]

    def label(self, target: Tensor) -> str:
        """The labels that are there."""
        return ", ".join(self.decode([target - 0.5])[0]) or "(none)"

    def predictions(self, outputs: Sequence[Tensor]) -> list[Prediction]:
        """The labels, the probability of each by itself, and that of their being just these."""
        made = zip(self.decode(outputs), self.probabilities(outputs), strict=True)
        return [
            Prediction(value, self.vocabulary.symbols, each, float(np.log(np.maximum(each, 1 - each)).sum()))
            for value, each in made
        ]

    def probabilities(self, outputs: Sequence[Tensor]) -> np.ndarray:
        """The probability of every label by itself, ``(sequences, labels)``."""
        if not outputs:
            return np.zeros((0, self.output_size))
        return torch.stack(list(outputs)).double().sigmoid().numpy()

    def scores(
        self, expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
    ) -> dict[str, float]:
        """F1 over all labels together and by label, right sets, and the share of labels that are wrong."""
        return label_scores(expected, predicted, self.vocabulary.symbols)

    def wrongness(
        self, expected: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], outputs: Sequence[Tensor]
    ) -> np.ndarray:
        """How many labels are missed or too many."""
        pairs = zip(expected, predicted, strict=True)
        return np.array([float(len(set(wanted) ^ set(got))) for wanted, got in pairs])


class NumberTargets(Targets):
    """A number, brought to mean 0 and deviation 1 over the training data for the network."""

    kind = "numbers"
    monitored = ("RMSE", "min")
    scored = "R2"
    badness = "error"
    output_size = 1

    def __init__(self, mean: float, scale: float) -> None:
        self.mean = mean
        self.scale = scale

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Measure the targets."""
        numbers = np.array([example.target for example in examples])
        mean, deviation = mean_and_deviation(numbers)
        return cls(float(mean), float(deviation) or 1.0)

    def encode(self, example: Example) -> np.ndarray:
        """The scaled number ``(1,)``."""
        return np.array([self.scaled(example.target)])

    def scaled(self, number: float) -> float:
        """A number on the scale of the network's output."""
        return (number - self.mean) / self.scale

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
    kinds: dict[type, type[Targets]] = {str: ClassTargets, tuple: LabelTargets}
    return kinds.get(type(examples[0].target), NumberTargets).fit(examples)


def targets_from_json(value: Mapping[str, Any]) -> Targets:
    """Targets of the kind that ``value`` names."""
    kinds: tuple[type[Targets], ...] = (ClassTargets, LabelTargets, NumberTargets)
    return {kind.kind: kind for kind in kinds}[value["kind"]].from_json(value)
