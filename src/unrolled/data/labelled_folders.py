"""A folder of files with a label each, in any of the ways in which such folders come."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from unrolled.data.example import Source
from unrolled.data.folders import (
    FILE_COLUMN,
    METADATA,
    MediaFiles,
    media_folder,
    media_within,
    only_medium,
    subfolders,
)
from unrolled.data.number_files import beside_table
from unrolled.data.tables import Table
from unrolled.errors import ConfigError, DataError


def labelled_folder(folder: Path, *, labelled: bool = True, pattern: str | None = None) -> MediaFiles:
    r"""The files of a folder, with their labels.

    Args:
        folder: a folder for every class, or metadata beside the files (`unrolled.data.folders`); a table of
            labels beside files of numbers (`unrolled.data.number_files`); or files alone, where no labels are
            needed or ``pattern`` finds them.
        labelled: whether labels are needed.
        pattern: a regular expression whose first group, found in a file's name, is its label.

    Raises:
        DataError: there are no such files, or no label can be found for one.
        ConfigError: the pattern is not a regular expression.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("7_ada_0.wav", "3_bob_1.wav"):
        ...         Path(folder, name).touch()
        ...     found = labelled_folder(Path(folder), pattern=r"^(\d)_")
        >>> found.medium, found.table.column("label")
        ('audio', ['3', '7'])
    """
    members = [file for file in media_within(folder) if file.name not in METADATA]
    if pattern is not None:
        return _alone(folder, members, [_label_in(file.name, pattern, file) for file in members])
    beside = beside_table(folder)
    if beside is not None:
        return beside
    described = bool(subfolders(folder)) or any((folder / name).is_file() for name in METADATA)
    return media_folder(folder) if labelled or described else _alone(folder, members)


def _alone(folder: Path, files: list[Path], labels: list[str] | None = None) -> MediaFiles:
    if not files:
        raise DataError("expected recordings, images, clips or tables in the folder, found none", path=folder)
    columns = {FILE_COLUMN: [str(file) for file in files]} | ({"label": labels} if labels else {})
    table = Table(folder, columns, np.arange(1, len(files) + 1))
    return MediaFiles(only_medium(files, folder), tuple(files), table, FILE_COLUMN, tuple(map(Source, files)))


def _label_in(name: str, pattern: str, file: Path) -> str:
    try:
        found = re.search(pattern, name)
    except re.error as error:
        raise ConfigError(
            f"label_pattern: expected a regular expression, got {pattern!r}, but {error}"
        ) from None
    if found is None or not found.groups() or found[1] is None:
        raise DataError(
            f"expected a label in the file's name, where the first group of {pattern!r} is, found none",
            path=file,
            remedy="correct label_pattern, or move the file away",
        )
    return found[1]
