"""Tagged sentences: CoNLL-U, one token and tag a line, and tables with a column of tokens and one of tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.column_names import LABEL_NAMES, SENTENCE_NAMES, TAG_NAMES, WORD_NAMES
from unrolled.data.compressed import unpacked_suffix
from unrolled.data.encodings import TextLines, read_lines
from unrolled.data.example import Example, Examples, Source
from unrolled.data.list_cells import list_in, lists_in
from unrolled.data.offset_spans import span_columns, tagged_spans, tokens_in
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import Table, delimited_table, is_empty, is_missing, is_table, read_table
from unrolled.data.tagged_numbers import (
    is_step_table,
    tagged_steps,
    tagged_table,
    tagged_tables,
    tagged_values,
    values_column,
)
from unrolled.data.token_columns import TokenFile, TokenLayout, words_in
from unrolled.errors import DataError

_TOKENS_TOO = (".tsv", ".tab")
"""Endings of tables that hold a token a line more often than a sentence."""

_WORD_A_ROW = frozenset({"word", "token", "form"})


@dataclass(frozen=True, slots=True)
class Tagged:
    """What was read of a file of tagged sentences.

    Attributes:
        examples: the sentences.
        layout: where words and tags are in a file of tokens; None in tables and folders.
    """

    examples: Examples
    layout: TokenLayout | None = None


def read_tagged(path: str | Path, **options: Any) -> Examples:
    r"""Sentences as tuples of words, or sequences of numbers as arrays, with tuples of tags.

    Args:
        path: the file or folder.
        options: those of `read_with_layout`.

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
    return read_with_layout(path, **options).examples


def read_with_layout(
    path: str | Path,
    *,
    word: str | None = None,
    tag: str | None = None,
    sequence: str | None = None,
    time: str | None = None,
    marks: bool | None = None,
    tagged: bool = True,
    known: TokenLayout | None = None,
    form: TableForm | None = None,
) -> Tagged:
    """Sentences or sequences of numbers, and where their words and tags were found.

    The file's ending says how it is read: `.jsonl`, `.json`, `.parquet` and `.csv` as a table with lists of
    tokens, or of numbers, and of tags, or with a token a row; anything else as text with a token a line
    (`unrolled.data.token_columns`). A folder holds one table a sequence of numbers
    (`unrolled.data.tagged_numbers`).

    Args:
        path: the file or folder.
        word: the column of words, by name or by number from 1; found by its name or content otherwise.
        tag: the column of tags, likewise; in CoNLL-U `upos` by default, or `xpos`, `deprel`, `lemma` or
            `feats`.
        sequence: the column that names the sequence of a row, where each row is a step of numbers.
        time: the column of such steps' times.
        marks: whether marks are cut off the words of texts, each a word by itself.
        tagged: False reads words only; the targets are then None.
        known: the layout of the training data.
        form: how a table is written, and the encoding of text; None finds out.
    """
    path, form = Path(path), form or TableForm()
    if path.is_dir():
        return Tagged(tagged_tables(path, tag, tagged=tagged, form=form))
    if is_table(path) and unpacked_suffix(path) not in _TOKENS_TOO:
        wanted = [
            name
            for name in (word, tag, sequence, time)
            if name is not None and not name.lstrip("-").isdigit()
        ]
        table = read_table(path, columns=wanted, form=form)
    else:
        text = read_lines(path, form.encoding)
        table = _table_of_sentences(path, text, form, sequence)
        if table is None:
            file = TokenFile(path, text, word=word, tag=tag, tagged=tagged, known=known)
            examples = file.examples()
            if marks and not tagged and file.layout.kind == "lines":
                examples = replace(examples, items=tuple(map(_cut, examples)))
            return Tagged(examples, file.layout)
    of_steps = sequence is not None or "sequence" in known_roles(form, table.columns)
    texts = word is not None or bool(marks)
    if not tagged and not texts and not of_steps and is_step_table(table):
        return Tagged(Examples((tagged_table(table),), table.notes))
    return Tagged(
        tagged_of_table(
            table, word=word, tag=tag, sequence=sequence, time=time, marks=marks, tagged=tagged, form=form
        )
    )


