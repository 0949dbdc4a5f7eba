"""What the drawings share: axes of steps back, and over many orders of magnitude."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.reporting.figure import whole_steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DECADES = 12
"""Orders of magnitude below the largest number that are shown: what lies deeper is nothing to a float32."""

_LARGEST = 1e60
"""Beyond it an error has exploded, whatever its size, and a drawing's own sums would overflow."""


def drawable(values: ArrayLike) -> NDArray[np.float64]:
    """Numbers as far as a drawing can hold them.

    Example:
        >>> drawable([0.5, float("inf"), float("nan")])
        array([5.e-01, 1.e+60,    nan])
    """
    return np.minimum(np.asarray(values, dtype=np.float64), _LARGEST)


def logarithmic(axes: Axes, values: Iterable[float], *, room: float = 2.0) -> None:
    """Give the vertical axis a logarithmic scale that holds ``values`` as far as they matter.

    What is zero, not finite, or `DECADES` below the largest is cut off. Over less than a decade the axis
    stays linear, since a logarithmic one would have no number on it.
    """
    shown = [min(value, _LARGEST) for value in values if isfinite(value) and value > 0]
    if not shown:
        return
    top = max(shown)
    bottom = max(min(shown), top * 10**-DECADES)
    if top < 10 * bottom:
        from matplotlib.ticker import FuncFormatter

        axes.set_ylim(0, 1.1 * top)
        # A power of ten written once over the axis would lie on what stands above it.
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
        return
    axes.set_yscale("log")
    axes.set_ylim(bottom / room, top * room)


def steps_back(axes: Axes, label: str = "steps back from the loss") -> None:
    """A horizontal axis of steps back, drawn as time runs: the loss on the right, the past to its left."""
    axes.set_xlabel(label)
    whole_steps(axes.xaxis)
    axes.invert_xaxis()


def where_it_leaves(axes: Axes, values: ArrayLike) -> str:
    """Where a line leaves the frame, for its legend; nothing where it does not.

    Args:
        axes: with the limits that they keep.
        values: of the line, from lag 0 on.
    """
    low, high = sorted(axes.get_ylim())
    line = np.asarray(values, dtype=np.float64)
    for beyond, side in ((line > high, "above"), (line < low, "below")):
        if beyond.any():
            return f", {side} the frame from step {int(beyond.argmax())} on"
    return ""


def percentage(share: float) -> str:
    """A share in words that stay honest for very small ones.

    Example:
        >>> percentage(0.221), percentage(0.004), percentage(3e-9)
        ('22 %', '0.4 %', '3e-07 %')
    """
    percent = 100 * share
    if percent >= 1 or percent == 0:
        return f"{percent:.0f} %"
    return f"{percent:.1f} %" if percent >= 0.1 else f"{percent:.0e} %"


def thinned(count: int, most: int) -> Sequence[int]:
    """At most ``most`` of ``count`` places, evenly spaced from the first on.

    Example:
        >>> list(thinned(10, 4))
        [0, 3, 6, 9]
    """
    return range(0, count, max(1, -(-count // most)))


def shown_token(label: str) -> str:
    """What a step read, short enough to stand under it.

    Example:
        >>> shown_token("incomprehensible")
        'incomprehen…'
    """
    return label if len(label) <= 12 else f"{label[:11]}…"
