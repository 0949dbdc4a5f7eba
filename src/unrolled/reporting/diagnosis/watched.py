"""What a watch has seen, as a page, as one figure, and as a notebook shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unrolled.diagnosis import GradientFlow, Watch
from unrolled.reporting.diagnosis.flow import decay, gradient_over_time
from unrolled.reporting.diagnosis.gates import gate_strips, time_constants
from unrolled.reporting.pages import rendered
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INCHES = 3.8
"""The height of a figure, and of each plot in it about the width."""


def watched_page(watched: Watch) -> str:
    """The page's HTML: one file that needs no network."""
    return rendered("watched", **_shown(watched), flow=list(_flow_plots(watched)), gates=_gate_plots(watched))


def watched_fragment(watched: Watch) -> str:
    """The same in short, as part of a page: the verdict and how the gradient flows."""
    return rendered("watched_fragment", **_shown(watched), flow=list(_flow_plots(watched))[:2])


def watched_figure(watched: Watch) -> Figure:
    """The gradient over time, and of each layer and direction what is left of an error, side by side."""
    from matplotlib.figure import Figure

    plots = list(_flow_plots(watched))
    figure = Figure(figsize=(1.1 * _INCHES * max(1, len(plots)), _INCHES), layout="constrained")
    for plot, part in zip(plots, figure.subfigures(1, max(1, len(plots)), squeeze=False)[0], strict=False):
        plot.draw(part)
        part.suptitle(plot.caption, fontsize=9)
    return figure


def _shown(watched: Watch) -> dict[str, object]:
    verdict = watched.verdict()
    return {
        "title": f"The gradient's flow through {watched.name}",
        "updates": max((flow.updates for flow in watched.flows()), default=0),
        "verdict": verdict,
        "worrying": verdict.kind != "healthy",
        "unseen": watched.unseen,
    }


def _flow_plots(watched: Watch) -> Iterator[Plot]:
    flows = watched.flows()
    if flows:
        yield gradient_over_time(flows)
    for number, flow in enumerate(flows):
        if _has_gains(flow):
            yield decay(flow, None, None, number)


def _gate_plots(watched: Watch) -> list[Plot]:
    plots = []
    for number, gates in enumerate(watched.gates()):
        plots.append(gate_strips(gates, (), number))
        constants = time_constants(gates, len(next(iter(gates.gates.values())).strip), number)
        if constants is not None:
            plots.append(constants)
    return plots


def _has_gains(flow: GradientFlow) -> bool:
    return any(gain == gain for gain in flow.gain)
