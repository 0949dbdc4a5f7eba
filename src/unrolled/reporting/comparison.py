"""The page of a comparison: several models on the same data side by side, in one table and a few plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.inspection.comparison import Compared
from unrolled.reporting.diagnosis.context import steps_seen
from unrolled.reporting.diagnosis.scales import drawable, logarithmic, percentage, steps_back
from unrolled.reporting.figure import HALF, WHOLE, colour
from unrolled.reporting.pages import rendered
from unrolled.reporting.plot import Plot
from unrolled.saving.files import write_file
from unrolled.tasks.metrics import best_rows, heading, metric
from unrolled.tasks.plots import legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_comparison(path: str | Path, models: Sequence[Compared], data: str) -> Path:
    """Writes the page.

    Raises:
        StorageError: the file cannot be written; one that was there before is untouched.
    """
    return write_file(path, comparison_page(models, data))


def comparison_page(models: Sequence[Compared], data: str) -> str:
    """The page's HTML."""
    return rendered(
        "comparison",
        title=f"{len(models)} models compared",
        data=data,
        rows=rows(models),
        headings={score: (heading(score), metric(score)) for score in models[0].evaluation.scores},
        best={score: best_rows(_scored(models), score) for score in models[0].evaluation.scores},
        plots=plots(models),
    )


def rows(models: Sequence[Compared]) -> list[dict[str, str]]:
    """The table: a row a model, a column for each number, all as text."""
    return [
        {
            "model": model.name,
            "network": model.examination.network,
            "weights": f"{model.weights:,}",
            **{name: f"{value:.4f}" for name, value in model.evaluation.scores.items()},
            "epochs": str(model.epochs),
            "training, s": f"{model.seconds:.0f}",
            "gradient": model.examination.diagnosis.verdict.kind,
            "left at the start": left_at_the_start(model),
        }
        for model in models
    ]


def _scored(models: Sequence[Compared]) -> dict[str, Mapping[str, float]]:
    return {model.name: model.evaluation.scores for model in models}


def left_at_the_start(model: Compared) -> str:
    """What of an error at a sequence's end is left at its start, in the lowest layer."""
    decay = _lowest(model)
    return percentage(decay[-1]) if decay else "-"


def _lowest(model: Compared) -> tuple[float, ...]:
    """The decay in the lowest layer, which the error reaches last."""
    return next(iter(model.examination.decays.values()), ())


def plots(models: Sequence[Compared]) -> list[Plot]:
    """The decay of the gradient, the score that decides, and the loss over the epochs, all models in each."""
    made = [_decay(models)]
    if all(model.examination.diagnosis.context is not None for model in models):
        made.append(_context(models))
    return [*made, *_scores(models)]


def write_comparison_plots(folder: str | Path, models: Sequence[Compared]) -> list[Path]:
    """Writes every plot as PNG and as SVG into a folder that exists.

    Raises:
        StorageError: a file cannot be written.
    """
    return [plot.save(folder, kind) for plot in plots(models) for kind in ("png", "svg")]


def _decay(models: Sequence[Compared]) -> Plot:
    lines = {model.name: decay for model in models if (decay := _lowest(model))}

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        drawn = [
            (name, axes.plot(drawable(decay), color=colour(number))[0])
            for number, (name, decay) in enumerate(lines.items())
        ]
        logarithmic(axes, [value for decay in lines.values() for value in decay], room=4)
        axes.set_ylabel("what is left of an error")
        steps_back(axes)
        legend(axes, drawn)

    said = ", ".join(f"{name} {percentage(decay[-1])}" for name, decay in lines.items())
    return Plot(
        "decay", "Decay of the gradient, lowest layer", f"What is left of an error: {said}.", draw, WHOLE
    )


def _context(models: Sequence[Compared]) -> Plot:
    curves = {model.name: model.examination.diagnosis.context for model in models}

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        drawn = [
            (name, axes.plot(curve.steps, curve.loss, "o-", ms=3, color=colour(number))[0])
            for number, (name, curve) in enumerate(curves.items())
            if curve is not None
        ]
        longest = max((curve.steps for curve in curves.values() if curve is not None), key=len)
        steps_seen(axes, longest)
        axes.set_ylabel("loss")
        legend(axes, drawn)

    said = ", ".join(f"{name} {curve.used()}" for name, curve in curves.items() if curve is not None)
    return Plot("context", "How far back each model uses its input", f"Steps that are enough: {said}.", draw)


def _scores(models: Sequence[Compared]) -> list[Plot]:
    """A plot for each score, a bar for each model and each baseline."""
    first = models[0].evaluation

    def plot(place: int, score: str) -> Plot:
        bars = {model.name: model.evaluation.scores[score] for model in models} | {
            name: scores[score] for name, scores in first.baselines.items() if score in scores
        }

        def draw(figure: Figure) -> None:
            axes = figure.add_subplot()
            colours = [colour(number) for number in range(len(models))] + ["0.6"] * len(first.baselines)
            drawn = axes.barh(list(bars), list(bars.values()), color=colours[: len(bars)], height=0.6)
            axes.bar_label(drawn, fmt="{:.4g}", padding=4)
            axes.invert_yaxis()
            axes.set(xlabel=heading(score), xlim=(min(0, *bars.values()), 1.35 * max(*bars.values(), 1e-9)))

        said = ", ".join(f"{name} {value:.4g}" for name, value in bars.items())
        known = metric(score)
        caption = f"{known.name} ({score}), {known.direction}; baselines in grey"
        size = (HALF[0], 1.1 + 0.34 * len(bars))
        return Plot(f"score-{place}", caption, f"{score}: {said}.", draw, size)

    return [plot(place, score) for place, score in enumerate(first.scores)]
