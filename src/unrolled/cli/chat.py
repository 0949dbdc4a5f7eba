"""``unrolled chat MODEL``: a talk with a model of questions and answers, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.input import standard_input
from unrolled.cli.output import answer, note
from unrolled.cli.paths import require_model
from unrolled.errors import ConfigError


def chat_command() -> Any:
    """The command, with flags made of the options of the search: asked for only when it runs."""
    from unrolled.cli.options import command, flags_of_tasks
    from unrolled.tasks.registry import options_classes

    return command("chat", chat, flags_of_tasks(options_classes(converses=True), but=["n_best"]))


def chat(
    model: Annotated[Path, typer.Argument(help="The folder of a model that was trained by translate.")],
    **options: Any,
) -> None:
    """Talk with a model trained on questions and answers: a line in, a line out.

    The model reads as many earlier exchanges as it was trained with (train translate --history). An empty
    line begins a new conversation.
    """
    with exit_codes(as_json=False):
        require_model(model)
        from unrolled.cli.options import given
        from unrolled.tasks.registry import load

        estimator = load(model)
        try:
            conversation = estimator.conversation(**given(estimator.Options, options))
        except ConfigError as error:
            raise ConfigError(f"{model}: {error}") from None
        for line in _lines():
            if line:
                answer(conversation.reply(line))
            else:
                conversation.forget()


def _lines() -> Iterator[str]:
    """What is typed, with a prompt, or the lines of standard input."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in standard_input())
        return
    import readline  # noqa: F401  # lets `input` edit and recall lines

    note("Ctrl-D ends the talk; an empty line begins a new one.")
    while True:
        try:
            yield input("> ").strip()
        except EOFError:
            print()
            return
