"""A simple method whose score stands beside the network's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor


@dataclass(frozen=True, slots=True)
class BaselineState:
    """What a fitted baseline knows, in the two forms that a model folder holds.

    Attributes:
        values: plain JSON values.
        tensors: arrays by name.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


class Baseline(ABC):
    """A simple method, fitted on the training data with the network and saved beside it.

    So ``evaluate`` can print its score on any data without the training data at hand.
    """

    name: ClassVar[str]

    @abstractmethod
    def state(self) -> BaselineState:
        """Everything needed to build this baseline again."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: BaselineState) -> Baseline:
        """The inverse of `state`."""


class PredictingBaseline(Baseline):
    """A baseline that predicts what the task predicts, so that the same scores apply to both."""

    @abstractmethod
    def predict(self, inputs: Sequence[Any]) -> Any:
        """One prediction for each input."""
