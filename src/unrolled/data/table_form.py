"""How tables are written, where their files do not show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written; None is found out.

    Attributes:
        header: whether the first row of delimited text or of a sheet holds the columns' names.
        separator: what stands between cells: one character.
        decimal: what stands before the fraction of a number; the other mark then groups thousands.
        encoding: of the text, by Python's name.
    """

    header: bool | None = None
    separator: str | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
