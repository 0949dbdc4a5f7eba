"""What comes of an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Exported:
    """The files, and how far they are from the original.

    Attributes:
        files: as written.
        difference: the largest of any output.
        numbers: what else was measured, such as a score, a size or a time, by name.
    """

    files: tuple[Path, ...]
    difference: float
    numbers: Mapping[str, float] = field(default_factory=dict)
