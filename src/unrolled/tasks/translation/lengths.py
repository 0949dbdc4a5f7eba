"""How long sources and targets are in training, and how long a target may get from that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.data.buckets import Encoded
from unrolled.saving.schema import ENTRIES, Count, Finite

_SPARE = 10


@with_config(ENTRIES)
class SavedLengths(TypedDict):
    """A `Lengths` in a model folder."""

    source: Count
    target: Count
    ratio: Annotated[Finite, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the lengths of the training data were, in symbols without ends.

    Attributes:
        source: of the longest source.
        target: of the longest target.
        ratio: the largest of a target over its source.
    """

    source: int
    target: int
    ratio: float

    @classmethod
    def of(cls, items: Sequence[Encoded]) -> Self:
        """Measure the training data; its sequences hold an end each."""
        pairs = [(len(item) - 1, len(item.target) - 1) for item in items]
        return cls(
            max(source for source, _ in pairs),
            max(target for _, target in pairs),
            max(target / max(1, source) for source, target in pairs),
        )

    def limit(self, source: int) -> int:
        """The most symbols to write, the end included: in proportion, but not far beyond what was seen.

        Example:
            >>> lengths = Lengths(source=10, target=30, ratio=5.0)
            >>> lengths.limit(4), lengths.limit(100)
            (30, 70)
        """
        return min(math.ceil(self.ratio * source), 2 * self.target) + _SPARE
