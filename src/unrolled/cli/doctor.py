"""``unrolled doctor``: what this machine offers, and which recurrence runs on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, result
from unrolled.cli.paths import require_model
from unrolled.errors import ConfigError


def doctor_command() -> Any:
    """The command, with flags made of a network's options: asked for only when it runs."""
    from unrolled.cli.options import command, flags
    from unrolled.models.config import NetworkConfig

    return command("doctor", doctor, flags(NetworkConfig, "A layer to ask for"))


def doctor(
    model: Annotated[Path | None, typer.Argument(help="A model folder, to ask for its layers.")] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Where the layer is, cpu or cuda; by default cpu.", rich_help_panel="A layer to ask for"
        ),
    ] = None,
    as_json: Annotated[bool, AsJson] = False,
    **options: Any,
) -> None:
    """Show versions, threads, devices and instruction set, and which recurrence runs for a layer and why."""
    with exit_codes(as_json=as_json):
        if model is not None:
            require_model(model)
        from unrolled.cli.options import given
        from unrolled.inspection.system import default_layers, layer_of, recurrences, system
        from unrolled.models.config import NetworkConfig

        asked = given(NetworkConfig, options)
        named = [*asked, "device"] if device else [*asked]
        if model is not None and named:
            raise ConfigError(
                f"expected a model or the options of a layer, got {model} and {', '.join(named)}"
            )
        if model is not None:
            from unrolled.tasks.registry import load

            layers = list(load(model).model.named_modules())
        elif asked:
            layers = [("", layer_of(asked, device or "cpu"))]
        else:
            layers = default_layers(device or "cpu")
        found = system() | {"recurrences": recurrences(layers)}
        machine = Table(title="This machine", title_justify="left", show_header=False)
        for name, value in found.items():
            if name != "recurrences":
                machine.add_row(name.replace("_", " "), _line(value))
        running = Table("layer", "cell", "runs", "why", title="Recurrences", title_justify="left")
        for row in found["recurrences"]:
            running.add_row(*row.values())
        result(Group(machine, running), found, as_json=as_json)


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', '-')} {item}" for name, item in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
