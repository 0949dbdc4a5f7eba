"""What was measured of the error on its way back over the epochs of a training that was watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from unrolled.reporting.diagnosis.scales import drawable, logarithmic, percentage, thinned
from unrolled.reporting.figure import MODEL, colour, whole_steps
from unrolled.reporting.plot import Plot
from unrolled.training.history import LayerRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINES = 4
"""Lags that are drawn at most."""


def over_epochs(records: Sequence[LayerRecord]) -> Iterator[Plot]:
    """For every layer and direction what is left of an error, and where it has such how long units remember.

    Args:
        records: as a run's history has them; of a single epoch there is no course to be drawn.
    """
    for number, layer in enumerate(dict.fromkeys(record.layer for record in records)):
        own = [record for record in records if record.layer == layer]
        if len(own) < 2:
            continue
        yield _left(own, number)
        if any(record.memory is not None for record in own):
            yield _memory([record for record in own if record.memory is not None], number)


def _left(records: Sequence[LayerRecord], number: int) -> Plot:
    common = sorted(set.intersection(*(set(record.lags) for record in records))) or [records[0].lags[0]]
    # From the farthest on, so that it is among them.
    lags = sorted(common[::-1][place] for place in thinned(len(common), _LINES))
    epochs = [record.epoch for record in records]
    lines = {lag: [record.left[record.lags.index(lag)] for record in records] for lag in lags}

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (lag, left) in enumerate(lines.items()):
            name = "1 step back" if lag == 1 else f"{lag} steps back"
            axes.plot(epochs, drawable(left), "o-", ms=3, color=colour(place), label=name)
        logarithmic(axes, [1.0, *(value for left in lines.values() for value in left)])
        axes.set(xlabel="epoch", ylabel="what is left of an error")
        whole_steps(axes.xaxis)
        axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    first, last = lines[lags[-1]][0], lines[lags[-1]][-1]
    label = (
        f"What is left of an error {lags[-1]} steps back: {percentage(first)} in epoch {epochs[0]}, "
        f"{percentage(last)} in epoch {epochs[-1]}."
    )
    caption = f"What is left of an error, epoch by epoch: {records[0].layer}"
    return Plot(f"epochs-{number}", caption, label, draw, (4.3, 3.6))


def _memory(records: Sequence[LayerRecord], number: int) -> Plot:
    epochs = [record.epoch for record in records]
    few, half, many = (
        drawable([(record.memory or [np.nan] * 3)[at] for record in records]) for at in range(3)
    )

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.fill_between(
            epochs, few, many, color=MODEL, alpha=0.2, lw=0, label="the middle half of the units"
        )
        axes.plot(epochs, half, "o-", ms=3, color=MODEL, label="the unit in the middle")
        logarithmic(axes, [value for value in (*few, *half, *many) if isfinite(value) and value < 1e59])
        axes.set(xlabel="epoch", ylabel="time constant, steps")
        whole_steps(axes.xaxis)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    label = (
        f"The unit in the middle remembers {half[0]:.3g} steps in epoch {epochs[0]} and {half[-1]:.3g} in "
        f"epoch {epochs[-1]}."
    )
    caption = f"How long units remember, epoch by epoch: {records[0].layer}"
    return Plot(f"epochs-memory-{number}", caption, label, draw, (4.3, 3.6))
