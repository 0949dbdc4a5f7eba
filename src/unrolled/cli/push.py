"""``unrolled push MODEL user/name``: a saved model on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, notes_shown, result
from unrolled.cli.paths import require_model


def push(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    repository: Annotated[
        str, typer.Argument(metavar="USER/NAME", help="Where to; made if it is not there.")
    ],
    private: Annotated[
        bool, typer.Option("--private", help="Show a new repository to its owner alone.")
    ] = False,
    language: Annotated[
        str | None, typer.Option(help="The language of the model's texts, such as en, for its card.")
    ] = None,
    message: Annotated[str, typer.Option(help="What the commit says.")] = "Upload a model of unrolled",
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Put a model on the Hugging Face Hub, from where unrolled.load("hf://USER/NAME") has it.

    The token is the one of `hf auth login`, or HF_TOKEN.
    """
    with exit_codes(as_json=as_json):
        require_model(model)
        from unrolled.tasks.registry import load

        with notes_shown():
            address = load(model).push(repository, private=private, language=language, message=message)
        result(address, {"model": str(model), "repository": repository, "address": address}, as_json=as_json)
