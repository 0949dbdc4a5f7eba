"""Tagged sentences: CoNLL-U, one token and tag a line, and tables with a column of tokens and one of tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unrolled.data.example import Example, Examples, Source
from unrolled.data.tables import Table, read_table
from unrolled.data.tagged_numbers import (
    is_step_table,
    tagged_table,
    tagged_tables,
    tagged_values,
    values_column,
)
from unrolled.data.text import open_text
from unrolled.errors import ConfigError, DataError

CONLLU_COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
TOKEN_NAMES = ("tokens", "words", "forms", "text", "sentence")
TAG_NAMES = ("tags", "labels", "ner_tags", "pos_tags", "upos", "pos", "ner", "targets", "target")

_TABLES = (".jsonl", ".json", ".parquet", ".csv")


def read_tagged(
    path: str | Path,
    *,
    column: str | None = None,
    tokens: str | None = None,
    tags: str | None = None,
    tagged: bool = True,
) -> Examples:
    r"""Sentences as tuples of words, or sequences of numbers as arrays, with tuples of tags.

    The file's ending says how it is read: `.conllu` as CoNLL-U; `.jsonl`, `.json`, `.parquet` and `.csv` as
    a table with lists of tokens, or of numbers, and of tags; anything else as one token a line, its tag last
    on the line, an empty line between sentences. A folder holds one table a sequence of numbers
    (`unrolled.data.tagged_numbers`).

    Args:
        path: the file or folder.
        column: in CoNLL-U, the column to predict: `upos` by default, or `xpos`, `deprel`, `lemma`, `feats`.
        tokens: in a table, the column of tokens; guessed by its name otherwise.
        tags: in a table, the column of tags; guessed by its name otherwise.
        tagged: False reads tokens only; the targets are then None.

    Raises:
        DataError: the file is missing, empty or not of its kind, a tag is missing, or there are more or fewer
            tags than tokens.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "names.conll")
        ...     _ = path.write_text("Ada B-PER\nran O\n\nyes O\n")
        ...     examples = read_tagged(path)
        >>> examples[0].inputs, examples[0].target, examples[1].source.row
        (('Ada', 'ran'), ('B-PER', 'O'), 4)
    """
    path = Path(path)
    if path.is_dir():
        return tagged_tables(path, tags, tagged=tagged)
    kind = path.suffix.lower()
    if kind in _TABLES:
        table = read_table(path)
        if not tagged and is_step_table(table):
            return Examples((tagged_table(table),))
        return tagged_of_table(table, tokens=tokens, tags=tags, tagged=tagged)
    if kind == ".conllu":
        items = tuple(_read_conllu(path, column or "upos", tagged))
    else:
        items = tuple(_read_two_columns(path, tagged))
    if not items:
        raise DataError("expected sentences, found none", path=path)
    return Examples(items)


def _sentences(path: str | Path) -> Iterator[list[tuple[int, str]]]:
    """The lines of every sentence with their rows."""
    sentence: list[tuple[int, str]] = []
    with open_text(path) as file:
        for row, line in enumerate(file, start=1):
            line = line.rstrip("\r\n")
            if line.strip():
                sentence.append((row, line))
            elif sentence:
                yield sentence
                sentence = []
    if sentence:
        yield sentence


def _read_conllu(path: str | Path, column: str, tagged: bool) -> Iterator[Example]:
    if column not in CONLLU_COLUMNS[2:]:
        raise ConfigError(f"expected a CoNLL-U column of {', '.join(CONLLU_COLUMNS[2:])}, got {column!r}")
    index = CONLLU_COLUMNS.index(column)
    for sentence in _sentences(path):
        rows, words, tags = [], [], []
        for row, line in sentence:
            if line.startswith("#"):
                continue
            cells = line.split("\t")
            if len(cells) != len(CONLLU_COLUMNS):
                raise DataError(
                    f"expected 10 cells with tabs between them, got {len(cells)}", path=path, row=row
                )
            # 4-5 is the surface form of words that follow; 4.1 is a word that only the enhanced graph has.
            if "-" in cells[0] or "." in cells[0]:
                continue
            if not cells[0].isdigit():
                raise DataError(
                    f"expected a word's number, got {cells[0]!r:.60}", path=path, row=row, column="id"
                )
            if tagged and cells[index] == "_" and column in ("upos", "xpos", "deprel"):
                raise DataError("expected a tag, got '_'", path=path, row=row, column=column)
            rows.append(row)
            words.append(cells[1])
            tags.append(cells[index])
        if words:
            source = Source(path, rows[0], column, tuple(rows))
            yield Example(tuple(words), tuple(tags) if tagged else None, source)


def _read_two_columns(path: str | Path, tagged: bool) -> Iterator[Example]:
    for sentence in _sentences(path):
        rows, words, tags = [], [], []
        for row, line in sentence:
            cells = line.split("\t") if "\t" in line else line.split()
            if cells[0] == "-DOCSTART-":
                continue
            if tagged and (len(cells) < 2 or not cells[-1].strip()):
                raise DataError(
                    f"expected a token and its tag, got {line!r:.60}", path=path, row=row, column="tag"
                )
            rows.append(row)
            words.append(cells[0])
            tags.append(cells[-1].strip())
        if words:
            source = Source(path, rows[0], "tag", tuple(rows))
            yield Example(tuple(words), tuple(tags) if tagged else None, source)


def tagged_of_table(
    table: Table, *, tokens: str | None = None, tags: str | None = None, tagged: bool = True
) -> Examples:
    """Sentences from a column of token lists and one of tag lists; a string is split at white space.

    In place of the tokens may be sequences of numbers, in a column with one of their usual names.
    """
    values = values_column(table) if tokens is None else None
    tags_name = (tags or _named(table, TAG_NAMES, "tags")) if tagged else None
    if values is not None:
        return tagged_values(table, values, tags_name)
    words_name = tokens or _named(table, TOKEN_NAMES, "tokens")
    items = []
    for entry, cell in enumerate(table.column(words_name)):
        words = _strings(table, entry, words_name, cell)
        target = None
        if tags_name is not None:
            target = _strings(table, entry, tags_name, table.column(tags_name)[entry])
            if len(target) != len(words):
                raise table.source(entry, tags_name).error(
                    f"expected as many tags as tokens, got {len(words)} tokens and {len(target)} tags"
                )
        items.append(Example(words, target, table.source(entry, tags_name)))
    return Examples(tuple(items))


def _named(table: Table, names: Sequence[str], what: str) -> str:
    lowered = {name.lower(): name for name in table.columns}
    found = next((lowered[name] for name in names if name in lowered), None)
    if found is None:
        raise DataError(
            f"expected a column of {what}, the columns are {', '.join(table.columns)}",
            path=table.path,
            remedy=f"say which one holds the {what}",
        )
    return found


def _strings(table: Table, entry: int, column: str, cell: Any) -> tuple[str, ...]:
    if isinstance(cell, str):
        return tuple(cell.split())
    if not isinstance(cell, Sequence):
        raise table.source(entry, column).error(f"expected a list of strings, got {cell!r:.60}")
    for item in cell:
        if not isinstance(item, str | int) or isinstance(item, bool):
            raise table.source(entry, column).error(f"expected a list of strings, got {item!r:.60} in it")
    return tuple(map(str, cell))
