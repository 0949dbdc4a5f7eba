"""Files as they are packed: gzip, bzip2, xz, and zip archives of one member."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from unrolled.data.text import existing_file
from unrolled.errors import DataError

_DECOMPRESSED = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_OPENED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)


def unpacked_suffix(path: str | Path) -> str:
    """The ending of what a file holds, in lower case: of `t.csv.gz` it is `.csv`, of a zip its one member's.

    Example:
        >>> unpacked_suffix("t.csv.gz"), unpacked_suffix("t.TSV")
        ('.csv', '.tsv')
    """
    path = Path(path)
    if path.suffix.lower() in _DECOMPRESSED:
        return Path(path.stem).suffix.lower()
    if path.suffix.lower() == ".zip" and path.is_file():
        return PurePosixPath(_only_member(path)).suffix.lower()
    return path.suffix.lower()


def unpacked(path: str | Path) -> bytes:
    """The bytes that a file holds, unpacked where its ending says that it is compressed.

    Raises:
        DataError: the file is missing or empty, is damaged, or is an archive of several members.
    """
    path = existing_file(path)
    kind = path.suffix.lower()
    try:
        if kind == ".zip":
            member = _only_member(path)
            with zipfile.ZipFile(path) as archive:
                content = archive.read(member)
        else:
            content = path.read_bytes()
            content = _DECOMPRESSED[kind](content) if kind in _DECOMPRESSED else content
    except _BROKEN as error:
        raise DataError(f"expected a {kind} file, but {error}", path=path) from error
    if not content:
        raise DataError("expected data, found an empty file", path=path)
    return content


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """A file for reading its bytes piece by piece, unpacked where its ending says that it is compressed.

    Raises:
        DataError: the file is missing or empty, is damaged, or is an archive of several members.
    """
    path = existing_file(path)
    kind = path.suffix.lower()
    try:
        if kind == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_member(path)) as file:
                yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, file)))
        else:
            with _OPENED.get(kind, open)(path, "rb") as file:
                yield cast(BinaryIO, file)
    except _BROKEN as error:
        raise DataError(f"expected a {kind} file, but {error}", path=path) from error


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                info.filename
                for info in archive.infolist()
                if not info.is_dir() and not info.filename.startswith("__MACOSX/")
            ]
    except _BROKEN as error:
        raise DataError(f"expected a .zip file, but {error}", path=path) from error
    if len(members) != 1:
        listed = ", ".join(members[:5]) + (", ..." if len(members) > 5 else "")
        raise DataError(
            f"expected an archive of one file, found {len(members)}: {listed}", path=path, remedy="unpack it"
        )
    return members[0]
