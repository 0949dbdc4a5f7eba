"""What kind of file comes through a pipe, told by its first line as a file's ending would tell it."""

from __future__ import annotations

import csv
import io
import zipfile

from unrolled.data.compressed import BROKEN, decompressed
from unrolled.data.delimited import SEPARATORS
from unrolled.data.header_rows import is_usual_name
from unrolled.data.table_form import TableForm

_MAGIC = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"\x93NUMPY": ".npy",
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"RIFF": ".wav",
    b"fLaC": ".flac",
    b"MThd": ".mid",
}
_COMPRESSED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz"}
_DEEPEST = 3
"""How many times over something may be compressed."""
_ARCHIVE = b"PK\x03\x04"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def is_binary(start: bytes) -> bool:
    """Whether what begins so is no text that could be read line by line.

    Example:
        >>> is_binary(b"PAR1"), is_binary(b"a fine film")
        (True, False)
    """
    return start.startswith((*_MAGIC, *_COMPRESSED, _ARCHIVE, *_UTF16))


def unwrapped(content: bytes, deepest: int = _DEEPEST) -> tuple[bytes, str | None]:
    """What a pipe brought, decompressed and text as UTF-8, and a file's ending for it; None for text."""
    for magic, kind in _COMPRESSED.items():
        if content.startswith(magic):
            try:
                found = decompressed(content, kind)
            except BROKEN:
                return content, kind  # whose reader will say what is wrong with it
            return unwrapped(found, deepest - 1) if deepest else (found, kind)
    if content.startswith(_UTF16):
        return content.decode("utf-16", errors="replace").encode(), None
    if content.startswith(_ARCHIVE):
        return content, _ending_of_archive(content)
    return content, next((ending for magic, ending in _MAGIC.items() if content.startswith(magic)), None)


def table_ending(first: str, form: TableForm) -> str | None:
    """The ending of a table that begins with a line; None where it begins with none that is known as such.

    Args:
        first: the line.
        form: what is known of how tables are written, and of the training data.

    Example:
        >>> table_ending('{"text": "fine"}', TableForm()), table_ending("text,label", TableForm())
        ('.jsonl', '.csv')
        >>> table_ending("a fine film, so fine", TableForm()) is None
        True
    """
    line = first.strip()
    if line.startswith("{") and line.endswith("}"):
        return ".jsonl"
    if line == "[" or line.startswith("[{"):
        return ".json"
    known = form.known
    for separator in (form.separator,) if form.separator else SEPARATORS:
        cells = next(csv.reader([first.rstrip("\r\n")], delimiter=separator), [])
        names = [cell.strip().lower() for cell in cells]
        usual = len(names) > 1 and all(map(is_usual_name, names))
        named = known is not None and known.header and set(names) <= {*map(str.lower, known.names)}
        nameless = (
            known is not None
            and len(names) == len(known.names) > 1
            and (separator == "\t" or not known.header)
            and separator == known.separator
        )
        if names and (usual or named or nameless):
            return ".tsv" if separator == "\t" else ".csv"
    return None


def _ending_of_archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return ".zip"
    if any(name.startswith("xl/") for name in names):
        return ".xlsx"
    return ".npz" if names and all(name.endswith(".npy") for name in names) else ".zip"
