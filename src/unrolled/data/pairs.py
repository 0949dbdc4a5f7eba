"""Pairs of texts, a source and its target: translations, questions and answers, words and their sounds."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unrolled.data.column_names import CONVERSATION_NAMES, SOURCE_NAMES, TARGET_NAMES
from unrolled.data.encodings import TextLines, read_lines
from unrolled.data.example import Example, Examples, Source
from unrolled.data.pair_lines import pair_lines
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import TABLE_SUFFIXES, Table, is_missing, is_table, read_table
from unrolled.errors import ConfigError, DataError

TURN = "\n"
"""What stands between the turns of a conversation where earlier ones are put before a source."""

_IN_OUT = re.compile(r"IN:(?P<source>.*?)OUT:(?P<target>.*)")


@dataclass(frozen=True, slots=True)
class ParallelFiles:
    """Two text files whose lines belong together; a user writes them with a comma between.

    Attributes:
        source: the file of the sources.
        target: the file of the targets.
    """

    source: Path
    target: Path

    def load(self, kind: str, *, paired: bool = True, form: TableForm | None = None, **options: Any) -> Any:
        """The pairs, for a task that asks for them; of other options of `read_pairs` none applies.

        Raises:
            ConfigError: the task is for another kind of data, or an option is about columns.
            DataError: a line of one file has no partner, or is empty.
        """
        if kind != "pairs":
            raise ConfigError(
                f"expected one path, got two, {self.source} and {self.target}; parallel files are for "
                "`translate`"
            )
        if options:
            raise ConfigError(f"parallel files have no columns: expected no {', '.join(options)}")
        encoding = form.encoding if form else None
        if paired:
            return _parallel(self.source, self.target, encoding)
        return _sources_alone(self.source, read_lines(self.source, encoding))


def read_pairs(
    path: str | Path,
    *,
    source: str | None = None,
    target: str | None = None,
    conversation: str | None = None,
    history: int = 0,
    form: TableForm | None = None,
    paired: bool = True,
) -> Examples:
    """Pairs from a table, or from lines: with a tab between (`pair_lines`), or `IN: ... OUT: ...` as SCAN's.

    Args:
        path: `.csv`, `.tsv`, `.jsonl`, `.json` or `.parquet`; any other file holds such lines or, where
            targets are not asked for, a source in every line.
        source: the column of sources; guessed by its name otherwise, or the first of two columns.
        target: the column of targets; guessed by its name otherwise, or the other of two columns.
        conversation: the column that tells conversations apart; guessed by its name otherwise, where there is
            a history. Without one all rows are one conversation.
        history: how many exchanges of the same conversation are put before each source.
        form: how the table is written; None finds out.
        paired: False asks for the sources only; the targets are then None.

    Returns:
        The examples; inputs and targets are strings.

    Raises:
        DataError: the file is missing, empty or not of its kind, a column cannot be found, or a source or a
            target is empty.
    """
    if is_table(path):
        wanted = [name for name in (source, target, conversation) if name is not None]
        table = read_table(path, columns=wanted, form=form)
        return pairs_of_table(table, source, target, conversation, history, paired=paired, form=form)
    text = read_lines(path, form.encoding if form else None)
    if _IN_OUT.match(text.lines[0]):
        return _read_in_out(path, text, paired=paired)
    if (found := pair_lines(path, text, paired=paired)) is not None:
        return found.examples(paired=paired)
    if not paired:
        return _sources_alone(path, text)
    raise DataError(
        f"expected a table ({', '.join(TABLE_SUFFIXES)}), or lines of a source and a target with a tab "
        "between them or as 'IN: source OUT: target', found neither",
        path=path,
        remedy="give two parallel text files as SOURCE,TARGET with a comma between them",
    )


def pairs_of_table(
    table: Table,
    source: str | None = None,
    target: str | None = None,
    conversation: str | None = None,
    history: int = 0,
    *,
    paired: bool = True,
    form: TableForm | None = None,
) -> Examples:
    """Pairs from a table's columns; see `read_pairs`."""
    table = _with_languages(table)
    for name in filter(None, (source, target, conversation)):
        table.column(name)
    notes = list(table.notes)
    known = known_roles(form, table.columns)
    source, target = source or known.get("source"), target or known.get("target")
    if history and conversation is None:
        conversation = table.usual(CONVERSATION_NAMES, (source, target))
        notes.append(
            "There is no column that tells conversations apart: all rows are taken for one."
            if conversation is None
            else f"Column {conversation!r} tells conversations apart."
        )
    others = [name for name in table.columns if name not in (source, target, conversation)]
    if source is None:
        source = table.usual(SOURCE_NAMES, (target, conversation))
        if source is None and len(others) == (1 if target or not paired else 2):
            source = others[0]
            notes.append(f"Column {source!r} is taken for the sources.")
    if source is None:
        raise table.unknown("sources")
    others = [name for name in others if name != source]
    if target is None:
        target = table.usual(TARGET_NAMES, (source, conversation))
        if target is None and len(others) == 1:
            target = others[0]
            notes.append(f"Column {target!r} is taken for the targets.")
    if target is None and (paired or history):
        raise table.unknown("targets")
    if paired:
        notes += table.left_out(source, target, conversation)
    items = tuple(_rows(table, source, target if paired or history else None))
    if history:
        names = [""] * len(items) if conversation is None else list(map(str, table.column(conversation)))
        items = tuple(_with_history(items, names, history))
    if not paired:
        items = tuple(Example(item.inputs, None, item.source) for item in items)
    return Examples(items, tuple(notes), table.form(source=source, target=target, conversation=conversation))


