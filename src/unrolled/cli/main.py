"""The command ``unrolled``. Torch is imported where it is needed, so that ``--help`` answers at once."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from unrolled.cli.data import data
from unrolled.cli.doctor import doctor
from unrolled.cli.evaluate import evaluate
from unrolled.cli.inspect import inspect
from unrolled.cli.options import with_options
from unrolled.cli.predict import PredictCommand, predict
from unrolled.cli.train import TaskCommands


class Verbs(TyperGroup):
    """The commands in the order in which they are used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands' names."""
        return ["train", "evaluate", "predict", "inspect", "doctor", "data"]


app = typer.Typer(
    name="unrolled",
    cls=Verbs,
    help="Recurrent neural networks: train one on your own sequences, evaluate it, use it, look inside.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(
    typer.Typer(
        cls=TaskCommands,
        help="Train a network for a task: classify, tag, generate or forecast.",
        no_args_is_help=True,
    ),
    name="train",
)
app.command()(evaluate)
app.command(cls=PredictCommand)(with_options(predict, []))
for command in (inspect, doctor, data):
    app.command()(command)


def main() -> None:
    """Runs the command line."""
    app()
