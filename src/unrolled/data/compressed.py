"""Files as they are packed: gzip, bzip2, xz, and zip archives of one member."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

from unrolled.data.text import existing_file
from unrolled.errors import DataError

_OPENED: dict[str, Callable[[IO[bytes]], Any]] = {
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
}
_LARGEST, _USUAL_RATIO = 2**28, 100
"""Bytes unpacked from which on it counts how many times they are those packed, and how many times may be."""
_PIECE = 2**20
BROKEN = (
    OSError,
    EOFError,
    ValueError,
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
    if path.suffix.lower() in _OPENED:
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
    packed = path.suffix.lower() in (".zip", *_OPENED)
    with opened(path) as stream:
        content = _bounded(stream, path.stat().st_size) if packed else stream.read()
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
            with path.open("rb") as packed, _OPENED.get(kind, nullcontext)(packed) as file:
                yield cast(BinaryIO, file)
    except BROKEN as error:
        raise DataError(f"expected a {kind} file, but {error}", path=path) from error


def decompressed(content: bytes, kind: str) -> bytes:
    """What compressed bytes hold.

    Args:
        content: the bytes.
        kind: the ending of such files: `.gz`, `.bz2` or `.xz`.

    Raises:
        Exception: one of `BROKEN`: they are damaged, or unpack to very many times their size.
    """
    return _bounded(_OPENED[kind](io.BytesIO(content)), len(content))


def require_modest(archive: zipfile.ZipFile, packed: int) -> None:
    """Refuse an archive whose members together are very many times its size.

    Raises:
        ValueError: they are; no member is read for that.
    """
    _require_modest(sum(info.file_size for info in archive.infolist()), packed)


def _bounded(stream: IO[bytes], packed: int) -> bytes:
    pieces, size = [], 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        _require_modest(size, packed)
        pieces.append(piece)
    return b"".join(pieces)


def _require_modest(size: int, packed: int) -> None:
    if size > max(_LARGEST, _USUAL_RATIO * packed):
        raise ValueError(
            f"its {packed:,} bytes unpack to more than {max(_LARGEST, _USUAL_RATIO * packed):,}; if that is "
            "meant, unpack it first"
        )


def _only_member(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                info.filename
                for info in archive.infolist()
                if info.filename and not info.is_dir() and not info.filename.startswith("__MACOSX/")
            ]
    except BROKEN as error:
        raise DataError(f"expected a .zip file, but {error}", path=path) from error
    if len(members) != 1:
        listed = ", ".join(members[:5]) + (", ..." if len(members) > 5 else "")
        raise DataError(
            f"expected an archive of one file, found {len(members)}: {listed}", path=path, remedy="unpack it"
        )
    return members[0]
