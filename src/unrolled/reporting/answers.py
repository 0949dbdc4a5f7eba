"""A model's answers as a whole: what it took for what, how sure it was, how far ahead it errs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import readable
from unrolled.reporting.figure import MODEL, REFERENCE, whole_steps
from unrolled.reporting.plot import Plot
from unrolled.tasks.metrics import metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ABOVE = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0}
_LONGEST = 14
"""Characters of a class's name beside a matrix."""


def evaluation_plots(details: Mapping[str, Any]) -> list[Plot]:
    """The plots of an evaluation's details; see `unrolled.tasks.evaluation.Evaluation`.

    Of forecasts one step ahead the table has all errors.
    """
    kinds = {"confusion": confusion_matrix, "confidence": confidences, "ahead": error_ahead}
    return [plot(details[name]) for name, plot in kinds.items() if _worth_a_plot(name, details)]


def confusion_matrix(found: Mapping[str, Any]) -> Plot:
    """How often which class was taken for which, as shares of each expected class."""
    counts = np.array(found["counts"])
    names = [_short(name) for name in [*map(readable, found["classes"])]]
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = len(names)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.grid(visible=False)
        image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        figure.colorbar(image, ax=axes, label="share of the expected class", pad=0.02)
        axes.set_xticks(range(size), names, rotation=60, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(size), names)
        axes.set(xlabel="predicted", ylabel="expected")
        for row, column in np.argwhere(counts > 0):
            dark = share[row, column] > 0.5
            axes.text(
                column, row, f"{counts[row, column]:,}", ha="center", va="center",
                color="white" if dark else "#1c2128",
            )  # fmt: skip

    right = int(np.trace(counts))
    wide = max(4.3, min(9.4, 2.4 + 0.5 * size))
    return Plot(
        "confusion",
        "Confusion: what was expected, and what was predicted",
        f"Confusion matrix of {size} classes; {right:,} of {counts.sum():,} sequences lie on its diagonal.",
        draw,
        (wide, max(2.9, min(9.0, 1.7 + 0.34 * size))),
    )


def confidences(found: Mapping[str, Any]) -> Plot:
    """How sure the network was of the class that it chose, where it was right and where it was wrong."""
    edges = np.array(found["edges"])
    right, wrong = np.array(found["right"]), np.array(found["wrong"])

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.bar(edges[:-1], right, np.diff(edges), align="edge", color=MODEL, alpha=0.8, label="right")
        axes.bar(
            edges[:-1], wrong, np.diff(edges), right, align="edge", color=REFERENCE, alpha=0.8, label="wrong"
        )
        axes.set(xlabel="probability of the chosen class", ylabel="sequences", xlim=(0, 1))
        whole_steps(axes.yaxis)
        axes.legend(ncols=2, **_ABOVE)

    said = f"sure to {found['mean']:.0%} on average, right in {found['accuracy']:.0%}"
    return Plot("confidence", f"Confidence: {said}", f"How sure the network was; it was {said}.", draw)


def error_ahead(found: Mapping[str, Any]) -> Plot:
    """The error of forecasts by how many steps ahead they are, beside that of the last number known."""
    model = [np.nan if value is None else value for value in found["model"]]
    simple = [np.nan if value is None else value for value in found["persistence"]]
    ahead = range(1, len(model) + 1)
    name = metric(found["score"]).name.partition(",")[0]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot(ahead, simple, "o-", ms=3, color=REFERENCE, label="persistence")
        axes.plot(ahead, model, "o-", ms=3, color=MODEL, label="model")
        # Room for the marks above: the errors may all but agree.
        largest = max((value for value in (*model, *simple) if np.isfinite(value)), default=0.0)
        axes.set(xlabel="steps ahead", ylabel=name, ylim=(0, 1.1 * largest or None))
        whole_steps(axes.xaxis)
        axes.legend(ncols=2, **_ABOVE)

    label = f"{name} by steps ahead: {model[0]:.3g} one step ahead, {model[-1]:.3g} {len(model)} steps ahead."
    return Plot("ahead", "Error by how far ahead", label, draw)


def _worth_a_plot(name: str, details: Mapping[str, Any]) -> bool:
    return name in details and (name != "ahead" or len(details[name]["model"]) > 1)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
