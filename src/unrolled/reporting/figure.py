"""A matplotlib figure as SVG inside a page, or as a file.

On a page it takes the page's text colour, scales to its width, but never so far that a label cannot be read,
and tells a screen reader what it shows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from math import ceil, log10
from typing import TYPE_CHECKING, Any, Literal

from unrolled.inspection.fonts import any_characters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# After Okabe and Ito's palette: colour-blind readers tell these apart, on white and on black.
MODEL, REFERENCE, MARK = "#0d7fc4", "#d55e00", "#009e73"
COLOURS = (MODEL, REFERENCE, MARK, "#b3689a", "#8a6d00", "#3aa0d8")
# The page's text colour is only known to the browser: drawn in this colour, then replaced by currentColor.
_INK = "#010203"
HALF, WHOLE = (4.3, 2.9), (9.4, 3.3)
"""Width and height in inches of a figure that fits a phone, and of one for a page's whole width."""
_FONT = 10.5
_LEAST = 11
"""CSS pixels that a label has at least, however narrow the page is."""
_DOTS_PER_INCH = 160


def svg(draw: Callable[[Axes], None], label: str, *, name: str, size: tuple[float, float] = HALF) -> str:
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
    draw: Callable[[Figure], None], label: str, *, name: str, size: tuple[float, float] = HALF
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
        "text.parse_math": False,  # a dollar sign in a label is one
        "font.family": "sans-serif",
        "font.size": _FONT,
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
        _write_powers_in_one_size(figure)
        return _saved(figure, kind)


def colour(number: int) -> str:
    """The colour of the ``number``-th line.

    Example:
        >>> colour(0) == colour(6)
        True
    """
    return COLOURS[number % len(COLOURS)]


def whole_steps(axis: Axis) -> None:
    """Ticks of an axis of steps, epochs or updates at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1))


def power(value: float) -> str:
    """A power of ten as an axis shows it, the exponent in characters of its own and not in small print.

    Example:
        >>> power(0.01), power(1000), power(1e-12)
        ('0.01', '1,000', '10⁻¹²')
    """
    exponent = round(log10(value)) if value > 0 else 0
    if -3 <= exponent <= 4:
        return f"{value:,.10g}"
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    factor = value / 10.0**exponent
    return f"10{digits}" if abs(factor - 1) < 1e-6 else f"{factor:g}·10{digits}"


def _write_powers_in_one_size(figure: Figure) -> None:
    """The labels of logarithmic axes: matplotlib's own set exponents in print too small for a phone."""
    from matplotlib.ticker import FuncFormatter, LogFormatter, NullFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() != "log":
                continue
            if isinstance(axis.get_major_formatter(), LogFormatter):
                axis.set_major_formatter(FuncFormatter(lambda value, _: power(value)))
            if isinstance(axis.get_minor_formatter(), LogFormatter):
                axis.set_minor_formatter(NullFormatter())


def _saved(figure: Figure, kind: Literal["svg", "png"]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    canvas = FigureCanvasSVG(figure) if kind == "svg" else FigureCanvasAgg(figure)
    with any_characters():
        # Laid out once, in the canvas's own unit, and written by it: savefig would draw everything twice.
        if (engine := figure.get_layout_engine()) is not None:
            figure.set_dpi(canvas.fixed_dpi or _DOTS_PER_INCH)
            engine.execute(figure)
            figure.set_layout_engine("none")
        figure.set_dpi(_DOTS_PER_INCH)
        if isinstance(canvas, FigureCanvasSVG):
            canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
        else:
            canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _inline(document: str, label: str, name: str) -> str:
    drawing = document[document.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bid="', f'id="{name}-', drawing)
    drawing = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", drawing)
    least = f'style="min-width: {_least_width(drawing)}px"'
    said = f'role="img" aria-label="{escape(label)}" {least} {_NAMESPACES}'
    drawing = re.sub(
        r'<svg[^>]*?(viewBox="[^"]*")[^>]*>', lambda found: f"<svg {found[1]} {said}>", drawing, count=1
    )
    return drawing.replace(_INK, "currentColor").strip()


def _least_width(drawing: str) -> int:
    """The width in pixels at which the smallest label can just be read; in less the figure scrolls."""
    width = float(re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', drawing)[1])  # type: ignore[index]
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:[a-z]+ )*([\d.]+)px", drawing)]
    return ceil(width * _LEAST / min(sizes, default=_FONT))


_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
