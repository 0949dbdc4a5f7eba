"""The room that draws: above this one, and asked only once somebody wants to see something."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unrolled.diagnosis.watching import Watch


class Drawing(Protocol):
    """How what a watch has seen is shown."""

    def watched_page(self, watched: Watch) -> str:
        """As the HTML of a page."""
        ...

    def watched_fragment(self, watched: Watch) -> str:
        """As HTML within a page."""
        ...

    def watched_figure(self, watched: Watch) -> Figure:
        """As a figure."""
        ...


def drawing() -> Drawing:
    """What draws; it imports this room, which knows of it by name alone."""
    return cast(Drawing, importlib.import_module("unrolled.reporting.diagnosis.watched"))
