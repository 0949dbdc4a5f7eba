"""``unrolled evaluate MODEL DATA``: a saved model's scores beside those of simple baselines."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.folders import named_for
from unrolled.cli.input import STANDARD_INPUT, Piped
from unrolled.cli.options import options_of
from unrolled.cli.output import AsJson, finite, note, notes_shown, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.cli.tables import score_table
from unrolled.data.outside import reading_outside
from unrolled.errors import StorageError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator
    from unrolled.tasks.evaluation import Evaluation


def evaluate_command() -> Any:
    """The command, with flags made of the tasks' options of scoring: asked for only when it runs."""
    from unrolled.cli.options import command, flags_of_tasks
    from unrolled.tasks.registry import scoring_classes

    return command("evaluate", evaluate, flags_of_tasks(scoring_classes()))


def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[str, typer.Argument(help="A path, the name of built-in data, or - for standard input.")],
    read_outside: ReadOutside = False,
    as_json: Annotated[bool, AsJson] = False,
    **options: Any,
) -> None:
    """Score a model, beside the baselines, on labelled data; saves the scores and a report in its folder."""
    with exit_codes(as_json=as_json), reading_outside(read_outside):
        require_model(model)
        piped = data == "-"
        if not piped:
            require_data(data)
        from unrolled.reporting.verdict import verdict
        from unrolled.tasks.registry import load

        started = time.perf_counter()
        estimator = load(model)
        chosen = options_of(estimator, estimator.Scoring, options)
        with notes_shown():
            evaluation = (
                _of_standard_input(estimator, chosen) if piped else estimator.evaluate(data, **chosen)
            )
        seconds = round(time.perf_counter() - started, 3)
        saved, said = _saved(model, STANDARD_INPUT if piped else data, estimator, evaluation)
        result(
            score_table(evaluation, verdict(evaluation, *estimator.monitored)),
            evaluation.to_json() | {"seconds": seconds, "model": str(model)} | saved,
            as_json=as_json,
        )
        note(f"{said}\nSeconds {seconds:.0f}")


def _of_standard_input(estimator: Estimator, options: Mapping[str, Any]) -> Evaluation:
    with Piped(estimator.file_ending).whole().file() as path:
        return replace(estimator.evaluate(path, **options), data=STANDARD_INPUT)


def _saved(
    model: Path, data: str, estimator: Estimator, evaluation: Evaluation
) -> tuple[dict[str, str | None], str]:
    """Save the scores and the report beside the model: where they are, and that in words.

    A folder that cannot be written to costs the files, not the scores.
    """
    from unrolled.reporting.page import write_report
    from unrolled.saving.files import write_file

    name = named_for(data)
    text = json.dumps(finite(evaluation.to_json()), indent=1, ensure_ascii=False)
    try:
        scores = write_file(model / f"evaluation-{name}.json", text)
        report = write_report(model / f"report-{name}.html", estimator, evaluation)
    except StorageError as error:
        return {"report": None, "saved": None}, f"The scores were not saved: {error}"
    return {"report": str(report), "saved": str(scores)}, f"Scores  {scores}\nReport  {report}"
