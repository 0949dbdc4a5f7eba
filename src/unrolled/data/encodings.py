"""The encoding of a text, from its bytes."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unrolled.data.compressed import unpacked
from unrolled.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 1000
_SPACING = dict.fromkeys(map(ord, "\t\n\r\u00a0\u00ad"))
"""What stands between what is printed: French numbers have a no-break space before their sign."""
_FOREIGN = 0.3
"""More than this share of letters beyond ASCII, and a text is of no language that Windows-1252 is for."""


def decoded_text(content: bytes, path: str | Path, encoding: str | None = None) -> tuple[str, str | None]:
    r"""A file's text, and what was assumed about its encoding, if anything.

    Args:
        content: its bytes.
        path: where they are from, for messages.
        encoding: how they are encoded; None takes what a byte-order mark or the zeros of UTF-16 say, then
            UTF-8, then Windows-1252 where the text reads like one.

    Raises:
        DataError: the bytes are not text in the encoding, or it cannot be told.

    Example:
        >>> decoded_text("caf\xe9 au lait".encode("cp1252"), "t.csv")
        ('café au lait', 'The file is not UTF-8 and is read as Windows-1252; --encoding names another.')
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    asked = encoding or marked or _of_zeros(content) or "utf-8"
    if encoding is not None and marked == "utf-8-sig" and codecs.lookup(encoding).name == "utf-8":
        asked = marked
    try:
        return content.decode(asked), None
    except UnicodeDecodeError as error:
        if asked == "utf-8" and encoding is None and _is_western(content):
            note = "The file is not UTF-8 and is read as Windows-1252; --encoding names another."
            return content.decode("cp1252"), note
        # Any text before the first bad byte decodes, so its lines can be counted.
        row = content[: error.start].decode(asked, errors="replace").count("\n") + 1
        raise DataError(
            f"expected text in {asked}, got the byte 0x{content[error.start]:02x}",
            path=path,
            row=row,
            remedy="say --encoding (such as cp1252, cp1251 or gb18030), or save the file as UTF-8",
        ) from error


@dataclass(frozen=True, slots=True)
class TextLines:
    """The lines of a text file, with what was assumed about it.

    Attributes:
        lines: without their ends; what comes first is row 1.
        notes: sentences for the user.
    """

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def numbered(self) -> Iterator[tuple[int, str]]:
        """Every line behind its row."""
        return enumerate(self.lines, start=1)


def read_lines(path: str | Path, encoding: str | None = None) -> TextLines:
    """A text file, compressed or not, as a whole.

    Args:
        path: the file.
        encoding: as `decoded_text` takes it.

    Raises:
        DataError: the file is missing, empty or damaged, or is not text.
    """
    text, note = decoded_text(unpacked(path), path, encoding)
    lines = tuple(line.rstrip("\n") for line in io.StringIO(text, newline=None))
    return TextLines(lines, (note,) if note else ())


def _of_zeros(content: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of text in Latin letters is zero."""
    start = content[:_LOOKED_AT]
    if b"\0" not in start:
        return None
    low, high = start[0::2], start[1::2]
    if high.count(0) > len(high) / 2 > 2 * low.count(0):
        return "utf-16-le"
    return "utf-16-be" if low.count(0) > len(low) / 2 > 2 * high.count(0) else None


def _is_western(content: bytes) -> bool:
    """Whether bytes that are not UTF-8 read like a text in Windows-1252."""
    kept = content.decode("utf-8", errors="ignore")
    damaged = len(content) - len(kept.encode())
    # Where most of what is beyond ASCII is UTF-8, a byte is broken.
    if sum(not character.isascii() for character in kept) >= damaged:
        return False
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    letters = [character for character in text if character.isalpha()]
    beyond = sum(not character.isascii() for character in letters)
    return text.translate(_SPACING).isprintable() and beyond <= _FOREIGN * len(letters)
