"""A simple method whose score stands beside the network's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import with_config
from torch import Tensor
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES

_TYPES = {"float": (torch.float32, torch.float64), "int": (torch.int32, torch.int64)}


@with_config(ENTRIES)
class NoEntries(TypedDict):
    """What a baseline keeps in JSON that keeps nothing there."""


@dataclass(frozen=True, slots=True)
class BaselineState:
    """What a fitted baseline knows, in the two forms that a model folder holds.

    Attributes:
        values: plain JSON values.
        tensors: arrays by name.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    def array(self, name: str, axes: int, kind: Literal["float", "int"] = "float") -> np.ndarray:
        """A tensor as an array, once it is as it should be.

        Args:
            name: its name.
            axes: how many it has.
            kind: what it holds: finite numbers, or whole ones from 0.

        Raises:
            ValueError: it is missing, or is another.
        """
        if name not in self.tensors:
            raise ValueError(f"expected a tensor {name!r}, found none")
        tensor = self.tensors[name]
        good = tensor.dtype in _TYPES[kind] and tensor.dim() == axes
        if not good or not (tensor.isfinite() if kind == "float" else tensor >= 0).all():
            raise ValueError(
                f"expected {'finite' if kind == 'float' else 'whole'} numbers of {axes} axes in {name!r}, "
                f"got {tensor.dtype} of shape {tuple(tensor.shape)}, or numbers that are none"
            )
        return tensor.numpy()


class Baseline(ABC):
    """A simple method, fitted on the training data with the network and saved beside it.

    So ``evaluate`` can print its score on any data without the training data at hand.
    """

    name: ClassVar[str]
    Saved: ClassVar[Any] = NoEntries
    """What its entries in a model folder must be, as `unrolled.saving.schema.conforming` takes it."""
    unordered: ClassVar[bool] = False
    """Whether it makes the same of a sequence whatever the order of its steps, but perhaps of its ends."""

    @abstractmethod
    def state(self) -> BaselineState:
        """Everything needed to build this baseline again."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: BaselineState) -> Baseline:
        """The inverse of `state`, whose values are as `Saved` says.

        Raises:
            ValueError: its parts do not fit each other.
        """


class PredictingBaseline(Baseline):
    """A baseline that predicts what the task predicts, so that the same scores apply to both."""

    @abstractmethod
    def predict(self, inputs: Sequence[Any]) -> Any:
        """One prediction for each input."""


class FittedBaseline(PredictingBaseline):
    """A baseline that learns from whole inputs what is to be predicted of each."""

    @classmethod
    @abstractmethod
    def fit(cls, inputs: Sequence[Any], targets: Sequence[Any]) -> Self:
        """Learn from the training data.

        Args:
            inputs: as `predict` takes them.
            targets: the label, or the number, of each.
        """
