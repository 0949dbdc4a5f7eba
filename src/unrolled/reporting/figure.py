"""A matplotlib figure as SVG inside a page, or as a file.

On a page it takes the page's text colour, scales to its width and tells a screen reader what it shows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# After Okabe and Ito's palette: colour-blind readers tell these apart, on white and on black.
MODEL, REFERENCE, MARK = "#0d7fc4", "#d55e00", "#009e73"
# The page's text colour is only known to the browser: drawn in this colour, then replaced by currentColor.
_INK = "#010203"
_SIZE = (5.2, 2.7)
_DOTS_PER_INCH = 160


def svg(draw: Callable[[Axes], None], label: str, *, name: str, size: tuple[float, float] = _SIZE) -> str:
    """Draws one set of axes.

    Args:
        draw: draws on the axes it is given.
        label: what the figure shows, in a sentence.
        name: unique on the page; the figure's identifiers begin with it.
        size: width and height in inches.

    Returns:
        An ``<svg>`` element without fixed width.
    """
    return figure_svg(lambda figure: draw(figure.add_subplot()), label, name=name, size=size)


def figure_svg(
    draw: Callable[[Figure], None], label: str, *, name: str, size: tuple[float, float] = _SIZE
) -> str:
    """As `svg`, for a figure of several sets of axes: ``draw`` is given the empty figure."""
    return _inline(_rendered(draw, size, "svg", name, ink=_INK, paper="none").decode(), label, name)


def figure_file(
    draw: Callable[[Figure], None], kind: Literal["svg", "png"], *, name: str, size: tuple[float, float]
) -> bytes:
    """The same figure as a file of its own: dark on white."""
    return _rendered(draw, size, kind, name, ink="#1c2128", paper="white")


def page_svg(figure: Figure, label: str, *, name: str) -> str:
    """A figure that was drawn elsewhere, with its own colours, as an ``<svg>`` element."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        return _inline(_saved(figure, "svg").decode(), label, name)


def _rendered(
    draw: Callable[[Figure], None],
    size: tuple[float, float],
    kind: Literal["svg", "png"],
    name: str,
    *,
    ink: str,
    paper: str,
) -> bytes:
    # Without pyplot there is no global state: nothing needs closing and no display is looked for.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 9,
        "figure.facecolor": paper,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.alpha": 0.18,
        "lines.linewidth": 1.6,
        "legend.frameon": False,
    } | dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"], ink
    )
    with rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        return _saved(figure, kind)


def _saved(figure: Figure, kind: Literal["svg", "png"]) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    figure.savefig(buffer, format=kind, dpi=_DOTS_PER_INCH if kind == "png" else "figure", metadata=metadata)
    return buffer.getvalue()


def _inline(document: str, label: str, name: str) -> str:
    drawing = document[document.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bid="', f'id="{name}-', drawing)
    drawing = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", drawing)
    drawing = re.sub(
        r'<svg[^>]*?(viewBox="[^"]*")[^>]*>',
        rf'<svg \1 role="img" aria-label="{escape(label)}" {_NAMESPACES}>',
        drawing,
        count=1,
    )
    return drawing.replace(_INK, "currentColor").strip()


_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
