"""fastText's binary models: the vectors of their words.

The form is that of fastText's own ``FastText::loadModel``; a word's vector is the mean of its row and of the
rows of its character n-grams (Bojanowski et al. 2017).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from unrolled.errors import DataError

MAGIC = struct.pack("<i", 793712314)
"""What such a file begins with."""

_WORD = 0
_PRIME, _BASIS, _MASK = 16777619, 2166136261, 0xFFFFFFFF


class _Arguments(NamedTuple):
    """The options that the vectors of words depend on, in the file's order with the others between."""

    size: int
    buckets: int
    shortest: int
    longest: int


def vectors(
    file: BinaryIO, path: Path, most: int, wanted: Collection[str]
) -> Iterator[tuple[str, np.ndarray]]:
    """The words of a model, the most frequent first, and their vectors.

    Args:
        file: at its beginning.
        path: for messages.
        most: of the first words.
        wanted: words that are given wherever they are; others are left out.

    Raises:
        DataError: the file ends too early, or holds a quantised model.
    """
    try:
        _, version = _read(file, "<2i")
        numbers = _read(file, "<12id")
        arguments = _Arguments(numbers[0], numbers[8], numbers[9], numbers[10])
        words = _words(file)
        (quantised,) = _read(file, "<?")
        if version > 12 or quantised:
            raise DataError(
                "expected a fastText model of full vectors, got a quantised one, or one of a later form",
                path=path,
                remedy="give its .vec file",
            )
        count, size = _read(file, "<2q")
        content = file.read(4 * count * size)
        if len(content) < 4 * count * size:
            raise struct.error
    except (struct.error, UnicodeDecodeError):
        raise DataError("expected a whole fastText model, the file ends early", path=path) from None
    rows = np.frombuffer(content, dtype="<f4").reshape(count, size)
    for place, word in enumerate(words):
        if place < most or word in wanted:
            parts = [place, *(len(words) + part for part in _ngrams(word, arguments))]
            yield word, rows[parts].mean(axis=0)


def _words(file: BinaryIO) -> list[str]:
    size, _, _, _, pruned = _read(file, "<3i2q")
    words = []
    for _ in range(size):
        name = bytearray()
        while (byte := file.read(1)) != b"\0":
            if not byte:
                raise struct.error
            name += byte
        _, kind = _read(file, "<qb")
        if kind == _WORD:
            words.append(name.decode("utf-8"))
    _read(file, f"<{2 * max(0, pruned)}i")
    return words


def _ngrams(word: str, arguments: _Arguments) -> Iterator[int]:
    """The buckets of a word's character n-grams, its beginning and end marked."""
    if not arguments.longest or word == "</s>":
        return
    marked = f"<{word}>"
    for start in range(len(marked)):
        for length in range(arguments.shortest, arguments.longest + 1):
            if start + length > len(marked):
                break
            if length == 1 and start in (0, len(marked) - 1):
                continue
            yield hashed(marked[start : start + length]) % arguments.buckets


def hashed(text: str) -> int:
    """The 32-bit FNV-1a hash, as fastText has it: bytes above 127 count as negative ones.

    Example:
        >>> hex(hashed("a")), hex(hashed("foobar"))
        ('0xe40c292c', '0xbf9cf968')
    """
    value = _BASIS
    for byte in text.encode():
        signed = byte - 256 if byte > 127 else byte
        value = ((value ^ (signed & _MASK)) * _PRIME) & _MASK
    return value


def _read(file: BinaryIO, form: str) -> tuple:
    return struct.unpack(form, file.read(struct.calcsize(form)))
