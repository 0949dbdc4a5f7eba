"""The curves of a training run, drawn from its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unrolled.reporting.figure import MARK, MODEL, REFERENCE, colour, svg, whole_steps
from unrolled.tasks.metrics import heading
from unrolled.training.history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def loss_curve(history: History) -> str:
    """The training loss of the updates, and its mean over every epoch."""

    def draw(axes: Axes) -> None:
        updates = [record.update for record in history.updates]
        axes.plot(
            updates,
            [record.loss for record in history.updates],
            color=MODEL,
            alpha=0.35,
            lw=0.8,
            label="update",
        )
        axes.plot(
            _epoch_ends(history),
            [epoch.loss for epoch in history.epochs],
            "o-",
            ms=3,
            color=MODEL,
            label="epoch's mean",
        )
        axes.set(xlabel="update", ylabel="training loss")
        whole_steps(axes.xaxis)
        axes.legend()

    last = history.epochs[-1].loss
    return svg(
        draw, f"Training loss over {len(history.epochs)} epochs, {last:.4g} in the last one.", name="loss"
    )


def score_curves(history: History) -> list[tuple[str, str]]:
    """The dev scores over the epochs, the kept epoch marked: a caption and a drawing for each course.

    Scores that run alike are one figure: those of about the same size side by side, the others named.
    """
    courses = {
        name: np.array([epoch.scores.get(name, np.nan) for epoch in history.epochs])
        for name in history.epochs[-1].scores
    }
    groups: list[list[str]] = []
    for name, course in courses.items():
        group = next((group for group in groups if _alike(courses[group[0]], course)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return [
        _score_curve(history, {name: courses[name] for name in group}, number)
        for number, group in enumerate(groups)
    ]


_APART = 0.1
"""The share of their range that two curves may differ by and still tell the same."""


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two scores go up and down together, whatever their units."""

    def course(values: NDArray[np.float64]) -> NDArray[np.float64]:
        spread = np.nanmax(values) - np.nanmin(values)
        return (values - np.nanmin(values)) / (spread or 1.0)

    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return False
    return bool(np.abs(course(one) - course(other)).max() <= _APART)


def _score_curve(
    history: History, courses: Mapping[str, NDArray[np.float64]], number: int
) -> tuple[str, str]:
    first, *others = courses
    reach = np.nanmax(np.abs(courses[first]))
    beside = [name for name in others if 1 / 3 <= np.nanmax(np.abs(courses[name])) / (reach or 1.0) <= 3]
    named = [name for name in others if name not in beside]
    epochs = [epoch.epoch for epoch in history.epochs]

    def draw(axes: Axes) -> None:
        for place, name in enumerate([first, *beside]):
            axes.plot(epochs, courses[name], "o-", ms=3, color=colour(place), label=heading(name))
        if history.best_epoch is not None:
            axes.axvline(
                history.best_epoch, color=MARK, lw=1, ls="--", label=f"kept: epoch {history.best_epoch}"
            )
        if beside or history.best_epoch is not None:
            axes.legend()
        axes.set(xlabel="epoch", ylabel="dev score" if beside else heading(first))
        whole_steps(axes.xaxis)

    shown = " and ".join([first, *beside])
    caption = f"{shown} on the dev data" + (f"; alike: {', '.join(named)}" if named else "")
    last = ", ".join(f"{name} {course[-1]:.4g}" for name, course in courses.items())
    return caption, svg(draw, f"On the dev data after the last epoch: {last}.", name=f"score-{number}")


def gradient_curve(history: History) -> str:
    """The norm of the gradient before clipping, the clipped updates marked."""
    updates = np.array([record.update for record in history.updates])
    norms = np.array([record.gradient_norm for record in history.updates])
    clipped = np.array([record.clipped for record in history.updates], dtype=bool)

    def draw(axes: Axes) -> None:
        axes.plot(updates, norms, color=MODEL, lw=0.8, label="gradient norm")
        if clipped.any():
            axes.plot(updates[clipped], norms[clipped], ".", ms=3, color=REFERENCE, label="clipped")
        # Over less than a decade a logarithmic axis would have no number on it.
        if norms.min() > 0 and norms.max() > 20 * norms.min():
            axes.set_yscale("log")
        axes.set(xlabel="update", ylabel="gradient norm")
        whole_steps(axes.xaxis)
        axes.legend(ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0)

    return svg(
        draw, f"Gradient norm of the updates; {clipped.mean():.0%} of them were clipped.", name="gradient"
    )


def clipping_curve(history: History) -> str:
    """The share of clipped updates in every epoch."""
    shares = [100 * epoch.clipped for epoch in history.epochs]

    def draw(axes: Axes) -> None:
        axes.bar([epoch.epoch for epoch in history.epochs], shares, color=REFERENCE, width=0.7)
        axes.set(xlabel="epoch", ylabel="clipped updates, %", ylim=(0, 100))
        whole_steps(axes.xaxis)

    return svg(
        draw, f"Share of clipped updates by epoch, {shares[-1]:.0f} % in the last one.", name="clipping"
    )


def _epoch_ends(history: History) -> list[int]:
    return np.cumsum([epoch.updates for epoch in history.epochs]).tolist()
