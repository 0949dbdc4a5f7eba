"""How large the gradient is on its way back, and what of an error is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import GradientFlow, Jacobians, Triangle, WeightParts
from unrolled.reporting.diagnosis.scales import colour, drawable, logarithmic, percentage
from unrolled.reporting.figure import MARK, MODEL, REFERENCE
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def gradient_over_time(flows: Sequence[GradientFlow]) -> Plot:
    """The norm of dL/dh by distance from the end, a line for each layer and direction."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, flow in enumerate(flows):
            norm, deviation = drawable(flow.norm), drawable(flow.deviation)
            distance = np.arange(len(norm))
            axes.plot(distance, norm, color=colour(number), label=flow.layer)
            axes.fill_between(
                distance, np.maximum(norm - deviation, norm / 10), norm + deviation, color=colour(number),
                alpha=0.15, lw=0,
            )  # fmt: skip
        logarithmic(axes, [norm for flow in flows for norm in flow.norm])
        axes.set(xlabel="steps from the end of the sequence", ylabel="norm of dL/dh")
        axes.legend()

    first = flows[0].norm
    label = (
        f"Norm of the gradient of the hidden state, {first[0]:.3g} at the last step "
        f"and {first[-1]:.3g} at the first."
    )
    return Plot("gradient", "Gradient over time: how large dL/dh is at every step", label, draw, (5.2, 3.2))


def decay(
    flow: GradientFlow | None, triangle: Triangle | None, jacobians: Jacobians | None, number: int = 0
) -> Plot:
    """What is left of an error after so many steps back in one layer, with the bound over it.

    Args:
        flow: what training measured; None draws none.
        triangle: what the triangle of one sequence comes to; None draws none.
        jacobians: their products and the bound of the recurrent matrix; None draws none.
        number: tells the plots of several layers apart.
    """
    measured = [each.decay for each in (flow, triangle) if each is not None]
    if jacobians is not None:
        measured.append(jacobians.product_largest)
    lags = max(map(len, measured))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        values = [value for line in measured for value in line]
        if flow is not None:
            axes.plot(drawable(flow.decay), color=MODEL, label="mean over sequences")
        if triangle is not None:
            axes.plot(drawable(triangle.decay), color=MARK, lw=1.1, label="along one sequence")
        if jacobians is not None:
            axes.plot(
                jacobians.lags, drawable(jacobians.product_largest), color=REFERENCE, lw=1.1,
                label="product of Jacobians, largest",
            )  # fmt: skip
            _draw_bound(axes, jacobians, lags)
        axes.set(xlabel="steps back (lag)", ylabel="what is left of an error")
        logarithmic(axes, [1.0, *values], room=4)
        axes.legend(fontsize=8, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    shown = measured[0]
    label = f"What is left of an error: {percentage(shown[-1])} of it {len(shown) - 1} steps back."
    layer = next(each.layer for each in (flow, triangle, jacobians) if each is not None)
    return Plot(f"decay-{number}", f"Decay with its bound: {layer}", label, draw, (5.2, 3.2))


def _draw_bound(axes: Axes, jacobians: Jacobians, lags: int) -> None:
    """The bound by the spectral norm and, where there is one, the power of the spectral radius."""
    steps = range(lags)
    bounds = [jacobians.matrix.bound(lag) for lag in steps]
    known = [bound for bound in bounds if bound is not None]
    if len(known) < lags:
        return
    axes.plot(steps, drawable(known), color="0.5", ls="--", lw=1, label="bound $(\\gamma\\lambda)^{lag}$")
    radius = max(jacobians.matrix.spectral_radius.values())
    with np.errstate(over="ignore", under="ignore"):
        powers = np.power(float(radius), np.arange(lags))
    axes.plot(steps, drawable(powers), color="0.5", ls=":", lw=1, label="spectral radius$^{lag}$")


def jacobian_range(jacobians: Jacobians, number: int = 0) -> Plot:
    """The range of the singular values of the Jacobian of every step."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        largest, smallest = drawable(jacobians.largest), drawable(jacobians.smallest)
        axes.fill_between(jacobians.steps, smallest, largest, color=MODEL, alpha=0.2, lw=0)
        axes.plot(jacobians.steps, largest, color=MODEL, label="largest")
        axes.plot(jacobians.steps, smallest, color=MODEL, lw=0.8, label="smallest")
        axes.axhline(1, color=MARK, ls="--", lw=1, label="1: nothing is lost")
        logarithmic(axes, [1.0, *jacobians.largest, *jacobians.smallest])
        axes.set(xlabel="step", ylabel="singular values")
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    label = (
        f"Singular values of the Jacobians of single steps; the largest Lyapunov exponent is "
        f"{jacobians.largest_lyapunov:.3g}."
    )
    return Plot(f"jacobians-{number}", f"Jacobian of each step: {jacobians.layer}", label, draw)


def weight_parts(parts: WeightParts, number: int = 0) -> Plot:
    """How much of the recurrent weights' gradient came from each distance back."""
    share = np.array(parts.share)
    total = np.cumsum(share)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.bar(np.arange(len(share)), 100 * share, width=1.0, color=MODEL, alpha=0.6, label="explicit part")
        axes.plot(100 * total, color=REFERENCE, label="all parts up to here")
        axes.set(xlabel="steps back from a loss", ylabel="share of dL/dW, %", ylim=(0, 102))
        axes.legend(loc="center right")

    half = int(np.searchsorted(total, 0.5))
    label = f"Half of the gradient of the recurrent weights comes from the last {half + 1} steps."
    return Plot(f"weights-{number}", f"Where the weights' gradient comes from: {parts.layer}", label, draw)