def _cut(sentence: Example) -> Example:
    """A sentence whose marks are words of their own."""
    return replace(sentence, inputs=tuple(chain.from_iterable(map(tokens_in, sentence.inputs))))


def _table_of_sentences(path: Path, text: TextLines, form: TableForm, sequence: str | None) -> Table | None:
    """Tab-separated text as a table, where it has names above whole sentences in its cells, or numbers."""
    if unpacked_suffix(path) not in _TOKENS_TOO:
        return None
    try:
        table = delimited_table(path, "\n".join(text.lines), "\t", replace(form, header=True))
    except DataError:  # lines of unlike length, as comments are
        return None
    if sequence in table.columns or "sequence" in known_roles(form, table.columns):
        return table
    words, tags = table.usual(WORD_NAMES), table.usual(TAG_NAMES)
    if words is None and tagged_steps(table, form=form) is not None:
        return table
    if words is None or tags is None or words == tags:
        return None
    pairs = [
        (str(one), str(other)) for one, other in zip(table.column(words), table.column(tags), strict=True)
    ]
    if any(len(other.split()) > 1 for _, other in pairs) and all(
        len(one.split()) == len(other.split()) or list_in(other) is not None for one, other in pairs
    ):
        return replace(table, notes=(*text.notes, *table.notes))
    return None


def tagged_of_table(
    table: Table,
    *,
    word: str | None = None,
    tag: str | None = None,
    sequence: str | None = None,
    time: str | None = None,
    marks: bool | None = None,
    tagged: bool = True,
    form: TableForm | None = None,
) -> Examples:
    """Sentences from a column of words and one of tags.

    A cell is a list, a list written as text, or a text that is split at white space; in place of the words
    may be sequences of numbers, in a column with one of their usual names. Where a row is one word, a column
    of sentences, or empty lines between them, say where sentences end.

    Args:
        table: the table.
        word: the column of words, by name or by number from 1; guessed by its name otherwise.
        tag: the column of tags, likewise.
        sequence: the column that names the sequence of a row, where each row is a step of numbers; see
            `unrolled.data.tagged_numbers.tagged_steps`.
        time: the column of such steps' times.
        marks: whether marks are cut off the words of texts.
        tagged: False reads words only; the targets are then None.
        form: says how the training data was written, where there is one.
    """
    if word is None:
        steps = tagged_steps(
            table,
            sequence=sequence,
            time=time,
            tag=_asked(table, tag) if tagged else None,
            tagged=tagged,
            form=form,
        )
        if steps is not None:
            return steps
    known = known_roles(form, table.columns)
    asked = (_asked(table, word) or known.get("inputs"), _asked(table, tag) or known.get("spans"))
    columns = span_columns(table, *asked) if tagged else None
    if columns is not None:
        return tagged_spans(table, *columns)
    word, tag = word or known.get("inputs"), tag or known.get("target")
    values = values_column(table) if word in (None, known.get("inputs")) else None
    usual = TAG_NAMES if values is None else (*TAG_NAMES, *LABEL_NAMES)
    tags = (_asked(table, tag) or _named(table, usual, "tags", "tag")) if tagged else None
    if values is not None:
        return tagged_values(table, values, tags)
    words = _asked(table, word) or _named(table, WORD_NAMES, "words", "word", table.usual(TAG_NAMES))
    sentences = table.usual(SENTENCE_NAMES, (words, tags))
    if _is_word_a_row(table, words, tags, sentences):
        return _of_rows(table, words, tags, sentences)
    read = _texts(table, words, bool(marks and not tagged))
    read_tags = None if tags is None else _texts(table, tags)
    items = []
    for entry, found in enumerate(read):
        target = None
        if tags is not None and read_tags is not None:
            target = read_tags[entry]
            if len(target) != len(found):
                raise table.source(entry, tags).error(
                    f"expected as many tags as tokens, got {len(found)} tokens and {len(target)} tags"
                )
        items.append(Example(found, target, table.source(entry, tags)))
    return Examples(tuple(items), _notes(table, words, tags), table.form(inputs=words, target=tags))


def _notes(table: Table, *used: str | None) -> tuple[str, ...]:
    """What was assumed, and in training what is left out."""
    return table.notes if used[1] is None else (*table.notes, *table.left_out(*used))


