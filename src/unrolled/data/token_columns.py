"""Files of tokens and tags as text: a token a line, CoNLL-U under whatever name, words like `ran/VERB`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.data.column_names import TAG_NAMES, WORD_NAMES
from unrolled.data.compressed import unpacked_suffix
from unrolled.data.encodings import TextLines
from unrolled.data.example import Example, Examples, Source
from unrolled.errors import ConfigError, DataError
from unrolled.saving.schema import ENTRIES, Count

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_DOCUMENT = "-DOCSTART-"
_DOCUMENT_MARK = re.compile(r"#\s*(begin|end) document\b")
_CONLLU_PLUS = re.compile(r"#\s*global\.columns\s*=\s*(?P<names>.+)")
_ID = re.compile(r"\d+([-.]\d+)?")
_SPAN_TAG = re.compile(r"O|[BIESLUM][-_].+")
_SLASHED = re.compile(r".+/[^/]+")
_GAPS = re.compile(r"[ \t]+")
_WHITE = re.compile(r"[^\S\u00a0\u202f\u2007]+")


def words_in(text: str) -> tuple[str, ...]:
    r"""The words of a sentence given as a text: between white space, but for the kind that does not break.

    Example:
        >>> words_in(" 10\u00a0000 people\t")
        ('10\xa0000', 'people')
    """
    return tuple(word for word in _WHITE.split(text) if word)


_LayoutKind = Literal["columns", "conllu", "slashed", "lines"]


@with_config(ENTRIES)
class SavedLayout(TypedDict):
    """A `TokenLayout` in a model folder."""

    kind: _LayoutKind
    cells: Count
    word: int
    tag: int
    names: list[str]


@dataclass(frozen=True, slots=True)
class TokenLayout:
    """Where the words and tags of a file are.

    Attributes:
        kind: `columns` has a token a line, `conllu` is that standard, `slashed` has a sentence a line whose
            words carry their tags, `lines` a sentence a line without tags.
        cells: how many cells a line has, in columns.
        word: the place of a line's word, from 0.
        tag: the place of its tag, from 0 or, for the last, -1.
        names: those of the columns, where the file gives them.
    """

    kind: _LayoutKind
    cells: int = 0
    word: int = 0
    tag: int = -1
    names: tuple[str, ...] = ()

    def described(self) -> str:
        """In words for a person, who counts from 1.

        Example:
            >>> TokenLayout("columns", 3).described()
            'words in column 1, tags in column 3 of 3'
        """
        if self.kind == "slashed":
            return "words with their tags behind a slash"
        if self.kind == "lines":
            return "a sentence a line"
        if self.names:
            return f"words in column {self.names[self.word]!r}, tags in column {self.names[self.tag]!r}"
        return (
            f"words in column {self.word % self.cells + 1}, tags in column {self.tag % self.cells + 1} "
            f"of {self.cells}"
        )

    def to_json(self) -> SavedLayout:
        """Plain JSON values."""
        return SavedLayout(
            kind=self.kind, cells=self.cells, word=self.word, tag=self.tag, names=list(self.names)
        )

    @classmethod
    def from_json(cls, value: SavedLayout) -> Self:
        """The inverse of `to_json`.

        Raises:
            ValueError: a column lies beyond the last, or not each has a name.
        """
        layout = cls(**{**value, "names": tuple(value["names"])})
        if layout.kind in ("columns", "conllu"):
            within = range(-layout.cells, layout.cells)
            if (
                layout.word not in within
                or layout.tag not in within
                or len(layout.names) not in (0, layout.cells)
            ):
                raise ValueError(f"expected words and tags in {layout.cells} columns, got {layout}")
        return layout


def begins_tokens(first: str, layout: TokenLayout, tags: Sequence[str]) -> bool:
    r"""Whether a line begins a file with a token a line, or with tags behind slashes, and is no sentence.

    Example:
        >>> layout = TokenLayout("columns", 2)
        >>> [begins_tokens(line, layout, ["O"]) for line in ("1\tAda", "Ada O", "Ada ran")]
        [True, True, False]
    """
    cells = first.split()
    if not cells or "\t" in first.strip() or first.startswith(("# ", _DOCUMENT)):
        return True
    slashed = all(_SLASHED.fullmatch(cell) and cell.rpartition("/")[2] in tags for cell in cells)
    tagged = len(cells) == layout.cells and (cells[-1] in tags or cells[0] in tags)
    return slashed or len(cells) == 1 or tagged


class _Line(NamedTuple):
    row: int
    text: str
    cells: list[str]
    first: bool
    """Whether a sentence begins with it."""


class TokenFile:
    """A file of tokens and tags, whatever its layout.

    Args:
        path: the file.
        text: what it holds.
        word: the column of words by name or by number from 1; None finds it.
        tag: that of the tags.
        tagged: whether tags must be there.
        known: the layout of the training data, which another file is read by where it can be.

    Attributes:
        layout: where words and tags are.
        notes: what was taken for what, in sentences for the user.

    Raises:
        ConfigError: there is no such column.
    """

    def __init__(
        self,
        path: Path,
        text: TextLines,
        *,
        word: str | None = None,
        tag: str | None = None,
        tagged: bool = True,
        known: TokenLayout | None = None,
    ) -> None:
        self.path, self.tagged = path, tagged
        self.notes = text.notes
        found = list(_lines_of(text))
        self._tabs = 2 * sum("\t" in line.text.rstrip() for line in found) > len(found)
        lines = [line._replace(cells=self._cut(line.text)) for line in found]
        names = _names_of(lines, path)
        lines, comments = _without_comments(lines)
        if names:
            lines = [line for line in lines if [cell.lower() for cell in line.cells] != list(names)]
        self._lines = _without_empty_end([line for line in lines if _DOCUMENT not in line.cells])
        self._boundaries = {line.row for line in lines if line.first} | {
            after.row for before, after in pairwise(lines) if _DOCUMENT in before.cells
        }
        self.layout = self._found_layout(names, word, tag, known)
        if comments and self.layout.kind == "columns":
            self.notes += (f"{comments:,} lines that begin with '#' are comments.",)

    def examples(self) -> Examples:
        """The sentences.

        Raises:
            DataError: there are none, or a line has no tag or more cells than others.
        """
        readers: Mapping[str, Callable[[list[_Line]], Iterator[Example]]] = {
            "columns": self._of_columns,
            "conllu": self._of_conllu,
            "slashed": self._of_slashed,
            "lines": self._of_lines,
        }
        read = readers[self.layout.kind]
        items = tuple(example for sentence in self._sentences() for example in read(sentence))
        if not items:
            raise DataError("expected sentences, found none", path=self.path)
        return Examples(items, self.notes)

    def _cut(self, text: str) -> list[str]:
        return text.split("\t") if self._tabs else [cell for cell in _GAPS.split(text) if cell]

    def _sentences(self) -> Iterator[list[_Line]]:
        sentence: list[_Line] = []
        for line in self._lines:
            if line.row in self._boundaries and sentence:
                yield sentence
                sentence = []
            sentence.append(line)
        if sentence:
            yield sentence

    def _found_layout(
        self, names: tuple[str, ...], word: str | None, tag: str | None, known: TokenLayout | None
    ) -> TokenLayout:
        if unpacked_suffix(self.path) == ".conllu" or _is_conllu(self._lines):
            asked = tag or (known.names[known.tag] if known and known.kind == "conllu" else "upos")
            names = names or CONLLU_COLUMNS
            return TokenLayout(
                "conllu", len(names), _place(word or "form", names), _place_of_tag(asked, names), names
            )
        widths = Counter(len(line.cells) for line in self._lines)
        cells = max(widths, key=lambda width: (widths[width], width), default=0)
        if word is None and tag is None and known is not None:
            if known.kind == "slashed" and _are_slashed(self._lines):
                return known
            if known.kind == "columns" and not names:
                if cells == known.cells and (self.tagged or len(widths) == 1):
                    return known
                if not self.tagged and cells == known.cells - 1 > 1 and len(widths) == 1:
                    # The tags' column has been left out.
                    before = known.tag % known.cells < known.word
                    return replace(known, cells=cells, word=known.word - before, names=())
        if not self.tagged and not self._tabs and word is None and self._are_sentences(widths):
            return TokenLayout("lines")
        if word is None and tag is None and self.tagged and _are_slashed(self._lines):
            return TokenLayout("slashed")
        if names:
            return TokenLayout(
                "columns",
                len(names),
                _place(word, names) if word else _usual(names, WORD_NAMES, 0),
                _place(tag, names) if tag else _usual(names, TAG_NAMES, len(names) - 1),
                names,
            )
        return self._columns(cells, word, tag)

    def _are_sentences(self, widths: Counter[int]) -> bool:
        """Whether lines without tags are sentences: of several lengths, or one line alone of many words."""
        return len(widths) > 1 or (len(self._lines) == 1 and max(widths, default=0) > 1)

    def _columns(self, cells: int, word: str | None, tag: str | None) -> TokenLayout:
        numbered = tuple(map(str, range(1, cells + 1)))
        lines = [line for line in self._lines if len(line.cells) == cells]
        index = cells > (2 if self.tagged else 1) and self._counts(lines)
        places = (1 if index else 0), -1
        if self.tagged and cells - index == 2 and _is_tag_first(lines, places[0]):
            places = -1, places[0]
        found_word = _place(word, numbered) if word else places[0] % max(1, cells)
        found_tag = _place(tag, numbered) if tag else places[1]
        if cells > 1 and found_word == found_tag % cells:
            # One was asked for, and it is where the other was expected.
            others = [place for place in range(cells) if place != found_word and not (index and place == 0)]
            if tag and not word:
                found_word = others[0] if others else found_word
            elif word and not tag:
                found_tag = others[-1] if others else found_tag
        return TokenLayout("columns", cells, found_word, found_tag)

    def _counts(self, lines: Sequence[_Line]) -> bool:
        """Whether the first cells only count the words of their sentence, from 0 or from 1."""
        start, expected, longest = None, 0, 0
        for line in lines:
            if line.row in self._boundaries or start is None:
                expected = start = (0 if line.cells[0] == "0" else 1) if start is None else start
            if line.cells[0] != str(expected):
                return False
            expected += 1
            longest = max(longest, expected - start)
        return longest > 1 or len(lines) > 1

    def _of_columns(self, sentence: list[_Line]) -> Iterator[Example]:
        layout = self.layout
        words, tags = [], []
        for line in sentence:
            cells = line.cells
            tagless = len(cells) < 2 or not cells[layout.tag % len(cells)].strip()
            if self.tagged and tagless:
                raise self._error(line, f"expected a token and its tag, got {line.text!r:.60}")
            uneven = len(cells) != (2 if layout.cells == 2 else len(sentence[0].cells))
            if self.tagged and (uneven or len(cells) <= max(layout.word, layout.tag)):
                raise self._error(
                    line,
                    f"expected {layout.cells} cells with {'tabs' if self._tabs else 'spaces'} between them "
                    f"as in most lines, got {len(cells)}",
                )
            if len(cells) <= layout.word:
                raise self._error(line, f"expected a word in column {layout.word + 1}, got {line.text!r:.60}")
            words.append(cells[layout.word])
            tags.append(cells[layout.tag % len(cells)].strip())
        yield self._example(sentence, words, tags, "tag")

    def _of_conllu(self, sentence: list[_Line]) -> Iterator[Example]:
        layout = self.layout
        column = layout.names[layout.tag]
        kept, words, tags = [], [], []
        for line in sentence:
            cells = line.cells
            if len(cells) != layout.cells:
                raise DataError(
                    f"expected {layout.cells} cells with tabs between them, got {len(cells)}",
                    path=self.path,
                    row=line.row,
                )
            # 4-5 is the surface form of words that follow; 4.1 is a word that only the enhanced graph has.
            if "-" in cells[0] or "." in cells[0]:
                continue
            if not cells[0].isdigit():
                raise DataError(
                    f"expected a word's number, got {cells[0]!r:.60}",
                    path=self.path,
                    row=line.row,
                    column="id",
                )
            if self.tagged and cells[layout.tag] == "_" and column in ("upos", "xpos", "deprel"):
                raise DataError("expected a tag, got '_'", path=self.path, row=line.row, column=column)
            kept.append(line)
            words.append(cells[layout.word])
            tags.append(cells[layout.tag])
        if words:
            yield self._example(kept, words, tags, column)

    def _of_slashed(self, sentence: list[_Line]) -> Iterator[Example]:
        for line in sentence:
            pairs = [cell.rpartition("/") for cell in words_in(line.text)]
            words = [word for word, _, _ in pairs]
            tags = [tag for _, _, tag in pairs]
            source = Source(self.path, line.row, "tag", (line.row,) * len(words))
            yield Example(tuple(words), tuple(tags) if self.tagged else None, source)

    def _of_lines(self, sentence: list[_Line]) -> Iterator[Example]:
        for line in sentence:
            yield Example(words_in(line.text), None, Source(self.path, line.row))

    def _example(self, lines: list[_Line], words: list[str], tags: list[str], column: str) -> Example:
        source = Source(self.path, lines[0].row, column, tuple(line.row for line in lines))
        return Example(tuple(words), tuple(tags) if self.tagged else None, source)

    def _error(self, line: _Line, problem: str) -> DataError:
        return DataError(
            problem,
            path=self.path,
            row=line.row,
            column="tag",
            remedy="mend the line; --word-column and --tag-column say which columns are meant",
        )


def _lines_of(text: TextLines) -> Iterator[_Line]:
    """The lines that are not empty, with their rows."""
    first = True
    for row, line in text.numbered():
        if line.strip():
            yield _Line(row, line, [], first)
        first = not line.strip()


def _without_comments(lines: list[_Line]) -> tuple[list[_Line], int]:
    """The lines without comments, and how many there were.

    A hash may be a token, too. A line is a comment where it begins with one and either has another number of
    cells than most lines, or stands with a space behind the hash before a sentence and has no cell that
    stands elsewhere in its column.
    """
    hashed = [line for line in lines if line.text.startswith("#")]
    if not hashed:
        return lines, 0
    others = [line for line in lines if not line.text.startswith("#")]
    if _are_slashed(others):
        kept = [line for line in lines if not line.text.startswith("#") or _are_slashed([line])]
        return kept, len(lines) - len(kept)
    widths = Counter(len(line.cells) for line in others or lines)
    usual = max(widths, key=lambda width: (widths[width], width))
    head = {line.row for line, begun in _with_begun(lines) if not begun}
    # Within a sentence a hash is a token, and what stands behind it belongs to its columns.
    tokens = [line for line in (*others, *hashed) if not (line.text.startswith("#") and line.row in head)]
    columns = [{line.cells[at] for line in tokens if len(line.cells) == usual} for at in range(1, usual)]

    def fits(line: _Line) -> bool:
        return any(cell in column for cell, column in zip(line.cells[1:], columns, strict=True))

    comments = {
        line.row
        for line in hashed
        if _DOCUMENT_MARK.match(line.text)
        or (len(line.cells) != usual and (line.row in head or len(line.cells) > 1))
        or (line.row in head and line.text.startswith("# ") and len(line.cells) == usual and not fits(line))
    }
    kept, began = [], False
    for line in lines:
        if line.row in comments:
            began |= line.first
        else:
            kept.append(line._replace(first=line.first or began))
            began = False
    return kept, len(comments)


def _with_begun(lines: list[_Line]) -> Iterator[tuple[_Line, bool]]:
    """Every line, and whether a line without a hash came before it in its sentence."""
    begun = False
    for line in lines:
        begun &= not line.first
        yield line, begun
        begun |= not line.text.startswith("#")


def _without_empty_end(lines: list[_Line]) -> list[_Line]:
    """The lines without a last column that is empty in all of them."""
    while lines and all(len(line.cells) > 1 and not line.cells[-1].strip() for line in lines):
        lines = [line._replace(cells=line.cells[:-1]) for line in lines]
    return lines


def _names_of(lines: list[_Line], path: Path) -> tuple[str, ...]:
    """The columns' names in lower case: from a comment as CoNLL-U Plus has it, or from the first line."""
    if not lines:
        return ()
    given = _CONLLU_PLUS.match(lines[0].text)
    if given:
        return tuple(name.lower().rpartition(":")[2] for name in given["names"].split())
    first = tuple(cell.strip().lower() for cell in lines[0].cells)
    named = set(first) & set(WORD_NAMES) and set(first) & set(TAG_NAMES)
    return first if named and len(set(first)) == len(first) and unpacked_suffix(path) != ".conllu" else ()


