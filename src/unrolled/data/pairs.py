"""Pairs of texts, a source and its target: translations, questions and answers, words and their sounds."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from unrolled.data.example import Example, Examples, Source
from unrolled.data.tables import TABLE_SUFFIXES, Table, is_missing, is_table, read_table
from unrolled.data.text import open_text
from unrolled.errors import ConfigError, DataError

SOURCE_NAMES = (
    *("source", "src", "input", "inputs", "question", "prompt", "instruction", "command", "commands"),
    *("text", "article", "document", "sentence", "word", "grapheme", "graphemes", "utterance"),
)
TARGET_NAMES = (
    *("target", "tgt", "trg", "output", "outputs", "answer", "reply", "response", "action", "actions"),
    *("translation", "summary", "headline", "phoneme", "phonemes", "pronunciation", "label"),
)
CONVERSATION_NAMES = ("conversation", "conversation_id", "dialogue", "dialog", "dialogue_id", "session")

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

    def load(self, kind: str, *, paired: bool = True, **options: Any) -> Any:
        """The pairs, for a task that asks for them; no other option of `read_pairs` applies.

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
        return _read_parallel(self.source, self.target) if paired else _read_lines(self.source)


def read_pairs(
    path: str | Path,
    *,
    source: str | None = None,
    target: str | None = None,
    conversation: str | None = None,
    history: int = 0,
    header: bool | None = None,
    paired: bool = True,
) -> Examples:
    """Pairs from a table, or from lines of the form `IN: ... OUT: ...`, as SCAN's.

    Args:
        path: `.csv`, `.tsv`, `.jsonl`, `.json` or `.parquet`; any other file holds such lines or, where
            targets are not asked for, a source in every line.
        source: the column of sources; guessed by its name otherwise, or the first of two columns.
        target: the column of targets; guessed by its name otherwise, or the other of two columns.
        conversation: the column that tells conversations apart; guessed by its name otherwise, where there is
            a history. Without one all rows are one conversation.
        history: how many exchanges of the same conversation are put before each source.
        header: whether the first row of delimited text holds the columns' names; None finds out.
        paired: False asks for the sources only; the targets are then None.

    Returns:
        The examples; inputs and targets are strings.

    Raises:
        DataError: the file is missing, empty or not of its kind, a column cannot be found, or a source or a
            target is empty.
    """
    if is_table(path):
        wanted = [name for name in (source, target, conversation) if name is not None]
        table = read_table(path, header=header, columns=wanted)
        return pairs_of_table(table, source, target, conversation, history, paired=paired)
    if _first_line_is_a_pair(path):
        return _read_in_out(path, paired=paired)
    if not paired:
        return _read_lines(path)
    raise DataError(
        f"expected a table ({', '.join(TABLE_SUFFIXES)}) or lines 'IN: source OUT: target', found neither",
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
) -> Examples:
    """Pairs from a table's columns; see `read_pairs`."""
    for name in filter(None, (source, target, conversation)):
        table.column(name)
    notes = list(table.notes)
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
    items = tuple(_rows(table, source, target if paired or history else None))
    if history:
        names = [""] * len(items) if conversation is None else list(map(str, table.column(conversation)))
        items = tuple(_with_history(items, names, history))
    if not paired:
        items = tuple(Example(item.inputs, None, item.source) for item in items)
    return Examples(items, tuple(notes))


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


def _first_line_is_a_pair(path: str | Path) -> bool:
    with open_text(path) as file:
        return _IN_OUT.match(file.readline()) is not None


def _read_in_out(path: str | Path, *, paired: bool) -> Examples:
    items = []
    with open_text(path) as file:
        for row, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = Source(path, row)
            match = _IN_OUT.match(line)
            if match is None:
                raise place.error(f"expected 'IN: source OUT: target', got {line.strip()!r:.60}")
            sides = {side: match[side].strip() for side in ("source", "target")}
            for side, text in sides.items():
                if not text:
                    raise place.error(f"expected a {side}, got none")
            items.append(Example(sides["source"], sides["target"] if paired else None, place))
    return Examples(tuple(items))


def _read_lines(path: str | Path) -> Examples:
    with open_text(path) as file:
        lines = ((row, line.strip()) for row, line in enumerate(file, start=1))
        return Examples(tuple(Example(line, None, Source(path, row)) for row, line in lines))


def _read_parallel(source: Path, target: Path) -> Examples:
    items = []
    with open_text(source) as sources, open_text(target) as targets:
        for row, (one, other) in enumerate(zip(sources, targets, strict=False), start=1):
            for path, line in ((source, one), (target, other)):
                if not line.strip():
                    raise Source(path, row).error(
                        "expected text, got an empty line", remedy="leave the line out of both files"
                    )
            items.append(Example(one.strip(), other.strip(), Source(source, row)))
    _require_equally_long(source, target, len(items))
    return Examples(tuple(items))


def _require_equally_long(source: Path, target: Path, pairs: int) -> None:
    """Name the first line without a partner, once as many pairs have been read as there are."""
    for path, partner in ((source, target), (target, source)):
        with open_text(path) as file:
            more = next(islice(file, pairs, None), None)
        if more is not None:
            raise Source(path, pairs + 1).error(
                f"expected as many lines as in {partner}, which ends after {pairs}, got {more.strip()!r:.60}",
                remedy="parallel files need the same number of lines",
            )
