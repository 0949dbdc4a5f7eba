"""What a classifier reads, whatever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.models.inputs import InputLayer
from unrolled.tasks.baselines.linear import LogisticRegression, Ridge
from unrolled.tasks.classification.config import ClassifyConfig

LinearBaselines = tuple[type[LogisticRegression], type[Ridge]]


class Inputs(ABC):
    """One kind of input: how it is learned from the training data, encoded, embedded and saved.

    Attributes:
        kind: its name.
        linear: the linear models of it that stand beside the network, for classes and for numbers.
        notes: what `fit` decided, in sentences for the user.
    """

    kind: ClassVar[str]
    linear: ClassVar[LinearBaselines]
    notes: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def fit(cls, examples: Examples, config: ClassifyConfig) -> Self:
        """Learn from the training data what encoding needs."""

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """For each example arrays ``(time, ...)`` by the names that the input layer reads.

        Raises:
            DataError: an input is not of this kind.
        """

    @abstractmethod
    def layer(self, config: ClassifyConfig) -> InputLayer:
        """A fresh input layer."""

    @abstractmethod
    def simple(self, examples: Sequence[Example]) -> list[Any]:
        """The inputs in the form that the baselines take."""

    @abstractmethod
    def shown(self, example: Example) -> str:
        """The input in a few words, for a report."""

    @abstractmethod
    def suited(self) -> dict[str, Any]:
        """Options that suit this kind of input or that the data settled, where they are not asked for."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Everything that `fit` learned."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: Mapping[str, Any], config: ClassifyConfig) -> Self:
        """The inverse of `to_json`."""
