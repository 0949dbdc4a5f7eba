"""``unrolled train TASK TRAIN``: one subcommand a task, its flags made of the task's configuration."""

from __future__ import annotations

import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from unrolled.cli.exits import exit_codes
from unrolled.cli.folders import CHECKPOINT, model_folder
from unrolled.cli.output import AsJson, first_process, note, notes_shown, result
from unrolled.cli.paths import require_data
from unrolled.cli.settings import overridden, read_settings
from unrolled.cli.tables import score_table
from unrolled.errors import UnrolledError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator
    from unrolled.tasks.evaluation import Evaluation


class TaskCommands(TyperGroup):
    """The tasks as subcommands, made when asked for, with the flags of their configurations."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The tasks' names."""
        from unrolled.tasks.registry import task_names

        return list(task_names())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one task, or None where there is no such task."""
        return _command(cmd_name) if cmd_name in self.list_commands(ctx) else None


def _command(task: str) -> Any:
    """The command that trains ``task``."""
    from unrolled.cli.options import command, flags, given
    from unrolled.tasks.options import validated
    from unrolled.tasks.registry import about, config_class, estimator_class

    known = config_class(task)

    def train(
        *,
        train: Annotated[
            str,
            typer.Argument(
                metavar="TRAIN", help="A path, or the name of built-in data (see `unrolled data`)."
            ),
        ],
        dev: Annotated[
            str | None,
            typer.Option(help="Data to choose the best epoch by.", show_default="a share of TRAIN"),
        ] = None,
        test: Annotated[str | None, typer.Option(help="Data to score the finished model on.")] = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="The model's folder.", show_default="TASK-TRAIN"),
        ] = None,
        config: Annotated[
            Path | None, typer.Option(help="Options from a JSON or TOML file; flags go before it.")
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
        overwrite: Annotated[
            bool, typer.Option("--overwrite", help="Replace the model or the run that the folder holds.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Read the data, say what it is taken for, and stop there.")
        ] = False,
        as_json: Annotated[bool, AsJson] = False,
        **options: Any,
    ) -> None:
        with exit_codes(as_json=as_json):
            chosen = overridden(read_settings(config, task) if config else {}, given(known, options))
            # What is misspelt is better noticed before torch is imported and trained with than after it.
            validated(known, chosen)
            require_data(train, dev, test)
            if output is not None and not dry_run and first_process():
                model_folder(output, task, train, resume=resume, overwrite=overwrite)
            estimator = estimator_class(task)(**chosen)
            if dry_run:
                _understand(estimator, train, dev, as_json=as_json)
                return
            _train(
                estimator,
                train,
                dev,
                test,
                output,
                resume=resume,
                overwrite=overwrite,
                as_json=as_json,
            )

    return command(task, train, flags(known), about(task))


def _understand(estimator: Estimator, train: str, dev: str | None, *, as_json: bool) -> None:
    """Say what the data would be taken for; nothing is trained or written."""
    with notes_shown():
        said = estimator.understand(train, dev)
    result(said, {"task": estimator.task, "data": train, "understood": said}, as_json=as_json)


def _train(
    estimator: Estimator,
    train: str,
    dev: str | None,
    test: str | None,
    output: Path | None,
    *,
    resume: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    from unrolled.reporting.page import write_report
    from unrolled.reporting.verdict import verdict
    from unrolled.training.processes import decided_by_the_first

    started = time.perf_counter()
    parts = estimator.parts(train)
    if test is None and parts is not None and parts.test is not None:
        test = str(parts.test)
    folder = decided_by_the_first(
        estimator.config,
        lambda: model_folder(output, estimator.task, train, resume=resume, overwrite=overwrite),
    )
    note(f"Training on {train}.")
    with notes_shown():
        # What is tested on other data needs no further share of this one.
        _fit(estimator, train, dev, folder, resume=resume, overwrite=overwrite, keep_apart=test is None)
    if not first_process():
        return
    evaluation = estimator.dev_evaluation if test is None else _tested(estimator, test, folder)
    assert evaluation is not None
    estimator.save(folder, evaluation)
    report = write_report(folder / "report.html", estimator, evaluation)
    shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
    seconds = time.perf_counter() - started
    result(
        score_table(evaluation, verdict(evaluation, *estimator.monitored)),
        evaluation.to_json()
        | {
            "seconds": round(seconds, 3),
            "model": str(folder),
            "report": str(report),
            "understood": estimator.understood,
            "notices": estimator.notices,
        },
        as_json=as_json,
    )
    note(f"Model   {folder}\nReport  {report}\nSeconds {seconds:.0f}")


def _tested(estimator: Estimator, test: str, folder: Path) -> Evaluation:
    """The scores on the test data; where these cannot be read, the model that `fit` has saved stays."""
    try:
        return estimator.evaluate(test)
    except UnrolledError:
        shutil.rmtree(folder / CHECKPOINT, ignore_errors=True)
        note(f"The model is saved in {folder}; for the test data: unrolled evaluate {folder} DATA")
        raise


def _fit(estimator: Estimator, train: str, dev: str | None, folder: Path, **how: bool) -> None:
    existed = folder.exists()
    try:
        estimator.fit(train, dev, run_folder=folder, progress=True, **how)
    except KeyboardInterrupt as error:
        if (folder / CHECKPOINT).is_dir():
            raise KeyboardInterrupt(f"{error or 'Interrupted.'} Go on with: {_again(folder)}") from error
        raise
    finally:
        if not existed and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _again(folder: Path) -> str:
    """The command line that goes on with this run."""
    words = ["unrolled", *sys.argv[1:]]
    if not any(word.startswith(("-o", "--output")) for word in words):
        words += ["-o", str(folder)]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])
