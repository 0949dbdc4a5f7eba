"""Paths that lead nowhere, noticed before torch is imported: whoever mistypes one hears it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

ReadOutside: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--read-outside",
        help="Read what links in a folder of data, and names in a table of files, lead to outside of it.",
    ),
]


def require_data(*named: str | None) -> None:
    """Look for what is to be read: a path, two of them with a comma between, or built-in data.

    Raises:
        DataError: one is neither there nor built in.
        ConfigError: built-in data has no such length or seed.
    """
    missing = [name for name in named if name is not None and not _is_there(name)]
    if missing:
        from unrolled.data.builtin import resolve

        for name in missing:
            resolve(name)


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def require_model(*folders: str | Path) -> None:
    """Look for saved models.

    Raises:
        ModelFolderError: a folder holds none that this release can read.
    """
    from unrolled.tasks.registry import saved_task

    for folder in folders:
        saved_task(folder)
