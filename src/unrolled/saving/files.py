"""A single text file that is replaced as a whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from unrolled.errors import StorageError


def write_file(path: str | Path, text: str) -> Path:
    """Write a text file whole, or leave what was there untouched.

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
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):  # a read-only file system refuses even to remove what is not there
            partial.unlink()
        raise StorageError(
            f"{target}: could not be written: {error.strerror}; what was there before is untouched."
        ) from error
    return target
