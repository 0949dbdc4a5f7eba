"""``unrolled compare``: saved models, or one network with several cells, side by side on the same data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from unrolled.cli.exits import exit_codes
from unrolled.cli.fitting_table import FittingTable
from unrolled.cli.folders import named_for
from unrolled.cli.output import AsJson, finite, note, notes_shown, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.data.outside import reading_outside
from unrolled.errors import ConfigError, StorageError

if TYPE_CHECKING:
    from unrolled.inspection.comparison import Compared

OPEN_ENDED = {"ignore_unknown_options": True}
"""What typer needs to know: the options of a task come as words among the others."""
_USAGE = "unrolled compare MODEL MODEL... DATA, or unrolled compare --cells rnn,gru,lstm TASK DATA"


def compare(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL MODEL... DATA | TASK DATA [OPTIONS]",
            help="Two model folders or more, and the data; with --cells a task, its training data, and "
            "options of `unrolled train TASK`.",
        ),
    ],
    cells: Annotated[
        str | None,
        typer.Option(
            help="Train the same network with each of these cells: rnn,gru,lstm, others of the library, "
            "file.py:Name."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the page and its plots.", show_default="comparison-DATA"
        ),
    ] = None,
    read_outside: ReadOutside = False,
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Put models side by side on the same data: scores, sizes, times, and how the gradient flows."""
    with exit_codes(as_json=as_json), reading_outside(read_outside):
        given = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
        names, options = words[:given], words[given:]
        if cells is None:
            if options:
                raise ConfigError(f"{options[0]}: expected no option of a task without --cells; {_USAGE}")
            *folders, data = names
            folder = output or Path(f"comparison-{named_for(data)}")
            models = _saved(folders, data)
        else:
            if len(names) != 2:
                raise ConfigError(
                    f"expected a task and its data with --cells, got {len(names)} words; {_USAGE}"
                )
            task, data = names
            folder = output or Path(f"comparison-{named_for(data)}")
            models = list(_trained(task, data, cells.split(","), options, folder))
        saved, said = _written(folder, models, data)
        shown = {"data": data, "models": [model.to_json() for model in models]}
        result(_table(models), shown | saved, as_json=as_json)
        note(said)


def _saved(folders: Sequence[str], data: str) -> list[Compared]:
    """Compare models that are there already, called by their folders."""
    if len({Path(folder).resolve() for folder in folders}) < max(2, len(folders)):
        listed = ", ".join(folders) or "none"
        raise ConfigError(f"expected two models or more to compare, each once, got {listed}; {_USAGE}")
    require_model(*folders)
    require_data(data)
    from unrolled.inspection.comparison import compared, require_comparable
    from unrolled.tasks.registry import load

    estimators = {folder: load(folder) for folder in folders}
    require_comparable(estimators)
    return [
        compared(estimator, data, name)
        for name, estimator in zip(_short(folders), estimators.values(), strict=True)
    ]


def _trained(
    task: str, data: str, cells: Sequence[str], words: Sequence[str], folder: Path
) -> Iterator[Compared]:
    """Train one model for each cell, with the same options, and keep it in ``folder``."""
    options = _options(task, words)
    require_data(data)
    from unrolled.inspection.comparison import apart, compared, options_for
    from unrolled.reporting.page import write_report
    from unrolled.saving.files import make_folder
    from unrolled.tasks.registry import estimator_class

    kind = estimator_class(task)
    chosen = {cell: options_for(cell, options) for cell in cells}
    estimators = {
        cell: kind(**own) for cell, (own, _) in chosen.items()
    }  # all are checked before one is trained
    if len(estimators) < 2:
        raise ConfigError(f"--cells: expected two cells or more to compare, got {','.join(cells)!r}")
    make_folder(folder)  # found out before an hour of training
    names = apart(estimators.values())
    for (cell, estimator), name in zip(estimators.items(), names, strict=True):
        without = "".join(f" without --{name.replace('_', '-')}" for name in chosen[cell][1])
        note(f"Training {name}{without} on {data}")
        with notes_shown():
            estimator.fit(data, progress=True)
        own = folder / name.lower()
        estimator.save(own)
        assert estimator.dev_evaluation is not None
        write_report(own / "report.html", estimator, estimator.dev_evaluation)
        yield compared(estimator, data, name, estimator.dev_evaluation)


def _options(task: str, words: Sequence[str]) -> dict[str, Any]:
    """The task's options among the words of the command line."""
    from unrolled.cli.options import command, flags, given
    from unrolled.tasks.registry import about, config_class

    known = config_class(task)

    found: dict[str, Any] = {}

    def take(**options: Any) -> None:
        found.update(given(known, options))

    command("compare --cells ... TASK DATA", take, flags(known), about(task)).main(
        list(words), prog_name="unrolled compare", standalone_mode=False
    )
    if "cell" in found:
        raise ConfigError(f"--cell: expected it left out, since --cells says which, got {found['cell']!r}")
    return found


def _short(folders: Sequence[str]) -> list[str]:
    """The folders' own names where they differ, else as they were written."""
    names = [Path(folder).resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else list(folders)


def _written(folder: Path, models: Sequence[Compared], data: str) -> tuple[dict[str, str | None], str]:
    from unrolled.reporting.comparison import write_comparison, write_comparison_plots
    from unrolled.saving.files import make_folder, write_file

    try:
        make_folder(folder)
        text = json.dumps(finite({"models": [model.to_json() for model in models]}), indent=1)
        write_file(folder / "comparison.json", text)
        page = write_comparison(folder / "comparison.html", models, data)
        count = len(write_comparison_plots(folder, models))
    except StorageError as error:
        return {"page": None, "plots": None}, f"The comparison was not saved: {error}"
    return {"page": str(page), "plots": str(folder)}, f"Page    {page}\nPlots   {count} in {folder}"


def _table(models: Sequence[Compared]) -> FittingTable:
    from unrolled.reporting.comparison import rows
    from unrolled.tasks.metrics import best_rows, heading

    scores = {model.name: model.evaluation.scores for model in models}
    best = {name: best_rows(scores, name) for name in models[0].evaluation.scores}
    lines = rows(models)
    cells = [
        [
            Text(value, style="bold" if line["model"] in best.get(name, ()) else "")
            for name, value in line.items()
        ]
        for line in lines
    ]
    heads = [heading(name) if name in best else name for name in lines[0]]
    return FittingTable(heads, cells, left=("network", "gradient"))
