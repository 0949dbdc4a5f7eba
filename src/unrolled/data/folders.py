"""Media files: a folder for every class, files beside a table of metadata, or a table that holds them.

The folders are those of Hugging Face's `imagefolder` and `audiofolder`; the table with the files' bytes in it
is what its hub stores of such data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unrolled.data.example import Source
from unrolled.data.outside import named_within
from unrolled.data.tables import Table, is_missing, read_table
from unrolled.errors import DataError

FILE_COLUMN = "file_name"
"""The column of a metadata table that names the file, relative to the table."""

METADATA = tuple(f"metadata.{kind}" for kind in ("csv", "tsv", "jsonl", "parquet"))

Medium = Literal["image", "video", "frames", "audio", "numbers"]
"""What a file is: `frames` is a clip as a folder of images, `numbers` a sequence in a table or an array."""

MEDIA: Mapping[str, Medium] = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"), "image"),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".gif"), "video"),
    **dict.fromkeys((".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif"), "audio"),
    **dict.fromkeys((".csv", ".tsv", ".npy"), "numbers"),
}
"""What a file is by the ending of its name."""

_SPLITS = frozenset({"train", "training", "test", "testing", "valid", "validation", "val", "dev", "eval"})


@dataclass(frozen=True, slots=True, eq=False)
class MediaFiles:
    """Files of one kind, and what is known of each.

    Attributes:
        medium: what they are.
        files: the paths, or the files' contents where a table holds them.
        table: an entry a file: the columns of the metadata, or the column `label` made of the folders' names.
        column: the table's column of the files.
        sources: where each was found: a row of the table, or the file itself.
        notes: what was decided in finding them, in sentences for the user.
    """

    medium: Medium
    files: tuple[Path | bytes, ...]
    table: Table
    column: str
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()


def media_folder(folder: str | Path) -> MediaFiles:
    """The media files of a folder.

    Args:
        folder: holds a table of metadata with the column `file_name`, or a folder for every class: all
            files in it, in further folders too, are of that class. Where a class has nothing but folders of
            images, these are clips.

    Raises:
        DataError: there are no such files or they are of several kinds, a file of the metadata is missing,
            or the folder holds the splits of a data set rather than classes.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("cat", "dog"):
        ...         Path(folder, name).mkdir()
        ...         Path(folder, name, "1.png").touch()
        ...     found = media_folder(folder)
        >>> found.medium, [path.name for path in found.files], found.table.column("label")
        ('image', ['1.png', '1.png'], ['cat', 'dog'])
    """
    folder = Path(folder)
    metadata = next((folder / name for name in METADATA if (folder / name).is_file()), None)
    if metadata is not None:
        return media_table(read_table(metadata, columns=[FILE_COLUMN]), FILE_COLUMN)
    classes = subfolders(folder)
    found = [(each.name, path) for each in classes for path in _members(each)]
    if not found:
        raise DataError(
            f"expected a folder of images, clips or recordings for every class, or {METADATA[0]} (or .jsonl) "
            "beside the files, found neither",
            path=folder,
            remedy="see docs/files.md",
        )
    _require_classes(folder, [each.name for each in classes])
    paths = tuple(path for _, path in found)
    columns = {FILE_COLUMN: [str(path) for path in paths], "label": [name for name, _ in found]}
    table = Table(folder, columns, np.arange(1, len(paths) + 1))
    medium = only_medium(paths, folder)
    sources = tuple(map(Source, paths))
    return MediaFiles(medium, paths, table, FILE_COLUMN, sources, _said_of_depth(folder, medium, paths))


def media_file(path: Path) -> MediaFiles:
    """One file alone, of which nothing else is known."""
    medium = only_medium([path], path)
    return MediaFiles(
        medium, (path,), Table(path, {FILE_COLUMN: [str(path)]}, np.array([1])), FILE_COLUMN, (Source(path),)
    )


def media_column(table: Table) -> str | None:
    """The column of a table that names files or holds them; None where there is none."""
    if FILE_COLUMN in table.columns:
        return FILE_COLUMN
    for name, cells in table.columns.items():
        first = next((cell for cell in cells if not is_missing(cell)), None)
        if isinstance(first, Mapping) and {"bytes", "path"} <= first.keys():
            return name
    return None


def media_table(table: Table, column: str) -> MediaFiles:
    """The files that a table names, relative to the folder it is in, or holds as `{bytes, path}`.

    Raises:
        DataError: there is no such column, or a file it names is missing.
    """
    sources = tuple(table.source(entry, column) for entry in range(len(table)))
    cells = table.column(column)
    # A DataFrame is in no folder, and its name is a text.
    folder = table.path.parent if isinstance(table.path, Path) else None
    files = tuple(_file(folder, cell, source) for cell, source in zip(cells, sources, strict=True))
    medium = _only(map(_medium_in(column), cells, files), table.path)
    return MediaFiles(medium, files, table, column, sources)


def medium_of(path: Path) -> Medium | None:
    """What a file is by its name; a folder with images in it is a clip."""
    if path.is_dir():
        return "frames"
    return MEDIA.get(path.suffix.lower())


def only_medium(paths: Iterable[Path], where: str | Path) -> Medium:
    """The one kind that all files are of.

    Raises:
        DataError: they are of several kinds, or of none known.
    """
    return _only(map(medium_of, paths), where)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder but for hidden ones, by name."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def media_within(folder: Path) -> Iterator[Path]:
    """The media files directly in a folder, by name; hidden ones are left out."""
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in MEDIA and not path.name.startswith(".") and path.is_file():
            yield path


def _members(folder: Path) -> list[Path]:
    """The media of a class: its folders of frames, or its files, those in further folders too."""
    inside, direct = subfolders(folder), list(media_within(folder))
    if not direct and not any(map(_is_nested, inside)):
        return inside
    return direct + [path for each in inside for path in _within_all(each)]


def _is_nested(folder: Path) -> bool:
    """Whether a folder in that of a class holds something else than the frames of a clip."""
    others = any(medium_of(path) != "image" for path in media_within(folder))
    return others or any(_within_all(each) for each in subfolders(folder))


def _within_all(folder: Path) -> list[Path]:
    """The media files in a folder and in all folders under it."""
    return [*media_within(folder), *(path for each in subfolders(folder) for path in _within_all(each))]


def _said_of_depth(folder: Path, medium: Medium, paths: Iterable[Path]) -> tuple[str, ...]:
    """A sentence on folders in those of the classes, for either name could be meant for the class."""
    if medium == "frames":
        return (
            "Each folder in those of the classes is read as a clip, its images as the frames; single images "
            "belong in the class's own folder.",
        )
    deep = sum(len(path.relative_to(folder).parts) > 2 for path in paths)
    if not deep:
        return ()
    return (f"The class is the first folder's name, also of the {deep:,} files in folders further down.",)


def _file(folder: Path | None, cell: Any, source: Source) -> Path | bytes:
    if isinstance(cell, Mapping):
        content = cell.get("bytes")
        if isinstance(content, bytes):
            return content
        cell = cell.get("path")
    if not isinstance(cell, str) or not cell.strip():
        raise source.error(f"expected the name of a file, got {cell!r:.60}")
    return named_within(folder, cell, source)


def _medium_in(column: str) -> Callable[[Any, Path | bytes], Medium | None]:
    """What the files of a column are; contents without a name are taken for what the column is called."""
    nameless: Medium = "audio" if "audio" in column.lower() else "image"

    def medium(cell: Any, file: Path | bytes) -> Medium | None:
        if isinstance(file, Path):
            return medium_of(file)
        return MEDIA.get(Path(cell.get("path") or "").suffix.lower(), nameless)

    return medium


def _only(found: Iterable[Medium | None], where: str | Path) -> Medium:
    """The one kind that all files are of."""
    counts = Counter(found)
    if None in counts:
        raise DataError(
            f"expected files ending in {', '.join(MEDIA)}, found {counts[None]} with other endings",
            path=where,
        )
    if len(counts) > 1:
        listed = ", ".join(f"{count} of {medium}" for medium, count in counts.most_common())
        raise DataError(
            f"expected files of one kind, found {listed}", path=where, remedy="keep one kind in the folder"
        )
    return next(medium for medium in counts if medium is not None)


def _require_classes(folder: Path, names: list[str]) -> None:
    """The splits of a data set would pass for its classes."""
    if all(name.lower() in _SPLITS for name in names):
        first = next((name for name in names if name.lower().startswith("train")), names[0])
        raise DataError(
            f"expected a folder for every class, found those of splits: {', '.join(names)}",
            path=folder,
            remedy=f"name one of them, such as {folder / first}",
        )
