"""A configuration's cell: its name, or the program of one's own, which a saved model keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from unrolled.errors import ConfigError

BUILT_IN = ("rnn", "gru", "lstm")
"""Cells with layers, and kernels, made for them."""

OPTIONS = ("cell", "decoder_cell")
"""The options of all tasks that are cells."""


def described(cell: Any) -> Any:
    """The name of a cell that every installation knows, or the program of any other as plain JSON.

    Args:
        cell: what `unrolled.Recurrent` takes: a name, "file.py:Name", a `Cell`, its class, or its program.
    """
    if cell is None or (isinstance(cell, str) and cell in BUILT_IN):
        return cell
    # Only a cell of another name needs torch, which takes seconds to import.
    from unrolled.cells.library import names
    from unrolled.cells.lookup import program_of

    try:
        program = program_of(cell)
    except ConfigError as error:
        raise ValueError(str(error).rstrip(".")) from error
    return cell if isinstance(cell, str) and cell in names() else program.to_dict()


AnyCell: TypeAlias = Annotated[
    Literal["rnn", "gru", "lstm"] | str | dict[str, Any], BeforeValidator(described)
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


def name_of(cell: str | dict[str, Any]) -> str:
    """What a cell is called.

    Example:
        >>> name_of("lstm")
        'LSTM'
    """
    name = cell if isinstance(cell, str) else cell["name"]
    return name.upper() if name in BUILT_IN else name


def keeps(cell: str | dict[str, Any]) -> bool:
    """Whether a cell has a gate that holds on to the old state, whose bias can be raised."""
    if isinstance(cell, str) and cell in BUILT_IN:
        return cell == "lstm"
    from unrolled.cells.lookup import program_of

    return program_of(cell).remembers
