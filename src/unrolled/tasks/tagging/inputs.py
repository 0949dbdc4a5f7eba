"""What a tagger reads at every step: words, or numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from unrolled.data.example import Example, Examples
from unrolled.models.inputs import InputLayer
from unrolled.tasks.baselines.base import Baseline
from unrolled.tasks.tagging.config import TagConfig


class StepInputs(ABC):
    """One kind of input: how it is learned from the training data, encoded, embedded and saved.

    Attributes:
        kind: its name.
        unit: what a step is, in the plural.
        whole: what the steps make up.
    """

    kind: ClassVar[str]
    unit: ClassVar[str]
    whole: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, examples: Examples, config: TagConfig) -> Self:
        """Learn from the training data what encoding needs."""

    @abstractmethod
    def steps(self, example: Example) -> Sequence[Any]:
        """What is tagged, step by step; also what the baselines take.

        Raises:
            DataError: the input is not of this kind.
        """

    @abstractmethod
    def encode(self, example: Example) -> dict[str, np.ndarray]:
        """Arrays ``(time, ...)`` by the names that the input layer reads."""

    @abstractmethod
    def layer(self) -> InputLayer:
        """A fresh input layer."""

    @abstractmethod
    def baselines(self, train: Examples) -> Iterable[Baseline]:
        """The simple methods for this kind of input, fitted."""

    @abstractmethod
    def shown(self, example: Example) -> list[str]:
        """The steps as a report shows them."""

    @abstractmethod
    def symbol(self, token: int) -> str:
        """What a token of the input stands for."""

    @abstractmethod
    def suited(self, config: TagConfig) -> dict[str, Any]:
        """Options that suit this kind of input, where they are not asked for."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Everything that `fit` learned."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: Mapping[str, Any], config: TagConfig) -> Self:
        """The inverse of `to_json`."""
