"""The command ``unrolled``. Torch is imported where it is needed, so that ``--help`` answers at once."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.chat import chat, chat_command
from unrolled.cli.compare import OPEN_ENDED, compare
from unrolled.cli.data import data
from unrolled.cli.diagnose import diagnose
from unrolled.cli.doctor import doctor, doctor_command
from unrolled.cli.evaluate import evaluate, evaluate_command
from unrolled.cli.exits import exit_codes
from unrolled.cli.export import export
from unrolled.cli.help import SaidInFull, SectionedCommand
from unrolled.cli.inspect import inspect
from unrolled.cli.predict import predict, predict_command
from unrolled.cli.push import push
from unrolled.cli.serve import serve, serve_command
from unrolled.cli.streams import streams
from unrolled.cli.train import TaskCommands
from unrolled.cli.tune import TuneCommands


class Verbs(SaidInFull):
    """The commands in the order in which they are used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands' names."""
        return [
            "train",
            "tune",
            "evaluate",
            "predict",
            "chat",
            "inspect",
            "diagnose",
            "compare",
            "export",
            "serve",
            "push",
            "doctor",
            "data",
        ]

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """What was asked; Ctrl-C meanwhile is said, where typer would end without a word."""
        with exit_codes(as_json=False):
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run what was asked; Ctrl-C while a command is made is said, too."""
        with exit_codes(as_json=False):
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command to run; those with flags made of configurations are made when they are called."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _MADE[name]() if name in _MADE else command, rest


_MADE = {
    "evaluate": evaluate_command,
    "predict": predict_command,
    "chat": chat_command,
    "serve": serve_command,
    "doctor": doctor_command,
}


app = typer.Typer(
    name="unrolled",
    cls=Verbs,
    help="Recurrent neural networks: train one on your own sequences, evaluate it, use it, look inside.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 110},
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"unrolled {version('unrolled')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """What the command itself is asked."""


app.add_typer(
    typer.Typer(
        cls=TaskCommands,
        help="Train a network for a task: classify, regress, tag, generate, forecast, translate or caption.",
        no_args_is_help=True,
        rich_markup_mode=None,
    ),
    name="train",
)
app.add_typer(
    typer.Typer(
        cls=TuneCommands,
        help="Search for better options of a task by cross-validation, and train with the best.",
        no_args_is_help=True,
        rich_markup_mode=None,
    ),
    name="tune",
)
for command in (inspect, diagnose, export, push, data):
    app.command(cls=SectionedCommand)(command)
app.command(cls=SectionedCommand, context_settings=OPEN_ENDED)(compare)


def _stand_in() -> None:
    """Stands in the list of commands; `Verbs` puts the real one in its place."""


for function in (evaluate, predict, chat, serve, doctor):
    app.command(function.__name__, help=function.__doc__)(_stand_in)


def main() -> None:
    """Runs the command line."""
    with streams():
        app()
