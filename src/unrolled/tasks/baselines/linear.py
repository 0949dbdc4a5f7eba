"""Linear models of a fixed number of features: what order and recurrence have to beat."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.scaling import power_of_two
from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import BaselineState, FittedBaseline, NoEntries
from unrolled.tasks.baselines.features import (
    BagOfWords,
    CharacterGrams,
    Features,
    PlacedSymbols,
    SavedGrams,
    SavedStatistics,
    SavedWords,
    SegmentMeans,
    SummaryStatistics,
    WordGrams,
)


@with_config(ENTRIES)
class SavedWordsLogistic(TypedDict):
    """A logistic regression on counts."""

    labels: list[str]
    several: bool
    features: SavedWords


@with_config(ENTRIES)
class SavedGramsLogistic(TypedDict):
    """A logistic regression on weighed grams."""

    labels: list[str]
    several: bool
    features: SavedGrams


@with_config(ENTRIES)
class SavedStatisticsLogistic(TypedDict):
    """A logistic regression on statistics."""

    labels: list[str]
    several: bool
    features: SavedStatistics


@with_config(ENTRIES)
class SavedPixelsLogistic(TypedDict):
    """A logistic regression on pixels."""

    labels: list[str]
    several: bool
    features: NoEntries


@with_config(ENTRIES)
class _SavedWordsRidge(TypedDict):
    features: SavedWords


@with_config(ENTRIES)
class _SavedGramsRidge(TypedDict):
    features: SavedGrams


@with_config(ENTRIES)
class _SavedStatisticsRidge(TypedDict):
    features: SavedStatistics


@with_config(ENTRIES)
class SavedPixelsRidge(TypedDict):
    """A ridge regression on pixels."""

    features: NoEntries


class _Linear(FittedBaseline):
    """``features @ weight + bias``, kept as arrays so that no pickle is needed to save it."""

    kind: ClassVar[type[Features]]

    def __init__(self, features: Features, weight: np.ndarray, bias: np.ndarray) -> None:
        self.features = features
        self.weight = weight
        self.bias = bias

    def outputs(self, inputs: Sequence[Any]) -> np.ndarray:
        """``(sequences, outputs)``."""
        return self.features.matrix(inputs) @ self.weight + self.bias

    def state(self) -> BaselineState:
        """The features' state and the arrays."""
        return BaselineState(
            {**self._values(), "features": dict(self.features.state().values)},
            {"weight": torch.from_numpy(self.weight), "bias": torch.from_numpy(self.bias)},
        )

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        values = dict(state.values)
        features = cls.kind.from_state(BaselineState(values.pop("features")))
        weight, bias = state.array("weight", 2), state.array("bias", 1)
        outputs = len(values.get("labels", [""]))
        if weight.shape != (features.count or len(weight), outputs) or bias.shape != (outputs,):
            raise ValueError(
                f"expected weights of {features.count} features for {outputs} outputs, got shapes "
                f"{weight.shape} and {bias.shape}"
            )
        return cls(features, weight, bias, **values)

    def _values(self) -> dict[str, Any]:
        return {}


