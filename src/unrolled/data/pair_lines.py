"""Pairs of texts in plain lines: apart by a tab, by bars, or by two blanks as in pronouncing dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unrolled.data.encodings import TextLines
from unrolled.data.example import Example, Examples, Source

_SEPARATORS = {
    "a tab": re.compile(r"\t"),
    "three bars": re.compile(r"\s+\|\|\|\s+"),
    "two blanks": re.compile(r"(?<=\S) {2,}(?=\S)"),
}
_COMMENT = ";;;"
"""How lines begin that are remarks, in the CMU pronouncing dictionary."""


@dataclass(frozen=True, slots=True)
class PairLines:
    """Lines of a source and a target each.

    Attributes:
        path: the file.
        text: its lines.
        separator: what stands between the two, by its name.
    """

    path: str | Path
    text: TextLines
    separator: str

    def examples(self, *, paired: bool) -> Examples:
        """The pairs, or the sources alone.

        Raises:
            DataError: a source or a target is empty.
        """
        items, more = [], False
        for row, line in _said(self.text):
            place = Source(self.path, row)
            source, target, *rest = (part.strip() for part in _SEPARATORS[self.separator].split(line))
            more = more or bool(rest)
            for name, side in (("source", source), ("target", target)):
                if not side:
                    raise place.error(f"expected a {name}, got none")
            items.append(Example(source, target if paired else None, place))
        rest = "; what comes after the second is left out" if more else ""
        note = f"Sources and targets stand in one line with {self.separator} between them{rest}."
        return Examples(tuple(items), (*self.text.notes, note))


def pair_lines(path: str | Path, text: TextLines, *, paired: bool = True) -> PairLines | None:
    """The lines of a file as pairs; None where no separator divides all of them alike.

    Args:
        path: the file.
        text: its lines.
        paired: False: they may be sources alone, in which two blanks say nothing.

    Example:
        >>> pair_lines("cmu.dict", TextLines((";;; a remark", "ABBEY  AE1 B IY0"))).separator
        'two blanks'
        >>> pair_lines("t.txt", TextLines(("one line", "another"))) is None
        True
    """
    for name, separator in _SEPARATORS.items():
        if name == "two blanks" and not paired:
            continue
        counts = {len(separator.findall(line)) for _, line in _said(text)}
        if len(counts) == 1 and 0 not in counts and (name == "a tab" or counts == {1}):
            return PairLines(path, text, name)
    return None


def _said(text: TextLines) -> Iterator[tuple[int, str]]:
    """The lines that hold something, behind their rows."""
    return (
        (row, line)
        for row, line in text.numbered()
        if line.strip() and not line.lstrip().startswith(_COMMENT)
    )
