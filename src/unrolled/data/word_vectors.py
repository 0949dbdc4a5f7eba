"""Vectors of words that were trained elsewhere: files of word2vec, GloVe and fastText, as text or binary."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from unrolled.data import fasttext_model
from unrolled.data.compressed import opened
from unrolled.errors import DataError

_LONGEST_WORD = 1000
"""Bytes, beyond which a binary file is none of words."""


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """Words and their vectors.

    Attributes:
        words: each once.
        values: ``(word, size)`` float32.
    """

    words: tuple[str, ...]
    values: np.ndarray

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        return self.values.shape[1]


def read_word_vectors(path: str | Path, most: int, wanted: Collection[str] = ()) -> WordVectors:
    """The first vectors of a file, which are those of the most frequent words, and those of wanted words.

    Args:
        path: a text file with a word and its numbers on each line, after a line of two counts or not
            (word2vec, GloVe, fastText's ``.vec``); a binary file of word2vec; or a binary model of fastText.
            May be compressed.
        most: how many of the first ones are taken.
        wanted: words that are taken wherever they are in the file.

    Raises:
        DataError: the file is missing, empty or of no such form, or a row has other than so many numbers.
    """
    path = Path(path)
    with opened(path) as file:
        start = file.read(4)
        file.seek(0)
        if start == fasttext_model.MAGIC:
            rows: Iterator[tuple[str, np.ndarray]] = fasttext_model.vectors(file, path, most, wanted)
        elif _is_binary(file):
            rows = _binary(file, path)
        else:
            rows = _text(file, path)
        words: dict[str, np.ndarray] = {}
        for place, (word, vector) in enumerate(rows):
            if (place < most or word in wanted) and word not in words:
                words[word] = vector
    if not words:
        raise DataError("expected words with their vectors, found none", path=path)
    return WordVectors(tuple(words), np.stack(list(words.values())).astype(np.float32))


def _is_binary(file: BinaryIO) -> bool:
    """Whether a line of two counts is followed by a word and by bytes that are no text."""
    header = file.readline(100).split()
    sample = file.read(2000)
    file.seek(0)
    if len(header) != 2 or not all(part.isdigit() for part in header):
        return False
    size = int(header[1])
    line = sample.partition(b"\n")[0]
    parts = line.strip().split(b" ")
    return len(parts) != size + 1 or not all(map(_is_number, parts[1:]))


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True


def _text(file: BinaryIO, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    size: int | None = None
    for row, line in enumerate(file, start=1):
        parts = line.decode("utf-8", errors="replace").rstrip().split(" ")
        if row == 1 and len(parts) == 2 and all(part.isdigit() for part in parts):
            size = int(parts[1])
            continue
        if len(parts) < 2:
            if not parts[0]:
                continue
            raise DataError("expected a word and its numbers, got one word", path=path, row=row)
        size = size or len(parts) - 1
        # A word may have spaces in it, but none of its numbers has.
        word, numbers = " ".join(parts[:-size]), parts[-size:]
        further = parts[1:-size]
        if not word or (further and all(_is_number(part.encode()) for part in further)):
            found = f"expected a word and {size} numbers as in the first row, got {len(parts) - 1}"
            raise DataError(found, path=path, row=row)
        try:
            vector = np.array(numbers, dtype=np.float32)
        except ValueError:
            wrong = next(part for part in numbers if not _is_number(part.encode()))
            found = f"{size} numbers, got {wrong!r:.40} among them"
            raise DataError(f"expected a word and {found}", path=path, row=row) from None
        if not np.isfinite(vector).all():
            raise DataError("expected finite numbers, got others among them", path=path, row=row)
        yield word, vector


def _binary(file: BinaryIO, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    count, size = map(int, file.readline(100).split())
    for row in range(1, count + 1):
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b""):
            word += byte
            if len(word) > _LONGEST_WORD:
                raise DataError("expected a word before its numbers, got none", path=path, row=row)
        content = file.read(4 * size)
        if len(content) < 4 * size:
            raise DataError(f"expected {count:,} words of {size} numbers, the file ends", path=path, row=row)
        yield (
            bytes(word).decode("utf-8", errors="replace").lstrip("\n"),
            np.frombuffer(content, dtype="<f4"),
        )
