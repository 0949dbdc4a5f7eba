"""``unrolled evaluate MODEL DATA``: a saved model's scores beside those of simple baselines."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, finite, note, result
from unrolled.cli.tables import score_table


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[str, typer.Argument(help="A path, or the name of built-in data.")],
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Score a model, beside the baselines, on labelled data; saves the scores and a report in its folder."""
    with exit_codes(as_json=as_json):
        from unrolled.reporting.page import write_report
        from unrolled.reporting.verdict import verdict
        from unrolled.saving.files import write_file
        from unrolled.tasks.registry import load

        started = time.perf_counter()
        estimator = load(model)
        evaluation = estimator.evaluate(data)
        seconds = round(time.perf_counter() - started, 3)
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(data).name) or "data"
        scores = write_file(
            model / f"evaluation-{name}.json",
            json.dumps(finite(evaluation.to_json()), indent=1, ensure_ascii=False),
        )
        report = write_report(model / f"report-{name}.html", estimator, evaluation)
        result(
            score_table(evaluation, verdict(evaluation, *estimator.monitored)),
            evaluation.to_json()
            | {"seconds": seconds, "model": str(model), "report": str(report), "saved": str(scores)},
            as_json=as_json,
        )
        note(f"Scores  {scores}\nReport  {report}\nSeconds {seconds:.0f}")
