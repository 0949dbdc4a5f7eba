"""The cells of a long column, in as many bytes as they have: in a list each takes some sixty more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from typing import Any, overload

import numpy as np

PIECE = 50_000
"""Cells that are held as strings at a time; a column of fewer is a list."""


class CompactTexts(Sequence[str]):
    """Texts one behind the other, in UTF-8; a slice shares them.

    Args:
        content: the texts.
        starts: `(count + 1,)` where each begins, and where the last ends.
    """

    __slots__ = ("_content", "_starts")

    def __init__(self, content: bytes | bytearray, starts: np.ndarray) -> None:
        self._content, self._starts = content, starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        """A text, or those of a slice."""
        if isinstance(place, slice):
            first, last, step = place.indices(len(self))
            if step != 1:
                return [self[each] for each in range(first, last, step)]
            return CompactTexts(self._content, self._starts[first : max(first, last) + 1])
        each = range(len(self))[place]
        return self._content[self._starts[each] : self._starts[each + 1]].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.pieces())

    def pieces(self) -> Iterator[list[str]]:
        """All of them, so many at a time."""
        for first in range(0, len(self), PIECE):
            starts = self._starts[first : first + PIECE + 1].tolist()
            content = self._content[starts[0] : starts[-1]]
            spans = [(start - starts[0], end - starts[0]) for start, end in pairwise(starts)]
            if content.isascii():
                text = content.decode("ascii")
                yield [text[start:end] for start, end in spans]
            else:
                yield [content[start:end].decode("utf-8", "surrogatepass") for start, end in spans]

    def __repr__(self) -> str:
        return f"<{len(self):,} texts>"


class _Writer:
    """Appends texts to those that a `CompactTexts` will hold."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._lengths: list[np.ndarray] = [np.zeros(1, dtype=np.int64)]

    def extend(self, texts: Sequence[str]) -> None:
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        self._content += b"".join(encoded)
        self._lengths.append(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))

    def done(self) -> CompactTexts:
        return CompactTexts(self._content, np.cumsum(np.concatenate(self._lengths)))


def columns_of_rows(rows: Iterable[Sequence[str]], width: int) -> list[Sequence[str]]:
    """The columns of rows of as many cells each; as lists where there are few.

    Example:
        >>> columns_of_rows([["a", "1"], ["b", "2"]], 2)
        [['a', 'b'], ['1', '2']]
    """
    left = iter(rows)
    first = list(islice(left, PIECE))
    if len(first) < PIECE:
        return [list(column) for column in zip(*first, strict=True)] or [[] for _ in range(width)]
    writers = [_Writer() for _ in range(width)]
    piece: Sequence[Sequence[str]] = first
    while piece:
        for writer, column in zip(writers, zip(*piece, strict=True), strict=True):
            writer.extend(column)
        piece = list(islice(left, PIECE))
    return [writer.done() for writer in writers]


def compact(texts: Iterable[str]) -> Sequence[str]:
    """Texts that are made one after the other; as a list where they are few.

    Example:
        >>> compact(text.strip() for text in [" a", "b "])
        ['a', 'b']
    """
    (column,) = columns_of_rows(((text,) for text in texts), 1)
    return column


def pieces_of(cells: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cells a piece at a time where they are held so, for what would make a list of all; else as they are."""
    return cells.pieces() if isinstance(cells, CompactTexts) else iter((cells,))
