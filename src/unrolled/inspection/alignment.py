"""The picture of an alignment: the target from top to bottom, the source from left to right."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.inspection.fonts import any_characters
from unrolled.saving.files import make_folder, write_file

if TYPE_CHECKING:
    from unrolled.tasks.writing.alignment import Alignment

_CELL = 0.34
"""Inches of a symbol's row or column."""
_LARGEST = 40.0
"""Inches of a side beyond which cells get smaller."""


def save_alignment(alignment: Alignment, path: str | Path) -> Path:
    """Draw the weights in shades of grey into an image file, white for 0 and black for 1.

    Raises:
        StorageError: the file cannot be written.
    """
    # Without pyplot there is no global state: nothing needs closing and no display is looked for.
    from matplotlib.figure import Figure

    target = Path(path)
    rows, columns = alignment.weights.shape
    width, height = (min(_LARGEST, _CELL * count) + 1.6 for count in (columns, rows))
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.imshow(alignment.weights, cmap="Greys", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(columns), [_shown(symbol) for symbol in alignment.source], rotation=90)
    axes.set_yticks(range(rows), [_shown(symbol) for symbol in alignment.target])
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, labelsize=8)
    buffer = io.BytesIO()
    with any_characters():
        figure.savefig(buffer, format=target.suffix.lower()[1:] or "png", dpi=120)
    make_folder(target.parent)
    return write_file(target, buffer.getvalue())


def _shown(symbol: str) -> str:
    """A symbol as a label: spaces are seen, and a dollar sign is no formula."""
    text = symbol.strip() or {"\n": "↵"}.get(symbol, "␣")
    return text.replace("$", r"\$")
