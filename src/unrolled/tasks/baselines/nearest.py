"""The text of the training input that is nearest to the one at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
import torch
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline

_KEPT = 5_000
"""Training inputs that are searched at most: the model folder holds them."""
_COMPARED = 500
"""Inputs that are compared at a time with all that are kept."""


@with_config(ENTRIES)
class _Saved(TypedDict):
    targets: Annotated[list[str], Field(min_length=1)]


class NearestVector(PredictingBaseline):
    """Gives the target of the nearest training input, by the distance of their vectors.

    Example:
        >>> vectors = [np.array([0.0, 0.0]), np.array([1.0, 1.0])]
        >>> NearestVector.fit(vectors, ["dark", "light"]).predict([np.array([0.6, 0.9])])
        ['light']
    """

    name: ClassVar[str] = "nearest input's text"
    Saved = _Saved

    def __init__(self, vectors: np.ndarray, targets: Sequence[str]) -> None:
        self.vectors = vectors
        self.targets = list(targets)

    @classmethod
    def fit(cls, inputs: Sequence[np.ndarray], targets: Sequence[str]) -> Self:
        """Keep the training data, or so many inputs spread evenly over it."""
        spread = np.linspace(0, len(inputs) - 1, min(len(inputs), _KEPT)).astype(int)
        places: list[int] = np.unique(spread).tolist()
        vectors = np.stack([inputs[row] for row in places]).astype(np.float32)
        return cls(vectors, [targets[row] for row in places])

    def predict(self, inputs: Sequence[np.ndarray]) -> list[str]:
        """The target of the nearest vector, for each input; of equally near ones the first."""
        squares = np.square(self.vectors).sum(axis=1)
        nearest: list[int] = []
        for start in range(0, len(inputs), _COMPARED):
            given = np.stack(inputs[start : start + _COMPARED]).astype(np.float32)
            nearest += (squares - 2 * given @ self.vectors.T).argmin(axis=1).tolist()
        return [self.targets[row] for row in nearest]

    def state(self) -> BaselineState:
        """The vectors and their targets."""
        return BaselineState({"targets": self.targets}, {"vectors": torch.from_numpy(self.vectors)})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        vectors, targets = state.array("vectors", 2), state.values["targets"]
        if len(vectors) != len(targets):
            raise ValueError(f"expected a target for each of {len(vectors)} vectors, got {len(targets)}")
        return cls(vectors, targets)
