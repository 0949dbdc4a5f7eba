"""``unrolled diagnose MODEL DATA``: how the gradient flows through a saved model; a verdict with remedies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from unrolled.cli.exits import exit_codes
from unrolled.cli.folders import named_for
from unrolled.cli.output import AsJson, finite, note, result
from unrolled.cli.paths import require_data, require_model
from unrolled.errors import StorageError

if TYPE_CHECKING:
    from unrolled.diagnosis import Verdict
    from unrolled.inspection.examination import Examination


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
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Say whether the gradient vanishes or explodes on its way back through DATA, why, and what to change."""
    with exit_codes(as_json=as_json):
        require_model(model)
        require_data(data)
        from unrolled.inspection.examination import examine
        from unrolled.tasks.registry import load

        estimator = load(model)
        note(f"Measuring {model} on {data}")
        examined = examine(estimator, data, model.resolve().name)
        folder = output or model / f"diagnosis-{named_for(data)}"
        saved, said = _saved(folder, examined, plots=plots)
        verdict = examined.diagnosis.verdict
        result(_shown(verdict), examined.to_json() | saved, as_json=as_json)
        if verdict.remedies:
            note(
                "To train again with the first remedy: unrolled train "
                f"{estimator.task} TRAIN --config {model / 'config.json'} {verdict.remedies[0].flag}"
            )
        note(said)


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