def _is_word_a_row(table: Table, words: str, tags: str | None, sentences: str | None) -> bool:
    cells = table.column(words)
    if not all(isinstance(cell, str) or is_missing(cell) for cell in cells) or lists_in(cells):
        return False
    single = all(len(words_in(cell)) <= 1 for cell in cells if isinstance(cell, str))
    named = words.lower() in _WORD_A_ROW
    if tags is not None and any(len(words_in(str(cell))) > 1 for cell in table.column(tags)):
        return False
    gaps = table.gaps is not None and bool(table.gaps[1:].any())
    return (single and (named or gaps)) or (sentences is not None and named)


def _of_rows(table: Table, words: str, tags: str | None, sentences: str | None) -> Examples:
    """Sentences from a table with a word a row."""
    starts = np.ones(len(table), dtype=bool)
    if sentences is not None:
        named = [None if is_missing(cell) else str(cell).strip() for cell in table.column(sentences)]
        # Some name a sentence in the row of its first word alone.
        starts[1:] = [
            now is not None and now != before for now, before in zip(named[1:], _filled(named), strict=False)
        ]
    else:
        starts[1:] = False if table.gaps is None else table.gaps[1:]
    begins = np.flatnonzero(starts).tolist()
    items = []
    for begin, end in zip(begins, [*begins[1:], len(table)], strict=True):
        rows = tuple(table.rows[begin:end].tolist())
        found = tuple("" if cell is None else str(cell).strip() for cell in table.column(words)[begin:end])
        target = None
        if tags is not None:
            target = tuple(
                "" if is_empty(cell) else str(cell).strip() for cell in table.column(tags)[begin:end]
            )
            if "" in target:
                raise table.source(begin + target.index(""), tags).error("expected a tag, got an empty cell")
        items.append(Example(found, target, Source(table.path, rows[0], tags, rows)))
    notes = (*_notes(table, words, tags, sentences), "A row is one word of a sentence.")
    return Examples(tuple(items), notes, table.form(inputs=words, target=tags))


def _filled(names: Sequence[str | None]) -> list[str | None]:
    filled: list[str | None] = []
    for name in names:
        filled.append(name if name is not None or not filled else filled[-1])
    return filled


def _asked(table: Table, name: str | None) -> str | None:
    """A column asked for by its name, or by its number from 1."""
    columns = list(table.columns)
    if name is None or name in columns:
        return name
    lowered = {column.lower(): column for column in columns}
    if name.lower() in lowered:
        return lowered[name.lower()]
    if name.lstrip("-").isdigit() and int(name) and -len(columns) <= int(name) <= len(columns):
        return columns[int(name) - 1 if int(name) > 0 else int(name)]
    table.column(name)  # says which there are
    return name


def _named(table: Table, names: Sequence[str], what: str, flag: str, taken: str | None = None) -> str:
    found = table.usual(names, (taken,))
    if found is None:
        raise DataError(
            f"expected a column of {what}, the columns are {', '.join(table.columns)}",
            path=table.path,
            remedy=f"say which one holds the {what} with --{flag}-column",
        )
    return found


def _texts(table: Table, column: str, marks: bool = False) -> list[tuple[str, ...]]:
    """The words or tags of every cell of a column."""
    cells = table.column(column)
    written = lists_in(cells)
    return [_strings(table.source(entry, column), cell, written, marks) for entry, cell in enumerate(cells)]


def _strings(source: Source, cell: Any, written: bool, marks: bool) -> tuple[str, ...]:
    if isinstance(cell, str) and written and cell.strip():
        found = list_in(cell)
        if found is None:
            raise source.error(f"expected a list as in the other rows, got {cell!r:.60}")
        cell = found
    if isinstance(cell, str):
        return tokens_in(cell) if marks else words_in(cell)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if not isinstance(cell, Sequence):
        raise source.error(f"expected a list of strings, got {cell!r:.60}")
    for item in cell:
        if not isinstance(item, str | int) or isinstance(item, bool):
            raise source.error(f"expected a list of strings, got {item!r:.60} in it")
    return tuple(map(str, cell))
