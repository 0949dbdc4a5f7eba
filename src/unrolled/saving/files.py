"""A single file that is replaced as a whole, and the folder it goes to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from unrolled.errors import StorageError


def write_file(path: str | Path, content: str | bytes) -> Path:
    """Write a file whole, text as UTF-8, or leave what was there untouched.

    Raises:
        StorageError: the disk would not take it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as home:
        ...     write_file(f"{home}/scores.json", "{}").read_text()
        '{}'
    """
    target = Path(path)
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):  # a read-only file system refuses even to remove what is not there
            partial.unlink()
        raise StorageError(
            f"{target}: could not be written: {error.strerror}; what was there before is untouched."
        ) from error
    return target


def make_folder(path: str | Path) -> Path:
    """Make a folder, and those above it, where they are not there yet.

    Raises:
        StorageError: it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: the folder could not be made: {error.strerror}.") from error
    return folder
