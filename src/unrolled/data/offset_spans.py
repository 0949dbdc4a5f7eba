"""Texts whose entities are given by the places of their characters, as annotation tools keep them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from unrolled.data.column_names import TEXT_NAMES
from unrolled.data.example import Example, Examples, Source
from unrolled.data.list_cells import list_in
from unrolled.data.tables import Table, is_missing

_SPAN_COLUMNS = ("label", "labels", "entities", "spans", "ents", "annotations")
_STARTS, _ENDS = ("start", "start_offset", "start_char", "begin"), ("end", "end_offset", "end_char", "stop")
_LABELS = ("label", "labels", "entity", "type", "tag", "class", "entity_group")
_TOKEN = re.compile(r"\w+(?:[’']\w+)*|[^\w\s]")
_SHOWN = 3


class Span(NamedTuple):
    """An entity: its characters from ``start`` to before ``end``."""

    start: int
    end: int
    label: str


def tokens_in(text: str) -> tuple[str, ...]:
    """The words and the marks of a text, each mark by itself.

    Example:
        >>> tokens_in("Ada's in Paris, 9.5%.")
        ("Ada's", 'in', 'Paris', ',', '9', '.', '5', '%', '.')
    """
    return tuple(_TOKEN.findall(text))


def span_columns(table: Table, text: str | None = None, spans: str | None = None) -> tuple[str, str] | None:
    """The columns of texts and of their spans, where all cells of one hold such; None where none does.

    Args:
        table: any table.
        text: the column of texts; guessed by its name otherwise.
        spans: the column of spans, likewise.

    Example:
        >>> import numpy as np
        >>> columns = {"text": ["Ada ran", "yes"], "label": [[[0, 3, "PER"]], []]}
        >>> span_columns(Table("a.jsonl", columns, np.array([1, 2])))
        ('text', 'label')
    """
    text = text or table.usual(TEXT_NAMES)
    if text is None or not all(isinstance(cell, str) for cell in table.column(text)):
        return None
    for name in (spans,) if spans else _SPAN_COLUMNS:
        column = spans or table.usual((name,), (text,))
        if column is None:
            continue
        lists = [_listed(cell) for cell in table.column(column)]
        if all(each is not None for each in lists):
            first = next((each[0] for each in lists if each), None)
            if _span(first) is not None or (first is None and spans is not None):
                return text, column
    return None


def annotated_columns(data: Any) -> dict[str, list[Any]] | None:
    """The texts and the spans of what is handed over in Python, in columns; None where it is no such thing.

    Args:
        data: a list of texts with their spans, ``("Ada ran", {"entities": [(0, 3, "PER")]})`` as spaCy's
            training data has them, or as objects, ``{"text": "Ada ran", "entities": [(0, 3, "PER")]}``.

    Example:
        >>> annotated_columns([("Ada ran", {"entities": [(0, 3, "PER")]})])
        {'text': ['Ada ran'], 'entities': [[(0, 3, 'PER')]]}
        >>> annotated_columns([(["Ada", "ran"], ["PER", "O"])])
    """
    if not isinstance(data, list | tuple) or not data:
        return None
    columns: dict[str, list[Any]] = {}
    for entry in data:
        match entry:
            case [str(text), {**said}] | {"text": str(text), **said}:
                spans = [name for name in _SPAN_COLUMNS if name in said]
            case _:
                return None
        if len(spans) != 1 or (columns and spans[0] not in columns):
            return None
        columns.setdefault("text", []).append(text)
        columns.setdefault(spans[0], []).append(said[spans[0]])
    return columns


def tagged_spans(table: Table, text: str, spans: str, *, tagged: bool = True) -> Examples:
    """Sentences of words and marks with tags ``B-PER``, ``I-PER`` and ``O``, from spans of characters.

    A span that ends inside a token is widened to the whole of it, and of spans that overlap the first and
    longest is kept; how many there are of either is said.

    Args:
        table: a text in each row.
        text: the column of texts.
        spans: the column of spans: lists of a start, an end and a label, or objects with these.
        tagged: False reads the words only.

    Raises:
        DataError: a span is none, or lies outside of its text.

    Example:
        >>> import numpy as np
        >>> columns = {"text": ["Ada Love, ran"], "label": [[[0, 8, "PER"]]]}
        >>> (example,) = tagged_spans(Table("a.jsonl", columns, np.array([1])), "text", "label")
        >>> example.inputs, example.target
        (('Ada', 'Love', ',', 'ran'), ('B-PER', 'I-PER', 'O', 'O'))
    """
    items: list[Example] = []
    widened: list[str] = []
    left_out: list[str] = []
    for entry, (words, cell) in enumerate(zip(table.column(text), table.column(spans), strict=True)):
        source = table.source(entry, spans)
        found = list(_TOKEN.finditer(words))
        target = None
        if tagged:
            target = ["O"] * len(found)
            for span in sorted(_spans(cell, words, source), key=lambda span: (span.start, -span.end)):
                inside = [
                    place
                    for place, token in enumerate(found)
                    if token.start() < span.end and token.end() > span.start
                ]
                shown = f"{words[span.start : span.end]!r:.40} ({span.label})"
                if not inside or any(target[place] != "O" for place in inside):
                    left_out.append(shown)
                    continue
                whole = words[found[inside[0]].start() : found[inside[-1]].end()]
                if whole != words[span.start : span.end].strip():
                    widened.append(f"{shown} to {whole!r:.40}")
                for number, place in enumerate(inside):
                    target[place] = f"{'I' if number else 'B'}-{span.label}"
        items.append(
            Example(
                tuple(token.group() for token in found), None if target is None else tuple(target), source
            )
        )
    notes = [*table.notes]
    if tagged:
        notes.append(f"Entities are read from column {spans!r} by the places of their characters.")
        notes += _said("Spans that end inside a word, and are widened to the whole of it", widened)
        notes += _said("Spans that overlap another or hold no word, and are left out", left_out)
        notes += table.left_out(text, spans)
    return Examples(tuple(items), tuple(notes), table.form(inputs=text, spans=spans))


def _said(what: str, spans: Sequence[str]) -> Iterator[str]:
    if spans:
        yield f"{what}: {len(spans):,} ({'; '.join(spans[:_SHOWN])}{'; ...' if spans[_SHOWN:] else ''})."


def _listed(cell: Any) -> list | None:
    """The spans of a cell, which may be written as text, or stand in an object; None where it has none."""
    if is_missing(cell) or (isinstance(cell, str) and not cell.strip()):
        return []
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except ValueError:
            cell = list_in(cell)
    if isinstance(cell, dict):  # spaCy's own
        cell = cell.get("entities", cell.get("spans"))
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    return list(cell) if isinstance(cell, list | tuple) else None


def _span(given: Any) -> Span | None:
    if hasattr(given, "tolist"):
        given = given.tolist()
    if isinstance(given, dict):
        places = [next((given[name] for name in names if name in given), None) for names in (_STARTS, _ENDS)]
        label = next((given[name] for name in _LABELS if name in given), None)
        if isinstance(label, list | tuple) and len(label) == 1:  # Label Studio's
            (label,) = label
        given = [*places, label]
    if not isinstance(given, list | tuple) or len(given) < 3:
        return None
    start, end, label = given[:3]
    if isinstance(start, str) and isinstance(label, int | float):  # some write the label first
        start, end, label = end, label, start
    if not _is_place(start) or not _is_place(end):
        return None
    return Span(int(start), int(end), label.strip()) if isinstance(label, str) and label.strip() else None


def _is_place(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _spans(cell: Any, text: str, source: Source) -> Iterator[Span]:
    for given in _listed(cell) or []:
        span = _span(given)
        if span is None:
            raise source.error(f"expected spans such as [0, 4, 'PER'], got {given!r:.60}")
        if not 0 <= span.start < span.end <= len(text):
            raise source.error(
                f"expected a span within the {len(text)} characters of its text, got {span.start} to "
                f"{span.end}"
            )
        yield span
