"""A part of some documents, by characters, that never enters memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain, pairwise
from typing import Any

from unrolled.data.corpus import Documents
from unrolled.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Documents from one character to another: iterable more than once, each document in chunks.

    Attributes:
        documents: the whole of them.
        name: where they come from, for messages.
        start: the first character (or byte) that belongs to the part.
        stop: the one after the last; None for the end.
        notes: what was assumed in reading them, in sentences for the user.
        counted: the characters of all documents, where they are known.

    Example:
        >>> texts = Texts([["abc", "def"], ["gh"]], "example", start=2, stop=7)
        >>> [list(document) for document in texts]
        [['c', 'def'], ['g']]
        >>> texts.characters
        5
    """

    documents: Documents
    name: str
    start: int = 0
    stop: int | None = None
    notes: tuple[str, ...] = ()
    counted: int | None = None

    def __iter__(self) -> Iterator[Iterator[Any]]:
        position = 0

        def inside(document: Any) -> Iterator[Any]:
            nonlocal position
            for chunk in document:
                begin, position = position, position + len(chunk)
                kept = chunk[
                    max(0, self.start - begin) : None if self.stop is None else max(0, self.stop - begin)
                ]
                if kept:
                    yield kept

        for document in self.documents:
            if self.stop is not None and position >= self.stop:
                return
            chunks = inside(document)
            first = next(chunks, None)
            if first is not None:
                yield chain([first], chunks)
                for _ in chunks:  # a reader may stop early; the position must still be right
                    pass

    @property
    def sizes(self) -> list[int]:
        """The characters of every document."""
        return [sum(map(len, document)) for document in self]

    @property
    def characters(self) -> int:
        """The characters of all documents."""
        return sum(self.sizes) if self.counted is None else self.counted

    def folds(self, count: int) -> Iterator[tuple[Texts, Texts]]:
        """What stands before and after a part, and that part, for each of ``count`` equal ones.

        Example:
            >>> texts = Texts([["abc", "def"], ["gh"]], "example")
            >>> [["".join(document) for document in kept] for kept, _ in texts.folds(2)]
            [['ef', 'gh'], ['abcd']]
        """
        total = self.characters
        cuts = [self.start + total * place // count for place in range(count + 1)]
        for begin, end in pairwise(cuts):
            around = replace(self, stop=begin, counted=None), replace(self, start=end, counted=None)
            part = replace(self, start=begin, stop=end, counted=end - begin)
            yield Texts(_OneAfterAnother(around), self.name, counted=total - (end - begin)), part

    def split(self, share: float) -> tuple[Texts, Texts]:
        """The texts without their last share, and that last share.

        The cut is between two documents where that is nearly (to a fifth) the share asked for, else inside
        one.

        Raises:
            DataError: there is too little text to divide.
        """
        ends = list(accumulate(self.sizes))
        total = ends[-1] if ends else 0
        if total < 2:
            raise DataError(
                f"expected at least 2 characters to hold out some of them, got {total}",
                path=self.name,
                remedy="give more text, or the held-out text with dev=",
            )
        wanted = min(max(round(total * (1 - share)), 1), total - 1)
        border = min(ends[:-1] or [wanted], key=lambda end: abs(end - wanted))
        cut = self.start + (border if abs(border - wanted) <= 0.2 * share * total else wanted)
        before = cut - self.start
        return (
            replace(self, stop=cut, counted=before),
            replace(self, start=cut, counted=total - before),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _OneAfterAnother:
    """The documents of several texts."""

    parts: tuple[Texts, ...]

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.parts)
