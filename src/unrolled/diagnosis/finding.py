"""What one judge finds: a ground for the verdict, and where it decides, the verdict itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from unrolled.diagnosis.evidence import Evidence
from unrolled.diagnosis.remedy import Remedy

Kind = Literal[
    "cannot be measured",
    "diverged",
    "exploding",
    "vanishing",
    "short-sighted",
    "saturated or dead",
    "order not used",
    "order not needed",
    "healthy",
    "undecided",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a judge finds.

    Attributes:
        ground: what its evidence says, in a sentence; empty where it has none.
        numbers: those behind it, by name.
        kind: the verdict, where this evidence decides it.
        sentence: that verdict in a sentence.
        remedies: what to do about it, the most promising first.
    """

    ground: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    kind: Kind | None = None
    sentence: str = ""
    remedies: tuple[Remedy, ...] = ()


Judge = Callable[[Evidence], Finding]
