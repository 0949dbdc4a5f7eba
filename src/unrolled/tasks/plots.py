"""What `plot()` draws in a notebook: a training run, an evaluation, a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unrolled.tasks.evaluation import Evaluation
from unrolled.training.history import History

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_KNOWN = 3
"""Times as many known steps as are forecast stand before a forecast."""


def new_axes(ax: Axes | None) -> Axes:
    """The axes to draw on."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(layout="constrained")[1]


def legend(ax: Axes, named: Sequence[tuple[str, Artist]]) -> None:
    """A legend of names that may be anything: matplotlib leaves out those that begin with a line below.

    Args:
        ax: what it belongs to.
        named: what is drawn, with its name.
    """
    made = ax.legend([artist for _, artist in named], [str(place) for place in range(len(named))])
    for text, (name, _) in zip(made.get_texts(), named, strict=True):
        text.set(text=name, parse_math=False)


def plot_history(history: History, ax: Axes | None = None) -> Axes:
    """The loss and the monitored score of every epoch, the kept one marked."""
    ax = new_axes(ax)
    epochs = [epoch.epoch for epoch in history.epochs]
    ax.plot(epochs, [epoch.loss for epoch in history.epochs], "o-", ms=3, label="training loss")
    ax.set(xlabel="epoch", ylabel="training loss")
    lines = list(ax.lines)
    scored = [(epoch.epoch, epoch.scores[history.monitor]) for epoch in history.epochs if epoch.scores]
    if scored:
        beside = ax.twinx()
        lines += beside.plot(*zip(*scored, strict=True), "s-", ms=3, color="C1", label=history.monitor)
        beside.set(ylabel=history.monitor)
    if history.best_epoch is not None:
        label = f"kept: epoch {history.best_epoch}"
        lines.append(ax.axvline(history.best_epoch, color="C2", lw=1, ls="--", label=label))
    ax.legend(handles=lines)
    return ax


def plot_evaluation(evaluation: Evaluation, ax: Axes | None = None) -> Axes:
    """Each score of the model beside those of the baselines."""
    ax = new_axes(ax)
    rows = evaluation.rows()
    width = 0.8 / len(rows)
    names = list(evaluation.scores)
    for number, (name, row) in enumerate(rows):
        places = [at + (number - (len(rows) - 1) / 2) * width for at in range(len(names))]
        heights = [float("nan") if value is None else value for value in row.values()]
        ax.bar(places, heights, width, label=name)
    ax.set_xticks(range(len(names)), names)
    ax.set_title(f"{evaluation.task} on {evaluation.data}", parse_math=False)
    ax.legend()
    return ax


def plot_forecast(known: Sequence[Any], frame: Any, name: str, ax: Axes | None = None) -> Axes:
    """The last known steps of each series and what is forecast to follow, with its widest interval.

    Args:
        known: for each series its name, the times as the frame has them, and its numbers.
        frame: as `unrolled.tasks.forecasting.frames.forecast_frame` makes it.
        name: of the column of the forecast.
        ax: where to draw; a new figure by default.
    """
    ax = new_axes(ax)
    low = next((column for column in frame.columns if column.startswith(f"{name}-lo-")), None)
    high = None if low is None else low.replace("-lo-", "-hi-")
    lines: list[tuple[str, Artist]] = []
    for number, (unique_id, times, values) in enumerate(known):
        color = f"C{number % 10}"
        ahead = frame[frame["unique_id"] == unique_id]
        shown = _KNOWN * len(ahead)
        lines.append((str(unique_id), ax.plot(times[-shown:], values[-shown:], color=color)[0]))
        ax.plot(ahead["ds"], ahead[name], color=color, ls="--")
        if high in frame.columns:
            ax.fill_between(ahead["ds"], ahead[low], ahead[high], color=color, alpha=0.2, lw=0)
    legend(ax, lines)
    ax.figure.autofmt_xdate()  # type: ignore[union-attr]
    return ax
