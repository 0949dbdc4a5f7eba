"""The report of a run: one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.reporting.answers import evaluation_plots
from unrolled.reporting.curves import clipping_curve, gradient_curve, loss_curve, score_curves
from unrolled.reporting.diagnosis.epochs import over_epochs
from unrolled.reporting.pages import rendered
from unrolled.reporting.predictions import predictions
from unrolled.reporting.verdict import verdict
from unrolled.saving.files import write_file
from unrolled.tasks.card import describe_network
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.metrics import metric
from unrolled.training.history import History

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator


def write_report(path: str | Path, estimator: Estimator, evaluation: Evaluation) -> Path:
    """Writes the report of a fitted estimator and one of its evaluations.

    Raises:
        StorageError: the file cannot be written; one that was there before is untouched.
    """
    return write_file(path, report(estimator, evaluation, Path(path).resolve().parent.name))


def report(estimator: Estimator, evaluation: Evaluation, name: str) -> str:
    """The page's HTML; ``name`` is the model's."""
    said = verdict(evaluation, *estimator.monitored)
    drawn = evaluation_plots(evaluation.details)
    return rendered(
        "report",
        title=f"{evaluation.task}: {name}",
        network=describe_network(estimator.effective),
        evaluation=evaluation,
        columns=[(score, metric(score)) for score in evaluation.scores],
        rows=evaluation.rows(),
        best=evaluation.best(estimator.monitored[0]),
        leading={score: evaluation.best(score) for score in evaluation.scores},
        verdicts=[said] if said else [],
        plots=drawn,
        wrong=predictions(evaluation.details.get("wrong", ())),
        predictions=predictions(evaluation.examples) if evaluation.examples else None,
        curves=_curves(estimator.history),
        notices=estimator.notices,
        options=estimator.effective.model_dump(mode="json"),
    )


def _curves(history: History | None) -> Sequence[tuple[str, str]]:
    if history is None or not history.epochs or not history.updates:
        return []
    curves = [("Loss", loss_curve(history)), *score_curves(history)]
    watched = [(plot.caption, plot.svg()) for plot in over_epochs(history.measured)]
    if not any(epoch.clipped for epoch in history.epochs):
        return [*curves, ("Gradient norm; no update was clipped", gradient_curve(history)), *watched]
    return [
        *curves,
        ("Gradient norm before clipping", gradient_curve(history)),
        ("Clipping", clipping_curve(history)),
        *watched,
    ]
