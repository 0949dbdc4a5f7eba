"""Data as a user names it (a path, a built-in name, or a DataFrame) to what a task works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from unrolled.data.abc_notation import AbcFiles, holds_tunes, tune_files
from unrolled.data.builtin import resolve
from unrolled.data.captions import captions_of_table, read_captions
from unrolled.data.conll import Tagged, read_with_layout, tagged_of_table
from unrolled.data.corpus import Documents
from unrolled.data.example import Examples, Series
from unrolled.data.images import formed
from unrolled.data.labelled import labelled_of_table, read_labelled
from unrolled.data.media import MediaForms
from unrolled.data.pairs import ParallelFiles, pairs_of_table, read_pairs
from unrolled.data.series import SeriesRead, read_series_with_layout, series_and_layout
from unrolled.data.table_form import TableForm
from unrolled.data.tables import is_table, read_table, table_of_frame, texts_of_column
from unrolled.data.targets import as_targets
from unrolled.data.text import text_files


def load_labelled(data: Any, **options: Any) -> Examples:
    """Sequences with one target each, for `classify`.

    Args:
        data: a path, a built-in name, or a DataFrame.
        options: those of `unrolled.data.labelled.read_labelled`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.

    Example:
        >>> load_labelled("adding:20")[0].inputs.shape
        (20, 2)
    """
    if not isinstance(data, str | Path):
        options.pop("label_pattern", None)
        return labelled_of_table(table_of_frame(data), **options)
    found = resolve(data)
    if isinstance(found, Path):
        return read_labelled(found, **options)
    targets, labelled = options.pop("targets", "auto"), options.pop("labelled", True)
    forms = options.pop("forms", None) or MediaForms()
    options.pop("form", None)
    examples = formed(found.load("labelled", **_given(options)), forms.picture)
    return as_targets(examples, targets, labelled)


def load_tagged(data: Any, **options: Any) -> Examples:
    """Sequences of words with one tag each, for `tag`.

    Args:
        data: a path, a built-in name, or a DataFrame with a column of token lists and one of tag lists.
        options: those of `unrolled.data.conll.read_with_layout`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.

    Example:
        >>> load_tagged("deep")[0].target
        ('e', 'e', 'p', 'stop')
    """
    return load_with_layout(data, **options).examples


def load_with_layout(data: Any, **options: Any) -> Tagged:
    """As `load_tagged`, and where in its file the words and tags are."""
    found = resolve(data) if isinstance(data, str | Path) else None
    if isinstance(found, Path):
        return read_with_layout(found, **options)
    options.pop("known", None)
    if found is None:
        return Tagged(tagged_of_table(table_of_frame(data), **options))
    options.pop("form", None)
    tagged = options.pop("tagged", True)
    examples = found.load("tagged", **_given(options))
    return Tagged(examples if tagged else _without_targets(examples))


def load_pairs(data: Any, *, paired: bool = True, form: TableForm | None = None, **options: Any) -> Examples:
    """Pairs of a source and a target, for `translate`.

    Args:
        data: a path, two paths of parallel files with a comma between them, a built-in name, or a DataFrame.
        paired: False asks for the sources only; the targets are then None.
        form: how the table is written; None finds out.
        options: those of `unrolled.data.pairs.read_pairs`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.

    Example:
        >>> load_pairs("sorting")[0].target
        '28 54 56 65 82 89'
    """
    given = {name: value for name, value in options.items() if value}
    if not isinstance(data, str | Path):
        return pairs_of_table(table_of_frame(data), paired=paired, form=form, **given)
    found = resolve(data)
    if isinstance(found, Path):
        return read_pairs(found, paired=paired, form=form, **given)
    if isinstance(found, ParallelFiles):
        return found.load("pairs", paired=paired, form=form, **given)
    examples = found.load("pairs", **given)
    return examples if paired else _without_targets(examples)


def load_captions(data: Any, *, form: TableForm | None = None, **options: Any) -> Examples:
    """Texts with what they are written for, for `caption`.

    Args:
        data: a path, a built-in name, or a DataFrame.
        form: how the table is written; None finds out.
        options: those of `unrolled.data.captions.read_captions`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.

    Example:
        >>> load_captions("described-shapes")[0].target
        'a large white disc at the top left'
    """
    if not isinstance(data, str | Path):
        return captions_of_table(table_of_frame(data), form=form, **options)
    found = resolve(data)
    if isinstance(found, Path):
        return read_captions(found, form=form, **options)
    forms, captioned = options.pop("forms", None) or MediaForms(), options.pop("captioned", True)
    given = {name: value for name, value in options.items() if value}
    examples = formed(found.load("captions", **given), forms.picture)
    return examples if captioned else _without_targets(examples)


def load_documents(
    data: str | Path,
    *,
    document: Literal["auto", "file", "line", "tune"] = "auto",
    suffixes: Iterable[str] = (),
    text: str = "text",
    unit: str = "character",
    form: TableForm | None = None,
) -> Documents:
    """Running text, document by document, for `generate`.

    Args:
        data: a text file, a folder of them, a table with a text column, or a built-in name.
        document: whether each `file`, each `line` of a text file or each `tune` of one in ABC notation is a
            document; `auto` takes tunes in files ending in `.abc`, else files.
        suffixes: only files of a folder whose names end so.
        text: the column of a table that holds the text.
        unit: of the tokenizer; for `byte`, files are read as they are, whatever their encoding.
        form: how a table is written, and the encoding of text files, UTF-8 where it does not say.

    Raises:
        DataError: the data cannot be read; files are read later, piece by piece, and may raise it then.
        ConfigError: the built-in data is for another task.

    Example:
        >>> ["".join(document) for document in load_documents("deep")]
        ['deep']
    """
    found = resolve(data)
    if not isinstance(found, Path):
        return found.load("documents")
    if is_table(found):
        return texts_of_column(read_table(found, columns=[text], form=form), text)
    if document == "tune" or (document == "auto" and holds_tunes(found)):
        return AbcFiles(tune_files(found) if found.is_dir() else [found])
    encoding = None if unit == "byte" else (form and form.encoding) or "utf-8"
    document = "file" if document == "auto" else document
    return text_files(found, document=document, suffixes=suffixes, encoding=encoding)


def load_series(data: Any, *, form: TableForm | None = None, **options: Any) -> tuple[Series, ...]:
    """Series of numbers in time, for `forecast`.

    Args:
        data: a path, a built-in name, or a DataFrame in long format.
        form: how the table is written; None finds out.
        options: those of `unrolled.data.series.read_series`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.

    Example:
        >>> (series,) = load_series("seattle-weather")
        >>> series.unique_id, len(series), series.names
        ('temp_max', 1461, ('precipitation', 'temp_min', 'wind'))
    """
    return load_series_with_layout(data, form=form, **options).series


def load_series_with_layout(data: Any, **options: Any) -> SeriesRead:
    """As `load_series`, and how the table was read.

    Args:
        data: as for `load_series`; of a DataFrame, an index of dates or with names is a column too.
        options: those of `unrolled.data.series.read_series_with_layout`.

    Raises:
        DataError: the data cannot be read; see the reader.
        ConfigError: the built-in data is for another task.
    """
    given = _given(options)
    if not isinstance(data, str | Path):
        given.pop("form", None)
        return series_and_layout(table_of_frame(_with_index(data)), **given)
    found = resolve(data)
    if isinstance(found, Path):
        return read_series_with_layout(found, **given)
    return found.load("series", **given)


def _with_index(frame: Any) -> Any:
    """A DataFrame whose index is a column too, unless it has no name and only counts or picks rows."""
    import pandas as pd

    if isinstance(frame, pd.Series):
        frame = frame.to_frame("y" if frame.name is None else frame.name)
    index = frame.index
    dated = isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)
    counts = pd.api.types.is_numeric_dtype(index.dtype) and index.nlevels == 1
    if counts and index.name is None:
        return frame
    names = [("ds" if dated else "index") if name is None else name for name in index.names]
    new = [level for level, name in enumerate(names) if name not in frame.columns]
    old = [level for level in range(len(names)) if level not in new]
    if not new:
        return frame
    kept = frame.reset_index(level=old, drop=True) if old else frame
    return kept.reset_index(names=[names[level] for level in new])


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _without_targets(examples: Examples) -> Examples:
    return replace(examples, items=tuple(replace(item, target=None) for item in examples))
