"""``unrolled train TASK TRAIN``: one subcommand a task, its flags made of the task's configuration."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.console import Group

from unrolled.cli.exits import exit_codes
from unrolled.cli.folders import model_folder
from unrolled.cli.help import SaidInFull
from unrolled.cli.output import AsJson, first_process, note, notes_shown, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.cli.settings import read_settings
from unrolled.cli.tables import fold_table, score_table, verdict_line
from unrolled.data.outside import reading_outside
from unrolled.errors import ConfigError, UnrolledError
from unrolled.saving.run import has_checkpoint, remove_checkpoint

if TYPE_CHECKING:
    from rich.text import Text

    from unrolled.reporting.verdict import Verdict
    from unrolled.tasks.base import Estimator
    from unrolled.tasks.cross_validation import CrossValidation
    from unrolled.tasks.evaluation import Evaluation
    from unrolled.training.callback import Callback


class NewLabels(StrEnum):
    """What becomes of labels that a model which is trained on has not seen."""

    refuse = "refuse"
    add = "add"


TestData: TypeAlias = Annotated[str | None, typer.Option(help="Data to score the finished model on.")]
ConfigFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="Options from a JSON or TOML file; flags go before it.")
]
Overwrite: TypeAlias = Annotated[
    bool, typer.Option("--overwrite", help="Replace the model or the run that the folder holds.")
]


class TaskCommands(SaidInFull):
    """The tasks as subcommands, made when asked for, with the flags of their configurations."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The tasks' names."""
        from unrolled.tasks.registry import task_names

        return list(task_names())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one task, or None where there is no such task."""
        return self.made(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command of a task; of one that is misspelt, an error that says which was meant."""
        names = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in names:
            close = get_close_matches(args[0], names, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"The tasks are {', '.join(names)}."
            ctx.fail(f"No such task {args[0]!r}. {remedy}")
        return super().resolve_command(ctx, args)

    def made(self, task: str) -> Any:
        """The command that trains ``task``."""
        return _command(task)


def _command(task: str) -> Any:
    """The command that trains ``task``."""
    from unrolled.cli.options import command, flags, given
    from unrolled.tasks.options import overridden, validated
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
        test: TestData = None,
        output: Annotated[
            Path | None,
            typer.Option("--output", "-o", help="The model's folder.", show_default="TASK-TRAIN"),
        ] = None,
        config: ConfigFile = None,
        origin: Annotated[
            Path | None,
            typer.Option(
                "--from",
                metavar="MODEL",
                help="Go on training this model, its vocabulary and its optimiser's state kept; options that "
                "are left out are the model's.",
            ),
        ] = None,
        new_labels: Annotated[
            NewLabels,
            typer.Option(help="With --from: labels that the model has not seen are refused, or added."),
        ] = NewLabels.refuse,
        resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")] = False,
        overwrite: Overwrite = False,
        folds: Annotated[
            int | None,
            typer.Option(
                help="Score by so many trainings, each on the part of TRAIN that it has not seen, before the "
                "model is trained."
            ),
        ] = None,
        log: Annotated[
            str | None,
            typer.Option(
                metavar="tensorboard|mlflow|wandb",
                help="Tell this service of training; TensorBoard's files go to runs/ beside the model.",
            ),
        ] = None,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Read the data, say what it is taken for, and stop there.")
        ] = False,
        read_outside: ReadOutside = False,
        as_json: Annotated[bool, AsJson] = False,
        **options: Any,
    ) -> None:
        with exit_codes(as_json=as_json), reading_outside(read_outside):
            chosen = overridden(read_settings(config, task) if config else {}, given(known, options))
            # What is misspelt is better noticed before torch is imported and trained with than after it.
            validated(known, chosen)
            require_data(train, dev, test)
            if origin is not None:
                require_model(origin)
            if output is not None and not dry_run and first_process():
                model_folder(output, task, train, resume=resume, overwrite=overwrite)
            if origin is None:
                estimator = estimator_class(task).exactly(**chosen)
            else:
                estimator = _known_model(origin, task, chosen, refused={"folds": folds, "dry_run": dry_run})
            if dry_run:
                _understand(estimator, train, dev, as_json=as_json)
                return
            train_and_save(
                estimator,
                train,
                dev,
                test,
                output,
                resume=resume,
                overwrite=overwrite,
                folds=folds,
                log=log,
                new_labels=None if origin is None else new_labels,
                as_json=as_json,
            )

    return command(task, train, flags(known), about(task))


def _known_model(
    folder: Path, task: str, options: Mapping[str, Any], refused: Mapping[str, Any]
) -> Estimator:
    """A saved model that is to be trained on, with some options changed.

    Raises:
        ConfigError: a flag does not go with a model that is there already.
    """
    from unrolled.tasks.continuing import with_options
    from unrolled.tasks.registry import estimator_class

    for name, given in refused.items():
        if given:
            raise ConfigError(f"--{name.replace('_', '-')}: not with --from, whose model is there already")
    estimator = estimator_class(task).load(folder)
    with_options(estimator, options)
    return estimator


