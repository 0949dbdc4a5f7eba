"""``unrolled tune TASK DATA``: search for better options, and train with the best."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, note, notes_shown
from unrolled.cli.paths import ReadOutside, require_data
from unrolled.cli.settings import read_settings
from unrolled.cli.train import ConfigFile, Overwrite, TaskCommands, TestData, train_and_save
from unrolled.data.outside import reading_outside

if TYPE_CHECKING:
    from unrolled.tasks.tuning.search import Tuning


class TuneCommands(TaskCommands):
    """The tasks as subcommands, with the flags of their configurations."""

    def made(self, task: str) -> Any:
        """The command that searches for options of ``task``."""
        return _command(task)


def _command(task: str) -> Any:
    from unrolled.cli.options import command, flags, given
    from unrolled.tasks.options import overridden, validated
    from unrolled.tasks.registry import about, config_class, estimator_class

    known = config_class(task)

    def tune(
        *,
        data: Annotated[
            str, typer.Argument(metavar="DATA", help="A path, or the name of built-in data to train on.")
        ],
        trials: Annotated[int, typer.Option(help="Choices of options to try, the defaults first.")] = 20,
        folds: Annotated[int, typer.Option(help="Folds of the cross-validation of each.")] = 3,
        seconds: Annotated[
            float | None, typer.Option(help="Begin no further try after so long.", show_default="no limit")
        ] = None,
        search: Annotated[
            list[str] | None,
            typer.Option(
                metavar="OPTION=VALUES",
                help="An option to search, as hidden-size=32,64 or dropout=0..0.5; may be repeated.",
                show_default="learning rate, units, layers, dropout, cell, weight decay",
            ),
        ] = None,
        test: TestData = None,
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="The model's folder.", show_default="TASK-DATA")
        ] = None,
        config: ConfigFile = None,
        overwrite: Overwrite = False,
        read_outside: ReadOutside = False,
        as_json: Annotated[bool, AsJson] = False,
        **options: Any,
    ) -> None:
        with exit_codes(as_json=as_json), reading_outside(read_outside):
            from unrolled.tasks.tuning.space import written_space

            chosen = overridden(read_settings(config, task) if config else {}, given(known, options))
            validated(known, chosen)
            space = written_space(search) if search else None
            require_data(data, test)
            from unrolled.tasks.tuning.search import clone_with
            from unrolled.tasks.tuning.search import search as searched

            estimator = estimator_class(task).exactly(**chosen)
            with notes_shown():
                found = searched(estimator, data, trials=trials, folds=folds, seconds=seconds, space=space)
            note(_table(found))
            train_and_save(
                clone_with(estimator, found.best_params),
                data,
                None,
                test,
                output,
                overwrite=overwrite,
                further={"tuning": found.to_json()},
                as_json=as_json,
            )

    return command(task, tune, flags(known), f"Search for options: {about(task)}")


def _table(found: Tuning) -> Table:
    """All tries, the best first."""
    frame = found.table
    table = Table(title="Tries, the best first", title_justify="left", title_style="")
    for name in frame.columns:
        table.add_column(str(name).replace("_", " "), justify="right")
    for position, row in enumerate(frame.itertuples(index=False)):
        table.add_row(*map(_cell, row), style="bold" if position == 0 else None)
    return table


def _cell(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
