"""Scores beside baselines, as a table for the terminal; the best of each is bold, whoever has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from unrolled.cli.fitting_table import FittingTable
from unrolled.tasks.metrics import heading

if TYPE_CHECKING:
    from unrolled.reporting.verdict import Verdict
    from unrolled.tasks.cross_validation import CrossValidation
    from unrolled.tasks.evaluation import Evaluation


def score_table(evaluation: Evaluation, verdict: Verdict | None) -> RenderableType:
    """The model's scores with the baselines' beneath, and the verdict under them."""
    title = f"{evaluation.task} on {evaluation.data}: {evaluation.count:,} {evaluation.unit}"
    if evaluation.seconds:
        title += f", {evaluation.count / evaluation.seconds:,.0f} a second"
    best = {score: evaluation.best(score) for score in evaluation.scores}
    rows = [
        [
            Text(name),
            *[
                Text("-" if value is None else f"{value:.4f}", style="bold" if name in best[score] else "")
                for score, value in row.items()
            ],
        ]
        for name, row in evaluation.rows()
    ]
    table = FittingTable(["method", *map(heading, evaluation.scores)], rows, title=title)
    shown: list[RenderableType] = [table, *(_group(*group) for group in evaluation.groups.items())]
    if verdict:
        shown.append(verdict_line(verdict))
    return Group(*shown)


def verdict_line(verdict: Verdict) -> Text:
    """The verdict against the baselines."""
    return Text(verdict.text, style="red" if verdict.worse else "green")


def fold_table(validation: CrossValidation) -> RenderableType:
    """The mean of each score over the folds, and its standard deviation."""
    rows = validation.rows()
    first = validation.evaluations[0]
    title = f"{first.task}, mean and deviation over {len(validation.evaluations)} folds"
    scores = list(rows[0][1])
    lines = [
        [
            Text(cell, style="" if position else "bold")
            for cell in (name, *[row.get(each, "-") for each in scores])
        ]
        for position, (name, row) in enumerate(rows)
    ]
    return FittingTable(["method", *scores], lines, title=title)


def _group(title: str, parts: Mapping[str, float]) -> Table:
    """A score of the model on parts of the data."""
    table = Table("part", title=title, title_justify="left", title_style="")
    table.add_column("model", justify="right")
    for part, value in parts.items():
        table.add_row(part, f"{value:.4f}")
    return table
