"""``unrolled export MODEL``: a saved model as files that need no torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, notes_shown, result
from unrolled.cli.paths import require_data, require_model

if TYPE_CHECKING:
    from unrolled.export.result import Exported


class Form(StrEnum):
    """What a model becomes."""

    onnx = "onnx"
    c = "c"


def export(
    model: Annotated[Path, typer.Argument(help="A model folder.")],
    data: Annotated[
        str | None,
        typer.Argument(help="Labelled rows to compare on, and to score; by default rows drawn at random."),
    ] = None,
    to: Annotated[
        Form, typer.Option(help="onnx: for onnxruntime, with run.py; c: C99 that takes a step at a time.")
    ] = Form.onnx,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The folder.", show_default="MODEL-onnx, MODEL-c")
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Weights in bytes.")] = False,
    name: Annotated[
        str | None, typer.Option(help="C: begins every public name.", show_default="the model's")
    ] = None,
    path_steps: Annotated[
        int, typer.Option(min=1, help="C, of a tagger with a CRF: the latest steps whose tags it can name.")
    ] = 256,
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """Write a model as ONNX or C, and say by how much its outputs differ from the original's."""
    with exit_codes(as_json=as_json):
        require_model(model)
        require_data(data)
        from unrolled.export.c_files import c
        from unrolled.export.onnx_files import onnx
        from unrolled.tasks.registry import load

        folder = output or model.with_name(f"{model.resolve().name}-{to}")
        with notes_shown():
            estimator = load(model)
            if to is Form.onnx:
                done = onnx(estimator, folder, data=data, int8=int8)
            else:
                called = name or model.resolve().name
                done = c(estimator, folder, name=called, int8=int8, path_steps=path_steps)
        result(_table(folder, done), _as_json(folder, done), as_json=as_json)


def _table(folder: Path, done: Exported) -> Table:
    table = Table(title=str(folder), title_justify="left", show_header=False)
    for file in done.files:
        table.add_row(file.name, f"{file.stat().st_size:,} bytes")
    table.add_row("largest difference of an output", f"{done.difference:.2g}")
    for what, number in done.numbers.items():
        table.add_row(what, f"{number:,.6g}")
    return table


def _as_json(folder: Path, done: Exported) -> dict[str, object]:
    return {
        "folder": str(folder),
        "files": [file.name for file in done.files],
        "difference": done.difference,
        **done.numbers,
    }
