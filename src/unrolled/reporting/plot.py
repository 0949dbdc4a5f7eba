"""A drawing that a page shows and a folder gets as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unrolled.reporting.figure import HALF, figure_file, figure_svg
from unrolled.saving.files import write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing.

    Attributes:
        name: short, unique on its page: the file's name without ending.
        caption: what stands above it.
        label: what it shows, in a sentence: for who cannot see it.
        draw: draws on the empty figure it is given.
        size: width and height in inches.
    """

    name: str
    caption: str
    label: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = HALF

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width of a page."""
        return self.size[0] > 6

    def svg(self) -> str:
        """As an ``<svg>`` element in the page's own colour."""
        return figure_svg(self.draw, self.label, name=self.name, size=self.size)

    def save(self, folder: str | Path, kind: Literal["svg", "png"]) -> Path:
        """As a file in ``folder``, dark on white.

        Raises:
            StorageError: it cannot be written.
        """
        content = figure_file(self.draw, kind, name=self.name, size=self.size)
        return write_file(Path(folder) / f"{self.name}.{kind}", content)
