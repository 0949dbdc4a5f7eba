"""``unrolled doctor``: what this machine offers, and which recurrence runs on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, result


def doctor(
    model: Annotated[Path | None, typer.Argument(help="A model folder, to ask for its layers.")] = None,
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Show versions, threads, devices and instruction set, and which recurrence runs for a layer and why."""
    with exit_codes(as_json=as_json):
        from unrolled.inspection.system import default_layers, recurrences, system

        if model is None:
            layers = default_layers()
        else:
            from unrolled.tasks.registry import load

            layers = list(load(model).model.named_modules())
        found = system() | {"recurrences": recurrences(layers)}
        machine = Table(title="This machine", title_justify="left", show_header=False)
        for name, value in found.items():
            if name != "recurrences":
                machine.add_row(name.replace("_", " "), _line(value))
        running = Table("layer", "operator", "runs", "why", title="Recurrences", title_justify="left")
        for row in found["recurrences"]:
            running.add_row(*row.values())
        result(Group(machine, running), found, as_json=as_json)


def _line(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', '-')} {item}" for name, item in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
