"""Scores beside baselines, as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from unrolled.reporting.verdict import Verdict
    from unrolled.tasks.evaluation import Evaluation


def score_table(evaluation: Evaluation, verdict: Verdict | None) -> RenderableType:
    """The model's scores with the baselines' beneath, and the verdict under them."""
    title = f"{evaluation.task} on {evaluation.data}: {evaluation.count:,} {evaluation.unit}"
    table = Table(title=title, title_justify="left", title_style="")
    table.add_column("method")
    for score in evaluation.scores:
        table.add_column(score, justify="right")
    for position, (name, row) in enumerate(evaluation.rows()):
        cells = ["-" if value is None else f"{value:.4f}" for value in row.values()]
        table.add_row(name, *cells, style="bold" if position == 0 else None)
    return Group(table, Text(verdict.text, style="red" if verdict.worse else "green")) if verdict else table