class LogisticRegression(_Linear):
    """Multinomial logistic regression, with scikit-learn's default regularisation where nothing else is said.

    Where there may be several labels, one for each label by itself.

    Attributes:
        rounds: the most that are taken to fit it.
        freedom: scikit-learn's ``C``, the inverse of the regularisation's strength.
    """

    rounds: ClassVar[int] = 1000
    freedom: ClassVar[float] = 1.0

    def __init__(
        self,
        features: Features,
        weight: np.ndarray,
        bias: np.ndarray,
        labels: Sequence[str],
        several: bool = False,
    ) -> None:
        super().__init__(features, weight, bias)
        self.labels = list(labels)
        self.several = several

    @classmethod
    def fit(cls, inputs: Sequence[Any], targets: Sequence[Any]) -> Self:
        """Fit to the training data, which must have two classes at least, or one label."""
        features = cls.kind.fit(inputs)
        weight, bias, labels = cls.weights_of(features.matrix(inputs), targets)
        return cls(features, weight, bias, labels, several=not isinstance(targets[0], str))

    @classmethod
    def weights_of(
        cls, matrix: Any, targets: Sequence[Any], importance: Mapping[str, float] | None = None
    ) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """What fits some features.

        Args:
            matrix: ``(sequence, feature)``.
            targets: the class of each sequence, or its labels.
            importance: what an error weighs on each class, or on each label that is there.

        Returns:
            The weights ``(feature, label)``, the biases ``(label,)``, and the labels.
        """
        if isinstance(targets[0], str):
            weighed = None if importance is None else [importance[each] for each in targets]
            return cls._fitted(matrix, targets, weighed)
        labels = sorted({label for target in targets for label in target})
        found = [
            cls._of_label(matrix, [label in target for target in targets], (importance or {}).get(label, 1.0))
            for label in labels
        ]
        weight, bias = np.stack([each for each, _ in found], axis=1), np.array([each for _, each in found])
        return np.ascontiguousarray(weight), bias, labels

    @classmethod
    def _fitted(
        cls, matrix: Any, targets: Sequence[Any], weighed: Sequence[float] | None = None
    ) -> tuple[np.ndarray, np.ndarray, list[str]]:
        from sklearn import linear_model  # a second to import; loading a model can spare it
        from sklearn.exceptions import ConvergenceWarning

        method = linear_model.LogisticRegression(C=cls.freedom, max_iter=cls.rounds)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the best of so many rounds is good enough
            # As names, though there are many of them.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            fitted = method.fit(matrix, targets, sample_weight=weighed)
        weight, bias = fitted.coef_.T, fitted.intercept_
        if weight.shape[1] == 1:  # two classes: scikit-learn keeps only the second one's side
            weight, bias = np.hstack([-weight, weight]) / 2, np.hstack([-bias, bias]) / 2
        return np.ascontiguousarray(weight), bias, [str(label) for label in fitted.classes_]

    @classmethod
    def _of_label(cls, matrix: Any, there: Sequence[bool], importance: float) -> tuple[np.ndarray, float]:
        """The weights ``(features,)`` and the bias of whether a label is there; of one always there none."""
        if all(there):
            return np.zeros(matrix.shape[1]), 1.0
        weight, bias, _ = cls._fitted(matrix, there, [importance if each else 1.0 for each in there])
        return weight[:, 1] - weight[:, 0], float(bias[1] - bias[0])

    def predict(self, inputs: Sequence[Any]) -> list[Any]:
        """The most probable label of each input, or the labels that are more likely there than not."""
        outputs = self.outputs(inputs)
        if not self.several:
            return [self.labels[column] for column in outputs.argmax(axis=1)]
        return [tuple(self.labels[column] for column in np.flatnonzero(row > 0)) for row in outputs]

    def _values(self) -> dict[str, Any]:
        return {"labels": self.labels, "several": self.several}