def _with_languages(table: Table) -> Table:
    """The table with a column for each language where one has texts by language, as Hugging Face's sets."""
    for name, cells in table.columns.items():
        first = cells[0]
        if not isinstance(first, Mapping) or len(first) < 2:
            continue
        if all(isinstance(cell, Mapping) and cell.keys() == first.keys() for cell in cells):
            languages = {str(each): [cell[each] for cell in cells] for each in first}
            others = {column: each for column, each in table.columns.items() if column != name}
            return replace(table, columns=others | languages)
    return table


def _rows(table: Table, source: str, target: str | None) -> Iterator[Example]:
    targets = [None] * len(table) if target is None else table.column(target)
    for entry, (one, other) in enumerate(zip(table.column(source), targets, strict=True)):
        inputs = _text(one, table.source(entry, source))
        place = table.source(entry, target)
        yield Example(inputs, None if target is None else _text(other, place), table.source(entry))


def _text(cell: Any, place: Source) -> str:
    """The text of a cell: a list of words is joined, a number written out."""
    if isinstance(cell, list | tuple) and all(isinstance(word, str) for word in cell):
        cell = " ".join(cell)
    if cell is None or (not isinstance(cell, str) and is_missing(cell)):
        cell = ""
    if isinstance(cell, list | tuple | dict):
        raise place.error(f"expected text, got {cell!r:.60}")
    if not str(cell).strip():
        raise place.error("expected text, got an empty cell", remedy="fill it, or leave the row out")
    return str(cell).strip()


def _with_history(items: tuple[Example, ...], names: list[str], history: int) -> Iterator[Example]:
    """Each source after the exchanges before it, oldest first, turn by turn."""
    said: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=2 * history))
    for item, name in zip(items, names, strict=True):
        turns = said[name]
        yield Example(TURN.join([*turns, item.inputs]), item.target, item.source)
        turns.extend((item.inputs, item.target))


def _read_in_out(path: str | Path, text: TextLines, *, paired: bool) -> Examples:
    items = []
    for row, line in text.numbered():
        if not line.strip():
            continue
        place = Source(path, row)
        match = _IN_OUT.match(line)
        if match is None:
            raise place.error(f"expected 'IN: source OUT: target', got {line.strip()!r:.60}")
        sides = {side: match[side].strip() for side in ("source", "target")}
        for side, found in sides.items():
            if not found:
                raise place.error(f"expected a {side}, got none")
        items.append(Example(sides["source"], sides["target"] if paired else None, place))
    return Examples(tuple(items), text.notes)


def _sources_alone(path: str | Path, text: TextLines) -> Examples:
    lines = ((row, line.strip()) for row, line in text.numbered())
    return Examples(tuple(Example(line, None, Source(path, row)) for row, line in lines), text.notes)


def _parallel(source: Path, target: Path, encoding: str | None) -> Examples:
    sources, targets = read_lines(source, encoding), read_lines(target, encoding)
    items = []
    for row, (one, other) in enumerate(zip(sources.lines, targets.lines, strict=False), start=1):
        for path, line in ((source, one), (target, other)):
            if not line.strip():
                raise Source(path, row).error(
                    "expected text, got an empty line", remedy="leave the line out of both files"
                )
        items.append(Example(one.strip(), other.strip(), Source(source, row)))
    for path, lines, partner in ((source, sources.lines, target), (target, targets.lines, source)):
        if len(lines) > len(items):
            raise Source(path, len(items) + 1).error(
                f"expected as many lines as in {partner}, which ends after {len(items)}, got "
                f"{lines[len(items)].strip()!r:.60}",
                remedy="parallel files need the same number of lines",
            )
    return Examples(tuple(items), tuple(dict.fromkeys((*sources.notes, *targets.notes))))