def _understand(estimator: Estimator, train: str, dev: str | None, *, as_json: bool) -> None:
    """Say what the data would be taken for; nothing is trained or written."""
    with notes_shown():
        said = estimator.understand(train, dev)
    result(said, {"task": estimator.task, "data": train, "understood": said}, as_json=as_json)


def train_and_save(
    estimator: Estimator,
    train: str,
    dev: str | None,
    test: str | None,
    output: Path | None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    folds: int | None = None,
    log: str | None = None,
    new_labels: NewLabels | None = None,
    further: Mapping[str, Any] | None = None,
    as_json: bool,
) -> None:
    """Train, score, write the model and its report, and print the scores.

    Args:
        estimator: not fitted; or a model, to be trained on.
        train: what to train on.
        dev: what to choose the best epoch by.
        test: what to score the finished model on.
        output: the model's folder.
        resume: whether to go on with the run in it.
        overwrite: whether to replace what it holds.
        folds: trainings by which the scores are taken before this one.
        log: the service that is told of training.
        new_labels: what becomes of labels that a model which is trained on has not seen; None: it is none.
        further: what the JSON object has besides.
        as_json: whether to print one.
    """
    from unrolled.reporting.page import write_report
    from unrolled.reporting.verdict import verdict
    from unrolled.training.loggers import logger
    from unrolled.training.processes import decided_by_the_first

    started = time.perf_counter()
    parts = estimator.parts(train)
    if test is None and parts is not None and parts.test is not None:
        test = str(parts.test)
    folder = decided_by_the_first(
        estimator.config,
        lambda: model_folder(output, estimator.task, train, resume=resume, overwrite=overwrite),
    )
    callbacks = [] if log is None else [logger(log, folder.parent / "runs" / folder.name)]
    validation = None if folds is None else _cross_validated(estimator, train, folds)
    note(f"Training on {train}.")
    with notes_shown():
        # What is tested on other data needs no further share of this one.
        _fit(
            estimator,
            train,
            dev,
            folder,
            callbacks,
            resume=resume,
            overwrite=overwrite,
            **(
                {"keep_apart": test is None and validation is None}
                if new_labels is None
                else {"new_labels": new_labels.value}
            ),
        )
    if not first_process():
        return
    if test is not None:
        evaluation = _tested(estimator, test, folder)
    else:
        evaluation = estimator.dev_evaluation if validation is None else validation.mean()
    assert evaluation is not None
    estimator.save(folder, evaluation)
    try:
        report = write_report(folder / "report.html", estimator, evaluation)
        remove_checkpoint(folder)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Interrupted; the model is in {folder}, perhaps without its report."
        ) from None
    seconds = time.perf_counter() - started
    said = verdict(evaluation, *estimator.monitored)
    scores = score_table(evaluation, said)
    if validation is not None:
        scores = (
            Group(fold_table(validation), scores) if test else Group(fold_table(validation), *_said(said))
        )
    result(
        scores,
        evaluation.to_json()
        | {
            "seconds": round(seconds, 3),
            "model": str(folder),
            "report": str(report),
            "understood": estimator.understood,
            "notices": estimator.notices,
        }
        | ({} if estimator.verdict is None else {"diagnosis": estimator.verdict.to_json()})
        | ({} if validation is None else {"folds": validation.to_json()})
        | dict(further or {}),
        as_json=as_json,
    )
    note(f"Model   {folder}\nReport  {report}\nSeconds {seconds:.0f}")


def _tested(estimator: Estimator, test: str, folder: Path) -> Evaluation:
    """The scores on the test data; where these cannot be read, the model that `fit` has saved stays."""
    try:
        return estimator.evaluate(test)
    except UnrolledError:
        remove_checkpoint(folder)
        note(f"The model is saved in {folder}; for the test data: unrolled evaluate {folder} DATA")
        raise


def _cross_validated(estimator: Estimator, train: str, folds: int) -> CrossValidation:
    note(f"Scoring by {folds} folds of {train}.")
    with notes_shown():
        return estimator.cross_validate(train, folds=folds)


def _said(verdict: Verdict | None) -> list[Text]:
    return [] if verdict is None else [verdict_line(verdict)]


def _fit(
    estimator: Estimator,
    train: str,
    dev: str | None,
    folder: Path,
    callbacks: Sequence[Callback],
    **how: Any,
) -> None:
    existed = folder.exists()
    try:
        fit = estimator.partial_fit if "new_labels" in how else estimator.fit
        fit(train, dev=dev, run_folder=folder, progress=True, callbacks=callbacks, **how)
    except KeyboardInterrupt as error:
        if has_checkpoint(folder):
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