class Ridge(_Linear):
    """Least squares with scikit-learn's default ridge penalty."""

    @classmethod
    def fit(cls, inputs: Sequence[Any], targets: Sequence[float]) -> Self:
        """Fit to the training data."""
        features = cls.kind.fit(inputs)
        return cls(features, *cls.weights_of(features.matrix(inputs), targets))

    @staticmethod
    def weights_of(matrix: Any, targets: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """What fits some features ``(sequence, feature)``: weights ``(feature, 1)`` and the bias ``(1,)``."""
        from sklearn import linear_model  # a second to import; loading a model can spare it

        numbers = np.asarray(targets, dtype=np.float64)
        unit = power_of_two(np.abs(numbers).max())  # exact, and no square of them overflows
        fitted = linear_model.Ridge().fit(matrix, numbers / unit)
        return fitted.coef_.reshape(-1, 1) * unit, np.atleast_1d(fitted.intercept_) * unit

    def predict(self, inputs: Sequence[Any]) -> np.ndarray:
        """The number for each input."""
        return self.outputs(inputs)[:, 0]


class BagOfWordsLogistic(LogisticRegression):
    """Logistic regression on word counts.

    Example:
        >>> baseline = BagOfWordsLogistic.fit([["good"], ["bad"]], ["pos", "neg"])
        >>> baseline.predict([["good", "film"]])
        ['pos']
    """

    name: ClassVar[str] = "bag-of-words logistic regression"
    Saved = SavedWordsLogistic
    unordered: ClassVar[bool] = True
    kind = BagOfWords


class SummaryLogistic(LogisticRegression):
    """Logistic regression on each channel's mean, standard deviation, first and last value."""

    name: ClassVar[str] = "summary-statistics logistic regression"
    Saved = SavedStatisticsLogistic
    unordered: ClassVar[bool] = True
    kind = SummaryStatistics


class SegmentLogistic(LogisticRegression):
    """Logistic regression on each channel's means over eight stretches of the sequence."""

    name: ClassVar[str] = "segment-means logistic regression"
    Saved = SavedStatisticsLogistic
    kind = SegmentMeans


class BagOfWordsRidge(Ridge):
    """Ridge regression on word counts."""

    name: ClassVar[str] = "bag-of-words ridge regression"
    Saved = _SavedWordsRidge
    unordered: ClassVar[bool] = True
    kind = BagOfWords


class SummaryRidge(Ridge):
    """Ridge regression on each channel's mean, standard deviation, first and last value."""

    name: ClassVar[str] = "summary-statistics ridge regression"
    Saved = _SavedStatisticsRidge
    unordered: ClassVar[bool] = True
    kind = SummaryStatistics


class SegmentRidge(Ridge):
    """Ridge regression on each channel's means over eight stretches of the sequence."""

    name: ClassVar[str] = "segment-means ridge regression"
    Saved = _SavedStatisticsRidge
    kind = SegmentMeans


class PlacedLogistic(LogisticRegression):
    """Logistic regression on which symbols there are, and on which are at which place."""

    name: ClassVar[str] = "placed-symbols logistic regression"
    Saved = SavedWordsLogistic
    kind = PlacedSymbols


class PlacedRidge(Ridge):
    """Ridge regression on which symbols there are, and on which are at which place."""

    name: ClassVar[str] = "placed-symbols ridge regression"
    Saved = _SavedWordsRidge
    kind = PlacedSymbols


class WordGramLogistic(LogisticRegression):
    """Logistic regression on the TF-IDF of words and pairs of words.

    Example:
        >>> texts = [["not", "good"], ["good"], ["so", "good"], ["not", "so", "good"]]
        >>> WordGramLogistic.fit(texts, ["neg", "pos", "pos", "neg"]).predict([["good", "film"]])
        ['pos']
    """

    name: ClassVar[str] = "TF-IDF logistic regression"
    Saved = SavedGramsLogistic
    kind = WordGrams
    freedom: ClassVar[float] = 10.0


class WordGramRidge(Ridge):
    """Ridge regression on the TF-IDF of words and pairs of words."""

    name: ClassVar[str] = "TF-IDF ridge regression"
    Saved = _SavedGramsRidge
    kind = WordGrams


class CharacterGramLogistic(LogisticRegression):
    """Logistic regression on the TF-IDF of up to four characters in a row."""

    name: ClassVar[str] = "character n-gram logistic regression"
    Saved = SavedGramsLogistic
    kind = CharacterGrams
    freedom: ClassVar[float] = 10.0


class CharacterGramRidge(Ridge):
    """Ridge regression on the TF-IDF of up to four characters in a row."""

    name: ClassVar[str] = "character n-gram ridge regression"
    Saved = _SavedGramsRidge
    kind = CharacterGrams
