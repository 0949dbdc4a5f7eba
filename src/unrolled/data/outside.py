"""The bounds of a folder of data: what lies outside is not read because a link or a table in it says so.

A data set that somebody else packed may hold a link to any file of its reader's. The path that a user gives
is their own, a link or not; within it links lead about freely, and in a cache of the Hugging Face Hub to the
contents that the cache keeps beside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.errors import DataError

if TYPE_CHECKING:
    from unrolled.data.example import Source

_DEEPEST = 200
"""Folders in one another; each reader goes down a folder at a time."""
_OFTEN = 100
"""How often every file may be met by way of links, on average."""
_FEW = 100_000
"""Files that may be met in any case."""

_allowed: ContextVar[bool] = ContextVar("_allowed", default=False)
_whole: dict[str, Path] = {}
"""The folder that a user named, by each part that was found in it and is read by itself."""


@contextmanager
def reading_outside(allowed: bool = True) -> Iterator[None]:
    """Read what lies outside a folder of data, inside the `with`.

    Args:
        allowed: False leaves it as it is.

    Example:
        >>> with reading_outside():
        ...     require_within(Path(os.curdir))
    """
    before = _allowed.set(allowed or _allowed.get())
    try:
        yield
    finally:
        _allowed.reset(before)


def require_within(folder: Path) -> None:
    """Follow every link in a folder and the folders in it, hidden ones left out, before anything is read.

    Args:
        folder: as the user names it; it may be a link itself.

    Raises:
        DataError: a link leads out of the folder and that was not allowed, to nothing, or round in a circle;
            by way of links there is far more than there is; or folders are nested too deep. Names the link.
    """
    homes = _homes(folder)
    met: dict[str, int | None] = {}
    """The files met in each folder, by its real path; None while it is gone through."""
    there, opened = 0, [_Open(str(folder))]
    while opened:
        inside = opened[-1]
        met[inside.real] = None
        for entry in inside.entries:
            if entry.is_symlink():
                _require_leading(Path(entry.path), homes)
            if not _is_folder(entry):
                there += 1
                inside.count += 1
                continue
            below = _Open(entry.path)
            if below.real not in met:
                if len(opened) == _DEEPEST:
                    raise DataError(
                        f"expected folders in one another {_DEEPEST} deep at most, found more",
                        path=entry.path,
                    )
                opened.append(below)
                break
            inside.add(met[below.real], entry.path, there)
        else:
            opened.pop()
            met[inside.real] = inside.count
            if opened:
                opened[-1].add(inside.count, inside.path, there)


def belongs(part: Path, folder: Path) -> None:
    """Say that a part, which will be read by itself, is of a folder, all of which is open to its links."""
    _whole[str(part)] = folder


def named_within(folder: Path | None, name: str, source: Source) -> Path:
    """The file that a table names.

    Args:
        folder: where the table is, to which names are relative; None for one that is in no file, whose names
            are the user's own.
        name: of the file.
        source: where the table says so.

    Raises:
        DataError: it lies outside the folder and that was not allowed, or is not there.
    """
    path = Path(name) if folder is None else folder / name
    try:
        there = path.exists()
    except (OSError, ValueError):  # no file can be called so
        there = False
    if not there:
        raise source.error(
            f"expected the file {str(path)[:200]}, found none", remedy="correct the name or add the file"
        )
    if folder is not None and not (_allowed.get() or _lies_in(os.path.realpath(path), _homes(folder))):
        raise source.error(
            f"expected a file in the folder of the table, got {name!r:.200}, which lies outside",
            remedy=_remedy("it"),
        )
    return path


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and in all folders in it, by name, links followed; hidden ones are left out.

    Args:
        folder: one that `require_within` has looked at, so that links lead to an end.
    """
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(found)


@dataclass
class _Open:
    """A folder that is gone through, and the files met in it so far, those in folders in it too."""

    path: str
    count: int = 0

    def __post_init__(self) -> None:
        self.real = os.path.realpath(self.path)

    @cached_property
    def entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self.path) as found:
            shown = [entry for entry in found if not entry.name.startswith(".")]
        return iter(sorted(shown, key=lambda entry: entry.name))

    def add(self, met: int | None, path: str, there: int) -> None:
        """Add the files met in a folder in it, of so many that are there."""
        if met is None:
            raise DataError(
                "expected a folder, found a link that leads round in a circle",
                path=path,
                remedy="remove it",
            )
        self.count += met
        if self.count > max(_FEW, _OFTEN * there):
            raise DataError(
                f"expected data, found links that lead to {there:,} files {_OFTEN} times and more",
                path=path,
                remedy="remove them",
            )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _require_leading(link: Path, homes: tuple[str, ...]) -> None:
    """A link that leads somewhere, and not out of where it may.

    Raises:
        DataError: it does not.
    """
    real = os.path.realpath(link)
    if not _allowed.get() and not _lies_in(real, homes):
        raise DataError(
            f"expected data in its own folder, found a link that leads out of it, to {real:.200}",
            path=link,
            remedy=_remedy("what it leads to"),
        )
    if not link.exists():
        raise DataError(
            f"expected a file, found a link that leads to none, to {real:.200}",
            path=link,
            remedy="bring the file back, or remove the link",
        )


def _homes(folder: Path) -> tuple[str, ...]:
    """Where links in a folder may lead: into it, and from a cache of the Hub to the contents it keeps."""
    folder = _whole.get(str(folder), folder)
    real = Path(os.path.realpath(folder))
    homes = [str(real)]
    for place in (real, *real.parents):
        blobs = place.parent / "blobs"
        if place.name == "snapshots" and blobs.is_dir() and not blobs.is_symlink():
            homes.append(str(blobs))
    return tuple(homes)


def _lies_in(real: str, homes: tuple[str, ...]) -> bool:
    return any(real == home or real.startswith(home.rstrip(os.sep) + os.sep) for home in homes)


def _remedy(what: str) -> str:
    return f"--read-outside reads {what} nevertheless, in Python `with unrolled.reading_outside():`"