def _is_conllu(lines: Sequence[_Line]) -> bool:
    return bool(lines) and all(
        len(line.cells) == len(CONLLU_COLUMNS)
        and _ID.fullmatch(line.cells[0])
        and (line.cells[6] == "_" or line.cells[6].isdigit())
        for line in lines
    )


def _are_slashed(lines: Sequence[_Line]) -> bool:
    return bool(lines) and all(_SLASHED.fullmatch(cell) for line in lines for cell in words_in(line.text))


def _is_tag_first(lines: Sequence[_Line], first: int) -> bool:
    """Whether tags stand before words: marks of spans there alone, or few words all in capitals."""
    before, after = {line.cells[first] for line in lines}, {line.cells[-1] for line in lines}
    spans = all(_SPAN_TAG.fullmatch(cell) for cell in before) and before != {"O"}
    if spans:
        return not all(_SPAN_TAG.fullmatch(cell) for cell in after)

    def capitals(cells: set[str]) -> bool:
        return all(cell == cell.upper() for cell in cells) and any(map(str.isalpha, cells))

    return len(before) < len(after) and capitals(before) and not capitals(after)


def _usual(names: Sequence[str], wanted: Sequence[str], otherwise: int) -> int:
    return next((names.index(name) for name in wanted if name in names), otherwise)


def _place(asked: str, names: Sequence[str]) -> int:
    """The place of a column asked for by name, or by number from 1; -1 is the last."""
    lowered = [name.lower() for name in names]
    if asked.lower() in lowered:
        return lowered.index(asked.lower())
    try:
        number = int(asked)
    except ValueError:
        number = 0
    if number and -len(names) <= number <= len(names):
        return number - 1 if number > 0 else len(names) + number
    raise ConfigError(
        f"expected the name or the number of a column, 1 to {len(names)}"
        + ("" if names[:1] == ("1",) else f" or {', '.join(names)}")
        + f", got {asked!r}"
    )


def _place_of_tag(asked: str, names: Sequence[str]) -> int:
    found = _place(asked, names) if names != CONLLU_COLUMNS or asked.lstrip("-").isdigit() else None
    if found is None:
        if asked.lower() not in CONLLU_COLUMNS[2:]:
            raise ConfigError(f"expected a CoNLL-U column of {', '.join(CONLLU_COLUMNS[2:])}, got {asked!r}")
        found = CONLLU_COLUMNS.index(asked.lower())
    return found
