"""A matplotlib figure as SVG inside a page.

It takes the page's text colour, scales to the page's width and says what it shows to a screen reader.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# After Okabe and Ito's palette: colour-blind readers tell these apart, on white and on black.
MODEL, REFERENCE, MARK = "#0d7fc4", "#d55e00", "#009e73"
# The page's text colour is only known to the browser: drawn in this colour, then replaced by currentColor.
_INK = "#010203"


def svg(
    draw: Callable[[Axes], None], label: str, *, name: str, size: tuple[float, float] = (5.2, 2.7)
) -> str:
    """Draws one set of axes.

    Args:
        draw: draws on the axes it is given.
        label: what the figure shows, in a sentence.
        name: unique on the page; the figure's identifiers begin with it.
        size: width and height in inches.

    Returns:
        An ``<svg>`` element without fixed width.
    """
    # Without pyplot there is no global state: nothing needs closing and no display is looked for.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.alpha": 0.18,
        "lines.linewidth": 1.6,
        "legend.frameon": False,
    } | dict.fromkeys(
        ["text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"], _INK
    )
    with rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), label, name)


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
