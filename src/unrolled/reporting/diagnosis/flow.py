"""How large the gradient is on its way back, and what of an error is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.diagnosis import GradientFlow, Jacobians, Triangle, WeightParts
from unrolled.reporting.diagnosis.scales import (
    drawable,
    logarithmic,
    percentage,
    steps_back,
    where_it_leaves,
)
from unrolled.reporting.figure import MARK, MODEL, REFERENCE, colour, whole_steps
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TALL = (4.3, 3.6)
_ALIKE = 0.15
"""Orders of magnitude that two curves may be apart and still tell the same."""
_BESIDE_TOP = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0}
"""Where a legend stands that would cover what is drawn: above the frame."""


def norm_is_decay(flow: GradientFlow) -> bool:
    """Whether the norms of dL/dh tell the same as what is left of an error, so that one figure says both."""
    left = drawable(flow.decay)
    norm = drawable(flow.norm)[: len(left)]  # where few sequences are so long, it goes on by itself
    if not (np.isfinite(norm).all() and (norm > 0).all() and np.isfinite(left).all() and (left > 0).all()):
        return False
    return bool(np.abs(np.log10(norm / norm[0] / left)).max() < _ALIKE)


def gradient_over_time(flows: Sequence[GradientFlow]) -> Plot:
    """The norm of dL/dh by distance from the end, a line for each layer and direction."""

    def draw(figure: Figure) -> None:
        from matplotlib.patches import Patch

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
        axes.set_ylabel("norm of dL/dh")
        steps_back(axes, "steps back from where the reading ends")
        band = Patch(color="0.5", alpha=0.3, label="band: one standard deviation")
        axes.legend(handles=[*axes.get_lines(), band], **_BESIDE_TOP)

    first = flows[0].norm
    label = (
        f"Norm of the gradient of the hidden state, {first[0]:.3g} at the last step "
        f"and {first[-1]:.3g} at the first."
    )
    return Plot("gradient", "Gradient over time: how large dL/dh is at every step", label, draw, _TALL)


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
    # Of a loss that depends on no state nothing is left.
    measured = [each.decay for each in (flow, triangle) if each is not None and each.decay]
    if jacobians is not None:
        measured.append(jacobians.product_largest)
    lags = max(map(len, measured), default=1)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        values = [value for line in measured for value in line]
        logarithmic(axes, [1.0, *values], room=4)
        if flow is not None:
            also = " (so runs the norm of dL/dh)" if norm_is_decay(flow) else ""
            axes.plot(drawable(flow.decay), color=MODEL, label=f"mean over sequences{also}")
        if triangle is not None:
            axes.plot(drawable(triangle.decay), color=MARK, lw=1.1, label="along one sequence")
        if jacobians is not None:
            axes.plot(
                jacobians.lags, drawable(jacobians.product_largest), color=REFERENCE, lw=1.1,
                label="product of Jacobians, largest",
            )  # fmt: skip
            _draw_bound(axes, jacobians, lags)
        axes.set_ylabel("what is left of an error")
        steps_back(axes)
        axes.legend(**_BESIDE_TOP)

    shown = measured[0] if measured else (0.0,)
    label = f"What is left of an error: {percentage(shown[-1])} of it {len(shown) - 1} steps back."
    layer = next(each.layer for each in (flow, triangle, jacobians) if each is not None)
    bounded = jacobians is not None and jacobians.matrix.bound(1) is not None
    caption = f"Decay{' with its bound' if bounded else ''}: {layer}"
    return Plot(f"decay-{number}", caption, label, draw, (4.3, 4.2))


def _draw_bound(axes: Axes, jacobians: Jacobians, lags: int) -> None:
    """The bound by the spectral norm and, where there is one, the power of the spectral radius."""
    steps = range(lags)
    bounds = [jacobians.matrix.bound(lag) for lag in steps]
    known = [bound for bound in bounds if bound is not None]
    if len(known) < lags:
        return
    outside = where_it_leaves(axes, known)
    axes.plot(steps, drawable(known), color="0.5", ls="--", lw=1, label=f"bound, (γλ)^steps{outside}")
    radius = max(jacobians.matrix.spectral_radius.values())
    with np.errstate(over="ignore", under="ignore"):
        powers = np.power(float(radius), np.arange(lags))
    outside = where_it_leaves(axes, powers)
    axes.plot(steps, drawable(powers), color="0.5", ls=":", lw=1, label=f"spectral radius^steps{outside}")


def jacobian_range(jacobians: Jacobians, number: int = 0) -> Plot:
    """The range of the singular values of the Jacobian of every step."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        largest, smallest = drawable(jacobians.largest), drawable(jacobians.smallest)
        steps = [step + 1 for step in jacobians.steps]
        axes.fill_between(steps, smallest, largest, color=MODEL, alpha=0.2, lw=0, label="all between")
        axes.plot(steps, largest, color=MODEL, label="largest")
        axes.plot(steps, smallest, color=MODEL, lw=0.8, label="smallest")
        axes.axhline(1, color=MARK, ls="--", lw=1, label="1: nothing is lost")
        logarithmic(axes, [1.0, *jacobians.largest, *jacobians.smallest])
        axes.set(xlabel="step", ylabel="singular values")
        whole_steps(axes.xaxis)
        axes.legend(ncols=2, **_BESIDE_TOP)

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
        axes.set(ylabel="share of dL/dW, %", ylim=(0, 102))
        steps_back(axes, "steps back from a loss")
        axes.legend(**_BESIDE_TOP)

    half = int(np.searchsorted(total, 0.5))
    label = f"Half of the gradient of the recurrent weights comes from the last {half + 1} steps."
    return Plot(f"weights-{number}", f"Where the weights' gradient comes from: {parts.layer}", label, draw)
