"""``unrolled inspect MODEL|TASK DATA``: a network's weights and activations, and its drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, note, notes_shown, result
from unrolled.cli.paths import ReadOutside, require_data, require_model
from unrolled.data.outside import reading_outside
from unrolled.errors import StorageError

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL|TASK", help="A model folder, or a task to see before training.")
    ],
    data: Annotated[str, typer.Argument(help="A path, or the name of built-in data.")],
    steps: Annotated[int, typer.Option(min=1, max=20, help="Steps to draw.")] = 5,
    drawing: Annotated[
        Path | None,
        typer.Option(
            help="Where to draw: .svg, .png or .pdf.", show_default="network.svg, in the model's folder"
        ),
    ] = None,
    read_outside: ReadOutside = False,
    as_json: Annotated[bool, AsJson] = False,
) -> None:
    """List every weight and activation with symbol, size and count; draw the network unrolled over DATA."""
    with exit_codes(as_json=as_json), reading_outside(read_outside):
        if not _is_task(model):
            require_model(model)
        require_data(data)
        from unrolled.inspection.activations import activations
        from unrolled.inspection.drawing import save_drawing
        from unrolled.inspection.equations import cell_equations
        from unrolled.inspection.network import unrolling
        from unrolled.inspection.weights import weights

        with notes_shown():
            estimator = _estimator(model, data)
        batch = estimator.first_batch(data)
        rows, seen = weights(estimator.model), activations(estimator.model, batch)
        target = drawing or (Path(model) if Path(model).is_dir() else Path()) / "network.svg"
        try:
            saved, said = save_drawing(unrolling(estimator, batch, steps), target), f"Drawing {target}"
        except StorageError as error:
            if drawing is not None:
                raise
            # A folder that cannot be written to costs the drawing, not the tables.
            saved, said = None, f"The drawing was not saved: {error}"
        total = sum(row.count for row in rows)
        weight_table = _table(
            f"Weights: {total:,}",
            ("name", "symbol", "size", "", "count"),
            ((row.name, row.symbol, row.formula, _size(row.size), f"{row.count:,}") for row in rows),
        )
        fixed = [
            (f"{network}.{name}", tuple(weight.shape), weight.numel())
            for network, module in estimator.input_networks().items()
            for name, weight in module.state_dict().items()
        ]
        fixed_table = _table(
            f"Weights of networks beside it, which are not trained: {sum(count for _, _, count in fixed):,}",
            ("name", "size", "count"),
            ((name, _size(size), f"{count:,}") for name, size, count in fixed),
        )
        activation_table = _table(
            f"Activations: a batch of {batch.size} sequences of up to {batch.time} steps",
            ("where", "symbol", "size a step", "count", "size of the batch", "count"),
            (
                (
                    row.name,
                    row.symbol,
                    _size(row.step),
                    f"{row.step_count:,}",
                    _size(row.batch),
                    f"{row.batch_count:,}",
                )
                for row in seen
            ),
        )
        cells = cell_equations(estimator.model)
        formulas = _table(
            "Equations: x the input at a step, ' a state before it",
            ("cell", "of a step"),
            ((name, "\n".join(lines)) for name, lines in cells.items()),
        )
        result(
            Group(weight_table, *([fixed_table] if fixed else []), activation_table, formulas),
            {
                "task": estimator.task,
                "weights": [asdict(row) for row in rows],
                "weight_count": total,
                "input_weights": [
                    {"name": name, "size": size, "count": count} for name, size, count in fixed
                ],
                "batch": {"size": batch.size, "time": batch.time},
                "activations": [
                    asdict(row) | {"step_count": row.step_count, "batch_count": row.batch_count}
                    for row in seen
                ],
                "equations": cells,
                "drawing": None if saved is None else str(saved),
            },
            as_json=as_json,
        )
        note(said)


def _estimator(model: str, data: str) -> Estimator:
    from unrolled.tasks.registry import estimator_class, load

    return estimator_class(model)().untrained(data) if _is_task(model) else load(model)


def _is_task(model: str) -> bool:
    from unrolled.tasks.registry import task_names

    return model in task_names() and not Path(model).is_dir()


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="")
    for name in columns:
        table.add_column(name, justify="right" if name == "count" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _size(size: tuple[int, ...]) -> str:
    return " × ".join(map(str, size)) or "1"
