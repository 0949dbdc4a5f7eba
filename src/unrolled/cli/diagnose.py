"""``unrolled diagnose MODEL DATA``: how the gradient flows through a saved model; a verdict with remedies."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from unrolled.cli.exits import exit_codes
from unrolled.cli.folders import named_for
from unrolled.cli.output import AsJson, finite, note, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.data.outside import reading_outside
from unrolled.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from unrolled.diagnosis import Verdict
    from unrolled.inspection.examination import Examination
    from unrolled.inspection.trials import Trials


def diagnose(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[str, typer.Argument(help="A path, or the name of built-in data.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for the report and its plots.",
            show_default="diagnosis-DATA, in the model's folder",
        ),
    ] = None,
    plots: Annotated[
        bool, typer.Option(help="Write every plot of the report as PNG and SVG beside it.")
    ] = True,
    attempt: Annotated[
        bool,
        typer.Option(
            "--try", help="Train for a short while with the most promising remedies, and rank them."
        ),
    ] = False,
    budget: Annotated[
        str,
        typer.Option(
            help="Work for all these trainings together, such as 90s, 2m or 1h of the processor: on a busy "
            "machine they take longer, and find the same."
        ),
    ] = "2m",
    read_outside: ReadOutside = False,
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Say whether the gradient vanishes or explodes on its way back through DATA, why, and what to change."""
    with exit_codes(as_json=as_json), reading_outside(read_outside):
        require_model(model)
        require_data(data)
        seconds = _seconds(budget)
        from unrolled.inspection.examination import examine
        from unrolled.reporting.diagnosis.inputs import decisive
        from unrolled.tasks.registry import load

        estimator = load(model)
        note(f"Measuring {model} on {data}")
        examined = examine(estimator, data, model.resolve().name)
        from unrolled.inspection.trials import command, try_remedies, with_gains

        trials = None
        if attempt and examined.evidence is not None:
            verdict = examined.diagnosis.verdict
            trials = try_remedies(
                estimator, examined.evidence, verdict, data, folder=model, budget=seconds, say=note
            )
            verdict = with_gains(verdict, trials)
            examined = replace(examined, diagnosis=replace(examined.diagnosis, verdict=verdict))
        folder = output or model / f"diagnosis-{named_for(data)}"
        saved, said = _saved(folder, examined, plots=plots)
        verdict = examined.diagnosis.verdict
        tried = {} if trials is None else {"trials": trials.to_json()}
        shown = _shown(verdict) if trials is None else Group(_shown(verdict), _tried(trials))
        result(shown, examined.to_json() | tried | saved, as_json=as_json)
        if trials is not None:
            note(_concluded(trials))
        elif verdict.remedies:
            again = command(estimator, verdict.remedies[0], model, data)
            note(f"To train again with the first remedy: {again}")
        decided = examined.diagnosis.inputs[0] if examined.diagnosis.inputs else None
        if decided is not None and (named := decisive(decided, examined.labels)):
            note(f"What decided the last output, of one sequence: {named}")
        note(said)


def _seconds(budget: str) -> float:
    """A time such as 90, 90s, 2m or 1h.

    Raises:
        ConfigError: it is none, or not above zero.

    Example:
        >>> _seconds("2m"), _seconds("90")
        (120.0, 90.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", budget.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if not seconds:
        raise ConfigError(f"--budget: expected a time such as 90s, 2m or 1h, got {budget!r}")
    return seconds


def _tried(trials: Trials) -> RenderableType:
    """A table of what was tried, the best first, and the unchanged network among it."""
    better = "lower" if trials.mode == "min" else "higher"
    title = f"Tried on {trials.share:.0%} of the batches of {trials.data} ({better} is better)"
    table = Table("remedy", "flags", title=title, title_justify="left", title_style="")
    for name in (f"dev {trials.monitor}", "updates", "seeds", "seconds"):
        table.add_column(name, justify="right")
    for trial in (*trials.tried, trials.unchanged):
        score = trial.note if trial.score is None else f"{trial.score:.4f}"
        won = trials.winner is not None and trial.name == trials.winner.name
        cells = (score, f"{trial.updates:,}", str(trial.seeds), f"{trial.seconds:.1f}")
        table.add_row(trial.name, trial.flag, *cells, style="bold" if won else None)
    return table


def _concluded(trials: Trials) -> str:
    left = (
        f" Not tried for want of time: {', '.join(trials.left)}; --budget gives more." if trials.left else ""
    )
    if trials.command is None:
        return f"Nothing that was tried did better than the unchanged network.{left}"
    return f"To train again with what did best: {trials.command}{left and chr(10)}{left.strip()}"


def _saved(folder: Path, examined: Examination, *, plots: bool) -> tuple[dict[str, str | None], str]:
    """Write the report and its plots: where they are, and that in words.

    A folder that cannot be written to costs the files, not the verdict.
    """
    from unrolled.reporting.diagnosis.page import write_diagnosis, write_plots
    from unrolled.saving.files import make_folder, write_file

    try:
        make_folder(folder)
        text = json.dumps(finite(examined.to_json()), indent=1, ensure_ascii=False)
        write_file(folder / "diagnosis.json", text)
        report = write_diagnosis(folder / "report.html", examined)
        drawn = write_plots(folder, examined) if plots else []
    except StorageError as error:
        return {"report": None, "plots": None}, f"The report was not saved: {error}"
    said = f"Report  {report}" + (f"\nPlots   {len(drawn)} in {folder}" if drawn else "")
    return {"report": str(report), "plots": str(folder) if drawn else None}, said


def _shown(verdict: Verdict) -> RenderableType:
    style = "green" if verdict.kind == "healthy" else "red"
    said = Table.grid()  # a grid breaks a long sentence between words
    said.add_row(Text(f"{verdict.kind.capitalize()}. {verdict.sentence}", style=style))
    parts: list[RenderableType] = [said]
    if verdict.grounds:
        grounds = Table.grid(padding=(0, 1))
        for number, ground in enumerate(verdict.grounds, start=1):
            grounds.add_row(f"{number}.", ground)
        parts.append(grounds)
    numbers = Table("number", "value", title="What it rests on", title_justify="left", title_style="")
    numbers.columns[1].justify = "right"
    for name, value in verdict.numbers.items():
        numbers.add_row(name, f"{value:.4g}")
    parts.append(numbers)
    if verdict.remedies:
        remedies = Table("remedy", "flags", "why", title="What to do", title_justify="left", title_style="")
        remedies.columns[1].no_wrap = True
        for remedy in verdict.remedies:
            remedies.add_row(remedy.name, remedy.flag, remedy.why)
        parts.append(remedies)
    return Group(*parts)
