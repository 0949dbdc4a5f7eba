"""The triangle as a heat map: what the loss of every step says to every earlier state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import Triangle
from unrolled.reporting.diagnosis.scales import drawable, shown_token, thinned
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DECADES = 8
_STRIP = 4
"""Losses up to which the triangle is a strip over the whole width."""
_WORDS = 14
"""Steps up to which each is labelled with what it reads."""


def triangle_map(triangle: Triangle, labels: Sequence[str], number: int = 0) -> Plot:
    """The norms of dL_t/dh_k: a row for each loss step t, a column for each step k.

    Args:
        triangle: one layer's.
        labels: what each step reads.
        number: tells the plots of several layers apart.
    """
    norms = drawable(triangle.norms)
    rows, steps = norms.shape

    def draw(figure: Figure) -> None:
        from matplotlib.colors import LogNorm

        axes = figure.add_subplot()
        axes.grid(visible=False)
        known = np.where(np.isfinite(norms) & (norms > 0), norms, np.nan)
        top = float(np.nanmax(known)) if np.isfinite(known).any() else 1.0
        scale = LogNorm(max(float(np.nanmin(known, initial=top)), top * 10**-_DECADES) / 1.001, top)
        # Below the scale is dark, not nothing: only what does not depend on the state at all is left empty.
        image = axes.imshow(
            known, norm=scale, cmap="viridis", aspect="auto", interpolation="nearest",
            extent=(-0.5, steps - 0.5, rows - 0.5, -0.5),
        )  # fmt: skip
        # Of few losses the strip is low, and has no room for more.
        low = rows <= _STRIP
        figure.colorbar(image, ax=axes, label="|dL/dh|" if low else "norm of dL(t)/dh(k)", extend="min")
        axes.set(xlabel="step k of the state", ylabel="loss at" if low else "step t of the loss")
        places = thinned(rows, 8)
        axes.set_yticks(places, [str(triangle.loss_steps[place] + 1) for place in places])
        if steps <= _WORDS and len(labels) == steps:
            axes.set_xticks(
                range(steps), list(map(shown_token, labels)), rotation=60, ha="right", rotation_mode="anchor"
            )
        else:
            places = thinned(steps, 8)
            axes.set_xticks(places, [str(place + 1) for place in places])

    label = f"Norms of the gradient of {rows} losses with respect to {steps} states."
    # One loss is a strip and not a triangle.
    height = 3.9 if rows > _STRIP else 1.6 + 0.2 * rows
    return Plot(
        f"triangle-{number}",
        f"The triangle: {triangle.layer}",
        label,
        draw,
        (4.3 if rows > _STRIP else 9.4, height),
    )
