"""What a task reads, whatever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor, nn

from unrolled.data.example import Example, Examples
from unrolled.models.inputs import InputLayer
from unrolled.models.one_to_many import Perception
from unrolled.tasks.baselines.base import Baseline, FittedBaseline
from unrolled.tasks.baselines.frequent_tag import MostFrequentTag
from unrolled.tasks.baselines.steps import MajorityTag, StepLogistic
from unrolled.tasks.inputs.schema import InputSchema
from unrolled.tasks.stream_state import ArrayForm


class InputKind(ABC):
    """One kind of input: how it is learned from the training data, encoded, saved and shown.

    Attributes:
        kind: its name.
        notes: what `fit` decided, in sentences for the user.
    """

    kind: ClassVar[str]
    Saved: ClassVar[Any] = dict[str, Any]
    """What `to_json` gives, as `unrolled.saving.schema.conforming` takes it."""
    notes: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def fit(cls, examples: Examples, config: Any) -> Self:
        """Learn from the training data what encoding needs.

        Args:
            examples: the training data.
            config: the task's, which has the options of this kind; see `unrolled.tasks.inputs.options`.
        """

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """For each example arrays ``(time, ...)`` by the names that the network's first layer reads.

        Raises:
            DataError: an input is not of this kind.
        """

    @abstractmethod
    def shown(self, example: Example) -> Any:
        """The input for a report: in a few words, or step by step."""

    @abstractmethod
    def schema(self) -> InputSchema:
        """What is handed over for a prediction."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Everything that `fit` learned."""

    @classmethod
    @abstractmethod
    def from_json(cls, value: Mapping[str, Any], config: Any) -> Self:
        """The inverse of `to_json`."""

    @property
    def described(self) -> str:
        """What it is, for a person."""
        return self.kind

    def settled(self) -> dict[str, Any]:
        """Options that the training data settled, by which later data is read."""
        return {}

    def seen(self, example: Example) -> tuple[str, ...]:
        """What of an input training must have seen."""
        return ()


class StepsKind(InputKind):
    """A kind that is read step by step, for one output or for one a step.

    Attributes:
        unit: what a step is, in the plural.
        whole: what the steps make up.
        simple_classifiers: the simple methods that stand beside a network that gives a whole input a class.
        simple_regressors: those beside one that gives it a number.
        pairs: whether an input is two sequences, one after the other.
        streams: whether what a step becomes does not depend on the steps after it, nor, but for what is
            carried, on those before.
        symbols: the array of those that a direct connection reads, and how many in a row; None where it
            reads none.
    """

    unit: str = "steps"
    whole: str = "sequence"
    simple_classifiers: tuple[type[FittedBaseline], ...]
    simple_regressors: tuple[type[FittedBaseline], ...]
    streams: bool = False
    pairs: bool = False
    symbols: tuple[str, int] | None = None

    @abstractmethod
    def layer(self, config: Any) -> InputLayer:
        """A fresh input layer: one vector a step."""

    @abstractmethod
    def summaries(self, examples: Sequence[Example]) -> list[Any]:
        """The whole inputs in the form that the simple methods take."""

    @abstractmethod
    def steps(self, example: Example) -> Sequence[Any]:
        """An input step by step, in the form that `step_baselines` take."""

    @abstractmethod
    def step_baselines(self, train: Examples) -> Iterable[Baseline]:
        """The simple methods that give every step a tag, fitted."""

    def networks(self) -> dict[str, nn.Module]:
        """The networks that make what is encoded, which are not trained, by name; saved with the model."""
        return {}

    def load_networks(self, weights: Mapping[str, Tensor]) -> None:
        """Take up the saved weights of `networks`, named ``network.weight``."""

    def carried(self) -> dict[str, ArrayForm]:
        """What encoding goes on from in a stream, by name."""
        return {}

    def encode_on(
        self, example: Example, before: Mapping[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """As `encode`, of one more piece of an input that is read as a stream.

        Args:
            example: the piece.
            before: what is carried; nothing at the beginning.

        Returns:
            The arrays of the piece, and what is carried after it.
        """
        return self.encode([example])[0], {}

    def suited(self, examples: Examples, config: Any) -> dict[str, Any]:
        """Options that suit so many inputs of this kind, where they are not asked for."""
        return {}

    def label(self, token: int) -> str:
        """What a token of the network's input stands for."""
        return str(token)


class PerceivedKind(InputKind):
    """A kind that is perceived as a whole, for a text to be written.

    Attributes:
        likelihood: whether the score to watch is the text's probability, because many texts are right.
    """

    likelihood: ClassVar[bool] = False

    @abstractmethod
    def perception(self, config: Any) -> Perception:
        """A fresh network that reads the input."""

    @abstractmethod
    def vectors(self, examples: Sequence[Example]) -> list[np.ndarray]:
        """A vector for each input, in which near inputs are alike, for the baselines."""


def symbol_baselines(steps: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> Iterable[Baseline]:
    """What can be said of a step from its symbol alone."""
    yield MostFrequentTag.fit(steps, tags)


def number_baselines(
    steps: Sequence[Sequence[np.ndarray]], tags: Sequence[Sequence[str]]
) -> Iterable[Baseline]:
    """The most frequent tag of all, and a linear model of every step alone."""
    yield MajorityTag.fit(tags)
    if len({tag for row in tags for tag in row}) > 1:
        yield StepLogistic.fit(steps, tags)
