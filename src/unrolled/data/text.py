"""Text files: opening them, naming the line that is not text, and reading them as documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

from unrolled.data.outside import files_below
from unrolled.errors import DataError

_CHUNK = 1 << 20
_HIDDEN = (".", "__")


def located(path: str | Path) -> Path:
    """A path as the system knows it: the home folder in place of `~`.

    Raises:
        DataError: no file can be called so; it is too long, say.
    """
    try:
        found = Path(path) if Path(path).exists() else Path(path).expanduser()
        found.exists()
    except (OSError, ValueError, RuntimeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"expected the path of a file, got {str(path)!r:.60}: {said}", remedy="check the path"
        ) from error
    return found


def existing_file(path: str | Path) -> Path:
    """The path of a file that is there and not empty.

    Raises:
        DataError: it is missing, is a folder, or is empty.
    """
    path = located(path)
    if path.is_dir():
        raise DataError("expected a file, found a folder", path=path, remedy="name one of the files in it")
    if not path.exists():
        raise DataError("expected a file, found none", path=path, remedy="check the path")
    if path.stat().st_size == 0:
        raise DataError("expected data, found an empty file", path=path)
    return path


@contextmanager
def open_text(path: str | Path, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A text file for reading, line ends as they are, a byte-order mark left out.

    Raises:
        DataError: the file is missing, empty, or not text in this encoding; then the row is the line.
    """
    path = existing_file(path)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding) from error


def _undecodable(path: Path, encoding: str) -> DataError:
    row, found = None, "other bytes"
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                row, found = number, f"the byte 0x{line[error.start]:02x}"
                break
    return DataError(
        f"expected text in {encoding}, got {found}", path=path, row=row, remedy="save the file as UTF-8"
    )


class TextFiles:
    r"""Text files as documents, read piece by piece each time they are gone through.

    Args:
        paths: the files.
        document: whether each `file` or each `line` is a document; empty lines are none.
        encoding: None reads bytes, of whatever kind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "names.txt")
        ...     _ = path.write_text("Ada\nAlan\n")
        ...     [["".join(document) for document in TextFiles([path], document="line")]]
        [['Ada', 'Alan']]
    """

    def __init__(
        self,
        paths: Iterable[str | Path],
        document: Literal["file", "line"] = "file",
        encoding: str | None = "utf-8",
    ) -> None:
        self.paths = [existing_file(path) for path in paths]
        self.document = document
        self.encoding = encoding

    def __iter__(self) -> Iterator[Iterator[str] | Iterator[bytes]]:
        for path in self.paths:
            if self.document == "line":
                yield from _lines(path, self.encoding)
            else:
                yield _chunks(path, self.encoding)


def text_files(
    path: str | Path,
    *,
    document: Literal["file", "line"] = "file",
    suffixes: Iterable[str] = (),
    encoding: str | None = "utf-8",
) -> TextFiles:
    """A text file, or every file in a folder and the folders in it, in sorted order.

    Args:
        path: a file or a folder; in a folder, hidden files, those in hidden folders and empty ones are left
            out.
        document: whether each `file` or each `line` is a document.
        suffixes: only files in the folder whose names end so, such as `.txt`.
        encoding: None reads bytes, of whatever kind.

    Raises:
        DataError: there is no such path, or no file in the folder.
    """
    path = Path(path)
    if not path.is_dir():
        return TextFiles([path], document, encoding)
    endings = tuple(suffixes)
    inside = [
        file
        for file in files_below(path)
        if file.is_file()
        and file.stat().st_size
        and not any(part.startswith(_HIDDEN) for part in file.relative_to(path).parts)
        and (not endings or file.name.endswith(endings))
    ]
    if not inside:
        wanted = f"files ending in {' or '.join(endings)}" if endings else "files"
        raise DataError(f"expected {wanted} in the folder, found none", path=path)
    return TextFiles(inside, document, encoding)


def _chunks(path: Path, encoding: str | None) -> Iterator[str] | Iterator[bytes]:
    if encoding is None:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK), b"")  # pyright: ignore[reportReturnType]
    else:
        with open_text(path, encoding) as text:
            yield from iter(lambda: text.read(_CHUNK), "")  # pyright: ignore[reportReturnType]


def _lines(path: Path, encoding: str | None) -> Iterator[Iterator[str] | Iterator[bytes]]:
    if encoding is None:
        with path.open("rb") as file:
            yield from (iter([line.rstrip(b"\r\n")]) for line in file if line.strip())
    else:
        with open_text(path, encoding) as text:
            yield from (iter([line.rstrip("\r\n")]) for line in text if line.strip())
