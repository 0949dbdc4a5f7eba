"""A single file that is replaced as a whole, and the folder it goes to."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from unrolled.errors import StorageError

MANIFEST = "manifest.json"
"""The file by which a model folder or a checkpoint is known, which lists the others."""

_LONGEST_NAME = 255
"""Bytes of a file's name, on nearly every file system."""


def beside(path: Path, role: str) -> Path:
    """The hidden name beside a file or folder for what is being written, no longer than names may be.

    Example:
        >>> beside(Path("model"), "partial").name, len(beside(Path("a" * 255), "partial").name)
        ('.model.partial', 41)
    """
    name = f".{path.name}.{role}"
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}.{role}"
    return path.with_name(name)


def as_bytes(text: str) -> bytes:
    r"""Text as UTF-8; half a character, which UTF-8 has not, as its escape, which JSON reads as what it was.

    Example:
        >>> as_bytes("\ud800")
        b'\\ud800'
    """
    return text.encode("utf-8", "backslashreplace")


_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_file(path: str | Path, content: str | bytes) -> Path:
    """Write a file whole, text as UTF-8, or leave what was there untouched.

    What no SVG and no page may hold, as the beginning of an escape sequence in a label, is replaced there.

    Raises:
        StorageError: the disk would not take it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as home:
        ...     write_file(f"{home}/scores.json", "{}").read_text()
        '{}'
    """
    target = Path(path).expanduser()
    partial = beside(target, "partial")
    try:
        if target.suffix.lower() in (".svg", ".html"):
            text = content if isinstance(content, str) else content.decode("utf-8", "surrogatepass")
            content = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
        partial.write_bytes(as_bytes(content) if isinstance(content, str) else content)
        partial.replace(target)
    except BaseException as error:
        # A read-only file system refuses even to remove what is not there.
        with suppress(OSError, ValueError):
            partial.unlink()
        if not isinstance(error, OSError | ValueError):  # Ctrl-C; a name with a zero byte is a ValueError
            raise
        raise StorageError(
            f"{target}: could not be written: {_reason(error)}; what was there before is untouched."
        ) from error
    return target


def make_folder(path: str | Path) -> Path:
    """Make a folder, and those above it, where they are not there yet.

    Raises:
        StorageError: it cannot be made.
    """
    folder = Path(path).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise StorageError(f"{folder}: the folder could not be made: {_reason(error)}.") from error
    return folder


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
