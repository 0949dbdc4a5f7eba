"""The curves of a training run, drawn from its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.reporting.figure import MARK, MODEL, REFERENCE, svg
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
        axes.legend()

    last = history.epochs[-1].loss
    return svg(
        draw, f"Training loss over {len(history.epochs)} epochs, {last:.4g} in the last one.", name="loss"
    )


def score_curves(history: History) -> list[tuple[str, str]]:
    """For every dev score its name and its curve over the epochs, the kept epoch marked."""
    return [
        (name, _score_curve(history, name, number)) for number, name in enumerate(history.epochs[-1].scores)
    ]


def _score_curve(history: History, name: str, number: int) -> str:
    scored = [(epoch.epoch, epoch.scores[name]) for epoch in history.epochs if name in epoch.scores]

    def draw(axes: Axes) -> None:
        axes.plot(*zip(*scored, strict=True), "o-", ms=3, color=MODEL)
        if history.best_epoch is not None:
            axes.axvline(
                history.best_epoch, color=MARK, lw=1, ls="--", label=f"kept: epoch {history.best_epoch}"
            )
            axes.legend()
        axes.set(xlabel="epoch", ylabel=f"dev {name}")
        _whole_numbers(axes)

    return svg(
        draw, f"{name} on the dev data, {scored[-1][1]:.4g} after the last epoch.", name=f"score-{number}"
    )


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
            axes.yaxis.set_minor_formatter("")
        axes.set(xlabel="update", ylabel="gradient norm")
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
        _whole_numbers(axes)

    return svg(
        draw, f"Share of clipped updates by epoch, {shares[-1]:.0f} % in the last one.", name="clipping"
    )


def _epoch_ends(history: History) -> list[int]:
    return np.cumsum([epoch.updates for epoch in history.epochs]).tolist()


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
