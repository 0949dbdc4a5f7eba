"""Simple ways to a target without writing one: the source itself, or a target seen in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES
from unrolled.tasks.baselines.base import BaselineState, PredictingBaseline

_KEPT = 20_000
"""Training pairs that are searched at most: the model folder holds them."""
_COMPARED = 500
"""Sources that are compared at a time with all that are kept."""


@with_config(ENTRIES)
class _SavedTarget(TypedDict):
    target: str


@with_config(ENTRIES)
class _SavedPairs(TypedDict):
    sources: Annotated[list[str], Field(min_length=1)]
    targets: list[str]


class CopiedSource(PredictingBaseline):
    """Gives the source back.

    Example:
        >>> CopiedSource().predict(["12 11"])
        ['12 11']
    """

    name: ClassVar[str] = "copied source"

    def predict(self, inputs: Sequence[str]) -> list[str]:
        """The sources."""
        return list(inputs)

    def state(self) -> BaselineState:
        """Nothing."""
        return BaselineState()

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls()


class MostFrequentTarget(PredictingBaseline):
    """Gives the target seen most often in training; of equally frequent ones the first in the alphabet.

    Example:
        >>> MostFrequentTarget.fit(["yes", "no", "yes"]).predict(["why"])
        ['yes']
    """

    name: ClassVar[str] = "frequent target"
    Saved = _SavedTarget
    unordered: ClassVar[bool] = True

    def __init__(self, target: str) -> None:
        self.target = target

    @classmethod
    def fit(cls, targets: Sequence[str]) -> Self:
        """Count the targets of the training data."""
        counts = Counter(targets)
        return cls(min(counts, key=lambda target: (-counts[target], target)))

    def predict(self, inputs: Sequence[Any]) -> list[str]:
        """The target, once for each source."""
        return [self.target] * len(inputs)

    def state(self) -> BaselineState:
        """The target."""
        return BaselineState({"target": self.target})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        return cls(state.values["target"])


class NearestSource(PredictingBaseline):
    """Gives the target of the training source that is most like the one at hand.

    Alike are sources that share rare words, and rare pairs of neighbouring words: the cosine of their TF-IDF
    vectors; of characters where sources have no spaces. The first of equally near ones is taken.

    Example:
        >>> baseline = NearestSource.fit(["how are you", "where is it"], ["well", "there"])
        >>> baseline.predict(["where are they", "where is she"])
        ['well', 'there']
    """

    name: ClassVar[str] = "nearest source"
    Saved = _SavedPairs

    def __init__(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        self.sources = list(sources)
        self.targets = list(targets)

    @classmethod
    def fit(cls, sources: Sequence[str], targets: Sequence[str]) -> Self:
        """Keep the training data, or so many pairs spread evenly over it."""
        places = np.linspace(0, len(sources) - 1, min(len(sources), _KEPT)).astype(int)
        kept: list[int] = np.unique(places).tolist()
        return cls([sources[row] for row in kept], [targets[row] for row in kept])

    def predict(self, inputs: Sequence[str]) -> list[str]:
        """The target of the nearest source, for each source."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        spaced = any(" " in source for source in self.sources)
        options: dict[str, Any] = (
            {"token_pattern": r"\S+", "ngram_range": (1, 2)}
            if spaced
            else {"analyzer": "char", "ngram_range": (1, 3)}
        )
        vectorizer = TfidfVectorizer(**options)
        known = vectorizer.fit_transform(self.sources).T.tocsr()
        given = vectorizer.transform(inputs)
        nearest = [
            np.asarray((given[start : start + _COMPARED] @ known).argmax(axis=1)).ravel()
            for start in range(0, len(inputs), _COMPARED)
        ]
        return [self.targets[row] for row in np.concatenate(nearest)] if nearest else []

    def state(self) -> BaselineState:
        """The pairs."""
        return BaselineState({"sources": self.sources, "targets": self.targets})

    @classmethod
    def from_state(cls, state: BaselineState) -> Self:
        """The inverse of `state`."""
        if len(state.values["sources"]) != len(state.values["targets"]):
            raise ValueError("expected a target for each source")
        return cls(state.values["sources"], state.values["targets"])
