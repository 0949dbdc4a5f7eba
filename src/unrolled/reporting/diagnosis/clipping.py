"""The norms of a run's gradients beside the thresholds that suit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import ClippingUse
from unrolled.reporting.figure import MARK, MODEL, REFERENCE, whole_steps
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def clipping_norms(use: ClippingUse, norms: Sequence[float], threshold: float | None) -> Plot:
    """How often which norm occurred, with the threshold and the range suggested by the typical norm.

    Args:
        use: what they come to.
        norms: of the run's gradients before clipping.
        threshold: the norm that the run clipped at; None where it clipped otherwise or not at all.
    """
    known = np.array([norm for norm in norms if np.isfinite(norm) and norm > 0])

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        low, high = use.suggested
        axes.axvspan(low, high, color=MARK, alpha=0.15, lw=0, label="0.5 to 10 times the typical norm")
        if len(known):
            spread = (known.min(), max(known.max(), 1.01 * known.min()))
            axes.hist(known, bins=np.geomspace(*spread, 40).tolist(), color=MODEL, alpha=0.8)
        axes.axvline(use.typical, color=MODEL, lw=1.2, ls=":", label=f"typical norm: {use.typical:.3g}")
        if threshold is not None:
            axes.axvline(threshold, color=REFERENCE, lw=1.4, ls="--", label=f"threshold: {threshold:g}")
        axes.set_xscale("log")
        axes.set(xlabel="norm of the gradient before clipping", ylabel="updates")
        whole_steps(axes.yaxis)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    label = (
        f"Gradient norms of {use.updates} updates, {use.clipped:.0%} of them clipped; "
        f"a threshold from {use.suggested[0]:.3g} to {use.suggested[1]:.3g} is suggested."
    )
    return Plot("clipping", "Clipping: the norms of the updates' gradients", label, draw, (4.3, 3.6))
