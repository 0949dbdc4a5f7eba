"""A configuration's cell: its name, or the program of one's own, which a saved model keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import PlainSerializer, WrapValidator

from unrolled.errors import ConfigError

BUILT_IN = ("rnn", "gru", "lstm")
"""Cells with layers, and kernels, made for them."""

OPTIONS = ("cell", "decoder_cell")
"""The options of all tasks that are cells."""


def described(cell: Any) -> Any:
    """The name of a cell that every installation knows, or the program of any other as plain JSON.

    Args:
        cell: what `unrolled.Recurrent` takes: a name, "file.py:Name", a `Cell`, its class, or its program.

    Returns:
        Of a cell that is not fused its definition, which is nothing that can be saved.
    """
    if cell is None or (isinstance(cell, str) and cell in BUILT_IN):
        return cell
    # Only a cell of another name needs torch, which takes seconds to import.
    from unrolled.cells.library import names
    from unrolled.cells.lookup import description_of
    from unrolled.ops.cells.program import Program

    try:
        found = description_of(cell)
    except ConfigError as error:
        raise ValueError(str(error).rstrip(".")) from error
    if not isinstance(found, Program):
        return found.cell
    return cell if isinstance(cell, str) and cell in names() else found.to_dict()


def _validated(cell: Any, as_type: Callable[[Any], Any]) -> Any:
    found = described(cell)
    return as_type(found) if found is None or isinstance(found, str | dict) else found


def _shown(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, str | dict) else f"{name_of(cell)} (fused = False)"


AnyCell: TypeAlias = Annotated[
    Literal["rnn", "gru", "lstm"] | str | dict[str, Any],
    WrapValidator(_validated),
    PlainSerializer(_shown, when_used="json"),
]
"""The type of such an option."""


def require_programs(options: Mapping[str, Any]) -> None:
    """See that no cell among a saved model's options names a file, which would be run.

    Raises:
        ConfigError: one does; what is saved of one's own cell is its program.
    """
    for name, value in options.items():
        if name in OPTIONS and isinstance(value, str) and ":" in value:
            raise ConfigError(
                f"expected the {name} of a saved model to be a name or a program, got {value!r}, "
                "a file that would be run"
            )


def require_saveable(options: Any) -> None:
    """See that every cell of a model can be kept in its folder.

    Args:
        options: a task's configuration.

    Raises:
        ConfigError: one is not fused; its step is code, and a model folder holds none.
    """
    for name in OPTIONS:
        cell = getattr(options, name, None)
        if cell is not None and not isinstance(cell, str | dict):
            raise ConfigError(
                f"a model folder keeps a cell's program, and {name_of(cell)} has none (fused = False): "
                f"expected a fused {name} to save a model or a checkpoint; in Python it trains without a "
                "folder, and estimator.model.state_dict() gives its weights"
            )


def name_of(cell: Any) -> str:
    """What a cell of a configuration is called.

    Example:
        >>> name_of("lstm")
        'LSTM'
    """
    if not isinstance(cell, str | dict):
        from unrolled.ops.cells.cell import called

        return called(cell)
    name = cell if isinstance(cell, str) else cell["name"]
    return name.upper() if name in BUILT_IN else name


def keeps(cell: Any) -> bool:
    """Whether a cell has a gate that holds on to the old state, whose bias can be raised."""
    if isinstance(cell, str) and cell in BUILT_IN:
        return cell == "lstm"
    from unrolled.cells.lookup import description_of

    return description_of(cell).remembers
