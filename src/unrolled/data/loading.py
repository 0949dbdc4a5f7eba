"""Data as a user gives it (a path, a built-in name, or Python objects) to what a task works on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from unrolled.data.builtin import Reference, resolve
from unrolled.data.conll import read_tagged, tagged_of_table
from unrolled.data.corpus import Documents
from unrolled.data.example import Example, Examples, Series, Source
from unrolled.data.labelled import checked, labelled_of_table, number_sequence, read_labelled
from unrolled.data.series import read_series, series_of_table
from unrolled.data.tables import documents_of_column, read_table, table_of_frame
from unrolled.data.text import text_files
from unrolled.errors import DataError

_TABLE_SUFFIXES = (".jsonl", ".json", ".parquet", ".csv", ".tsv")


def load_labelled(data: Any, **options: Any) -> Examples:
    """Sequences with one target each.

    Args:
        data: a path, a built-in name, a DataFrame, a pair `(inputs, targets)`, or a sequence of `Example`;
            where `labelled=False`, also a sequence of inputs alone.
        options: those of `unrolled.data.labelled.read_labelled`; they apply to files and DataFrames,
            `targets` and `labelled` to all.

    Raises:
        DataError: the data cannot be read; see the reader.

    Example:
        >>> load_labelled((["good", "bad"], [1, 0]))[1].target
        '0'
    """
    if isinstance(data, str | Path):
        found = resolve(data)
        if isinstance(found, Path):
            return read_labelled(found, **options)
        targets, labelled = options.pop("targets", "auto"), options.pop("labelled", True)
        return checked(found.load("labelled", **_given(options)), targets, labelled)
    if hasattr(data, "columns"):
        options.pop("header", None)
        return labelled_of_table(table_of_frame(data), **options)
    labelled = options.get("labelled", True)
    return checked(_examples(data, paired=labelled, arrays=True), options.get("targets", "auto"), labelled)


def load_tagged(data: Any, **options: Any) -> Examples:
    """Sequences of words with one tag each.

    Args:
        data: a path, a built-in name, a DataFrame, a pair `(sentences, tags)`, or a sequence of `Example`;
            where `tagged=False`, also a sequence of sentences alone, each a list of words.
        options: those of `unrolled.data.conll.read_tagged`.

    Raises:
        DataError: the data cannot be read, or tokens and tags are unequal in number.

    Example:
        >>> load_tagged(([["Ada", "ran"]], [["NOUN", "VERB"]]))[0].target
        ('NOUN', 'VERB')
    """
    tagged = options.get("tagged", True)
    if isinstance(data, str | Path):
        found = resolve(data)
        if isinstance(found, Path):
            return read_tagged(found, **options)
        examples = found.load("tagged", **_given({**options, "tagged": None}))
    elif hasattr(data, "columns"):
        options.pop("column", None)
        return tagged_of_table(table_of_frame(data), **options)
    else:
        examples = _examples(data, paired=tagged, arrays=False)
    items = []
    for item in examples:
        words = tuple(item.inputs)
        tags = tuple(map(str, item.target)) if tagged and item.target is not None else None
        if tagged and (tags is None or len(tags) != len(words)):
            count = "none" if tags is None else len(tags)
            raise item.source.error(
                f"expected as many tags as tokens, got {len(words)} tokens and {count} tags"
            )
        items.append(Example(words, tags, item.source))
    return Examples(tuple(items), examples.notes)


def load_documents(
    data: Any,
    *,
    document: Literal["file", "line"] = "file",
    suffixes: Iterable[str] = (),
    text: str | None = None,
    unit: str = "character",
) -> Documents:
    """Running text, document by document.

    Args:
        data: a text file, a folder of them, a table with a text column, a built-in name, or a sequence of
            strings.
        document: whether each `file` or each `line` of a text file is a document.
        suffixes: only files of a folder whose names end so.
        text: the column of a table that holds the text; `text` by default.
        unit: of the tokenizer; for `byte`, files are read as they are, whatever their encoding.

    Raises:
        DataError: the data cannot be read; files are read later, piece by piece, and may raise it then.

    Example:
        >>> ["".join(document) for document in load_documents(["one", "two"])]
        ['one', 'two']
    """
    if not isinstance(data, str | Path):
        return [[each] if isinstance(each, str) else list(each) for each in data]
    found = resolve(data)
    if isinstance(found, Reference):
        return found.load("documents")
    if found.suffix.lower() in _TABLE_SUFFIXES:
        return list(documents_of_column(read_table(found), text or "text"))
    encoding = None if unit == "byte" else "utf-8"
    return text_files(found, document=document, suffixes=suffixes, encoding=encoding)


def load_series(data: Any, **options: Any) -> tuple[Series, ...]:
    """Series of numbers in time.

    Args:
        data: a path, a built-in name, a DataFrame in long format, or a sequence of `Series`.
        options: those of `unrolled.data.series.read_series`.

    Raises:
        DataError: the data cannot be read; see the reader.
    """
    if isinstance(data, str | Path):
        found = resolve(data)
        given = _given(options)
        return read_series(found, **given) if isinstance(found, Path) else found.load("series", **given)
    if hasattr(data, "columns"):
        return series_of_table(table_of_frame(data), **options)
    return tuple(data)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _examples(data: Any, *, paired: bool, arrays: bool) -> Examples:
    if isinstance(data, Examples):
        return data
    if isinstance(data, Sequence) and data and all(isinstance(item, Example) for item in data):
        return Examples(tuple(data))
    is_pair = isinstance(data, tuple) and len(data) == 2
    if paired and not is_pair:
        raise DataError(
            "expected a path, a built-in name, a DataFrame, examples or a pair (inputs, targets), "
            f"got {type(data).__name__}"
        )
    inputs, targets = data if paired else (data, [None] * len(data))
    if len(inputs) != len(targets):
        raise DataError(
            f"expected as many targets as inputs, got {len(inputs)} inputs and {len(targets)} targets"
        )
    if not len(inputs):
        raise DataError("expected examples, got none")
    items = []
    for row, (each, target) in enumerate(zip(inputs, targets, strict=True), start=1):
        source = Source("inputs", row)
        sequence = number_sequence(each, source) if arrays and not isinstance(each, str) else each
        items.append(Example(sequence, target, source))
    return Examples(tuple(items))
