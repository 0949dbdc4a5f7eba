"""How far back a model uses its input, and what shuffling costs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unrolled.diagnosis import ContextCurve, Need, OrderTest
from unrolled.reporting.figure import MARK, MODEL, REFERENCE, whole_steps
from unrolled.reporting.plot import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def context_curve(curve: ContextCurve) -> Plot:
    """The loss by how many of the latest steps the model may see."""
    used = curve.used()

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(curve.steps, curve.loss, "o-", ms=3, color=MODEL)
        axes.axvline(used, color=MARK, ls="--", lw=1, label=f"enough: {used} steps")
        steps_seen(axes, curve.steps)
        axes.set_ylabel("loss")
        axes.legend()

    label = f"Loss by the number of latest steps seen; {used} are enough for nearly all of the gain."
    return Plot("context", "Context: how far back the model uses its input", label, draw)


def need(found: Need) -> Plot:
    """By how much a probe lowers the model's loss with what stood at each lag."""
    gains = [max(gain, 0.0) for gain in found.gains]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.vlines(found.lags, 0, gains, color=MODEL, lw=2)
        axes.plot(found.lags, gains, "o", ms=3, color=MODEL, label="saved by the probe")
        axes.axhline(found.least, color=MARK, ls="--", lw=1, label="from here on it counts")
        if found.lags[-1] > 50:
            axes.set_xscale("symlog", base=2, linthresh=8)
            axes.set_xlim(left=0)
            shown = [tick for tick in (0, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if tick <= found.lags[-1]]
            axes.set_xticks(shown, [f"{tick:,}" for tick in shown])
        else:
            whole_steps(axes.xaxis)
        axes.set(xlabel="steps back", ylabel=f"of the loss of {found.loss:.3g}")
        axes.set_ylim(0, 1.1 * max(*gains, found.least, 1e-12))
        axes.invert_xaxis()
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    most = "nothing that counts" if found.lag is None else f"most {found.lag} steps back"
    label = f"What a probe ({found.probe}) finds that the model misses: {most}."
    return Plot("need", "What there is to use that it does not", label, draw, (4.3, 3.6))


def steps_seen(axes: Axes, steps: Sequence[int]) -> None:
    """A horizontal axis of how many of the latest steps are seen: the more, the further back to the left."""
    from matplotlib.ticker import NullLocator

    if steps[-1] > 20 * steps[0]:
        axes.set_xscale("log", base=2)
        shown = steps[:: -(-len(steps) // 6)]
        axes.set_xticks(shown, [f"{step:,}" for step in shown])
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        whole_steps(axes.xaxis)
    axes.set_xlabel("latest steps that it may see")
    axes.invert_xaxis()


def order_test(test: OrderTest) -> Plot:
    """The loss on sequences as they are and with their steps shuffled, beside that of a constant answer."""
    bars = {"in order": (test.ordered, MODEL), "shuffled": (test.ordered + test.lost, REFERENCE)}
    if test.chance is not None:
        bars["best constant"] = (test.chance, "0.6")

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        heights = [height for height, _ in bars.values()]
        drawn = axes.barh(list(bars), heights, color=[colour for _, colour in bars.values()], height=0.6)
        axes.bar_label(drawn, fmt="{:.4g}", padding=4)
        axes.invert_yaxis()
        axes.set(xlabel="loss", xlim=(min(0.0, *heights), 1.35 * max(*heights, 1e-12)))

    label = f"Loss in order {test.ordered:.4g}, shuffled {test.ordered + test.lost:.4g}."
    return Plot("order", "Order: what shuffling the steps costs", label, draw)
