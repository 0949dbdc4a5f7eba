"""Sequences with one label or number each: texts, series of numbers, recordings, images, clips."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unrolled.data.captions import condition
from unrolled.data.column_names import LABEL_NAMES, TEXT_NAMES, VALUE_NAMES
from unrolled.data.encodings import read_lines
from unrolled.data.example import Example, Examples, Source
from unrolled.data.folders import (
    MediaFiles,
    media_column,
    media_file,
    media_table,
    medium_of,
)
from unrolled.data.images import formed, is_picture
from unrolled.data.labelled_folders import labelled_folder
from unrolled.data.list_cells import list_in, lists_in
from unrolled.data.long_tables import VALUES, steps_as_sequences
from unrolled.data.media import MediaForms, decoded
from unrolled.data.number_lists import number_sequence
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import DELIMITERS, Table, is_missing, read_table
from unrolled.data.targets import TargetKind, as_targets, targets_in
from unrolled.data.text import existing_file
from unrolled.data.text_folders import is_text_folder, read_text_folder
from unrolled.data.text_pairs import TextPair, usual_pair
from unrolled.data.timeseries_ts import read_ts
from unrolled.errors import DataError

_FASTTEXT = re.compile(r"\s*__label__(?P<label>\S+)\s*,?\s*(?P<text>.*)")


def read_labelled(
    path: str | Path,
    *,
    text: str | None = None,
    values: str | None = None,
    pair: str | None = None,
    label: str | Sequence[str] | None = None,
    label_pattern: str | None = None,
    group: str | None = None,
    sequence: str | None = None,
    time: str | None = None,
    beside: Sequence[str] = (),
    targets: TargetKind = "auto",
    labelled: bool = True,
    forms: MediaForms | None = None,
    form: TableForm | None = None,
) -> Examples:
    """Sequences with one target each, from a table, a `.ts` file of the UCR/UEA archive, files or text.

    Args:
        path: `.csv`, `.tsv`, `.jsonl`, `.json` or `.parquet`; `.ts`; a folder of files as
            `unrolled.data.labelled_folders` takes it; `.txt` with one text a line, or one file of media or of
            numbers, which have no labels.
        text: the column of texts. Guessed by its name otherwise, or, in a table of two columns, by being
            longer.
        values: the column of number sequences: lists of numbers, or lists of one list of numbers per step.
        pair: the column of the second of two texts that are read together; guessed by usual names, such as
            `premise` and `hypothesis`, where ``text`` is left out too.
        label: the column of labels; guessed by its name otherwise, or, in a table of two columns, the other
            one. Several columns say of a label each, by 0 and 1, whether it is there.
        label_pattern: a regular expression whose first group, found in the names of a folder's files, is
            their label.
        group: the column of what examples have in common, such as the speaker.
        sequence: the column that names the sequence of a row, where each row is a step; guessed by usual
            names, see `unrolled.data.long_tables.usual_sequences`.
        time: the column of such steps' times.
        beside: further columns, of numbers or of classes, that are read beside the inputs.
        targets: `class` reads labels, `labels` several of them, `number` reads numbers for regression; `auto`
            finds out, see `unrolled.data.targets.as_targets`.
        labelled: False reads the inputs only; the targets are then None.
        forms: what media files are brought to.
        form: how a table is written; None finds out.

    Returns:
        The examples: inputs are strings, float64 arrays `(time, feature)`, or what `unrolled.data.media`
        makes of media files; targets are strings, tuples of strings, or floats.

    Raises:
        DataError: the file is missing, empty or not of its kind, a column cannot be found, or an entry is not
            what its column should hold.
    """
    path, forms = Path(path), forms or MediaForms()
    kind = path.suffix.lower()
    if path.is_dir() and label_pattern is None and is_text_folder(path):
        examples = read_text_folder(path, labelled=labelled, encoding=form.encoding if form else None)
        return as_targets(examples, "class" if targets == "auto" else targets, labelled)
    if path.is_dir():
        files = labelled_folder(path, labelled=labelled, pattern=label_pattern)
        return labelled_of_media(
            files, forms, label=label, group=group, beside=beside, targets=targets, labelled=labelled
        )
    if medium_of(path) and kind not in DELIMITERS and not labelled and not _holds_several(path):
        return labelled_of_media(media_file(existing_file(path)), forms, labelled=False)
    if kind == ".ts":
        return as_targets(read_ts(path), targets, labelled)
    if kind in (".txt", "") and labelled and (examples := read_fasttext(path, form)) is not None:
        return as_targets(examples, targets)
    if kind == ".txt" and not labelled:
        return _lines_of_text(path, form.encoding if form else None)
    labels = (label,) if isinstance(label, str) else label or ()
    wanted = [name for name in (text, values, pair, *labels, group, sequence, *beside) if name is not None]
    table = read_table(path, columns=wanted, form=form)
    if not labelled and text is None and values is None and _is_one_sequence(table):
        return labelled_of_media(media_file(path), forms, labelled=False)
    return labelled_of_table(
        table,
        text=text,
        values=values,
        pair=pair,
        label=label,
        group=group,
        sequence=sequence,
        time=time,
        beside=beside,
        targets=targets,
        labelled=labelled,
        forms=forms,
        form=form,
    )


def labelled_of_table(
    table: Table,
    *,
    text: str | None = None,
    values: str | None = None,
    pair: str | None = None,
    label: str | Sequence[str] | None = None,
    group: str | None = None,
    sequence: str | None = None,
    time: str | None = None,
    beside: Sequence[str] = (),
    targets: TargetKind = "auto",
    labelled: bool = True,
    forms: MediaForms | None = None,
    form: TableForm | None = None,
) -> Examples:
    """Sequences with one target each from a table's columns; see `read_labelled`."""
    media = media_column(table) if text is None and values is None else None
    if media is not None:
        files = media_table(table, media)
        return labelled_of_media(
            files,
            forms or MediaForms(),
            label=label,
            group=group,
            beside=beside,
            targets=targets,
            labelled=labelled,
        )
    roles: dict[str, str | None] = {}
    if text is values is pair is None:
        whole = [label] if isinstance(label, str) else list(label or LABEL_NAMES)
        whole = [name for name in table.columns if name in whole or name.lower() in whole]
        table, roles = steps_as_sequences(table, sequence, time, [*whole, *beside], group, form)
    if roles:
        values = VALUES
    notes = list(table.notes)
    groups = _groups(table, group, labelled)
    shown = table if group is None else table.without(group)
    further = further_columns(table, beside)
    for name in beside:
        shown = shown.without(name)
    known = known_roles(form, shown.columns)
    text, pair = _pair(shown, text, values, pair, known)
    rest = shown if pair is None else shown.without(pair)
    inputs_name, kind = _inputs_column(rest, text, values, label, notes, known)
    label_name, found_targets = _targets(rest, inputs_name, label, notes, known, labelled)
    seconds = None if pair is None else table.column(pair)
    items = []
    for entry, cell in enumerate(table.column(inputs_name)):
        inputs = _READ[kind](cell, table.source(entry, inputs_name))
        if seconds is not None:
            if not isinstance(inputs, str):
                raise table.source(entry, inputs_name).error("expected a text, the first of two, got numbers")
            inputs = TextPair(inputs, _text(seconds[entry], table.source(entry, pair)))
        source = table.source(entry, label_name)
        items.append(Example(inputs, found_targets[entry], source, groups[entry], further[entry]))
    found = table.form(inputs=None if roles else inputs_name, pair=pair, target=label_name, **roles)
    examples = formed(Examples(tuple(items), tuple(notes), found), (forms or MediaForms()).picture)
    return as_targets(examples, targets, labelled)


def labelled_of_media(
    files: MediaFiles,
    forms: MediaForms,
    *,
    label: str | Sequence[str] | None = None,
    group: str | None = None,
    beside: Sequence[str] = (),
    targets: TargetKind = "auto",
    labelled: bool = True,
) -> Examples:
    """Media files with one target each; see `read_labelled`."""
    notes = list(files.table.notes)
    groups = _groups(files.table, group, labelled)
    shown = files.table if group is None else files.table.without(group)
    further = further_columns(files.table, beside)
    for column in beside:
        shown = shown.without(column)
    name, cells = _targets(shown, files.column, label, notes, {}, labelled)
    media = decoded(files, forms)
    items = tuple(
        Example(inputs, cell, source if source.row is None else replace(source, column=name), its, more)
        for inputs, cell, source, its, more in zip(
            media.arrays, cells, files.sources, groups, further, strict=True
        )
    )
    return as_targets(Examples(items, (*notes, *media.notes)), targets, labelled)


def further_columns(table: Table, names: Sequence[str]) -> list[Mapping[str, str | float] | None]:
    """For every entry the values of some columns by name; None where there are no such columns.

    Raises:
        DataError: there is no such column, or a value is missing.
    """
    if not names:
        return [None] * len(table)
    columns = {name: table.column(name) for name in names}
    return [
        condition({name: cells[entry] for name, cells in columns.items()}, table.source(entry))
        for entry in range(len(table))
    ]


def _holds_several(path: Path) -> bool:
    """Whether a file is an array of several sequences rather than of one."""
    if path.suffix.lower() != ".npy":
        return False
    cells = next(iter(read_table(path).columns.values()))
    return np.ndim(cells[0]) > 1


def _is_one_sequence(table: Table) -> bool:
    """Whether a table is a sequence itself: nothing but numbers, and no column that is called a text."""
    return not _by_name(list(table.columns), TEXT_NAMES) and all(map(table.is_numeric, table.columns))


def read_fasttext(path: Path, form: TableForm | None = None) -> Examples | None:
    """Texts with a label before each, or several, as fastText has them; None where a line has none."""
    text = read_lines(path, form.encoding if form else None)
    items = []
    for row, line in text.numbered():
        match = _FASTTEXT.match(line)
        if match is None and line.strip():
            return None
        if match is not None:
            labels = [match["label"]]
            while (further := _FASTTEXT.match(match["text"])) is not None:
                match = further
                labels.append(match["label"])
            items.append(Example(match["text"], labels, Source(path, row)))
    if all(len(item.target) == 1 for item in items):
        items = [replace(item, target=item.target[0]) for item in items]
    return Examples(tuple(items), text.notes) if items else None


def _lines_of_text(path: str | Path, encoding: str | None) -> Examples:
    text = read_lines(path, encoding)
    items = (Example(line, None, Source(path, row)) for row, line in text.numbered() if line.strip())
    return Examples(tuple(items), text.notes)


def _groups(table: Table, column: str | None, labelled: bool) -> Sequence[str | None]:
    """The group of every entry; they matter where a share is held out, so predicting needs none."""
    if column is None or not labelled:
        return [None] * len(table)
    return [None if is_missing(cell) else str(cell) for cell in table.column(column)]


_Kind = Literal["text", "words", "numbers"]


def _inputs_column(
    table: Table,
    text: str | None,
    values: str | None,
    label: str | Sequence[str] | None,
    notes: list[str],
    known: Mapping[str, str],
) -> tuple[str, _Kind]:
    """The column of inputs, and what its cells are."""
    if values is not None:
        return values, "numbers"
    if text is not None:
        return text, "words" if _kind_of_cells(table, text) == "words" else "text"
    if "inputs" in known:
        return known["inputs"], _kind_of_cells(table, known["inputs"])
    labels = (label,) if isinstance(label, str) else label or ()
    others = [name for name in table.columns if name not in labels]
    kinds: dict[str, _Kind] = {name: _kind_of_cells(table, name) for name in others}
    lists = [name for name in others if kinds[name] == "numbers" and name.lower() not in LABEL_NAMES]
    found = _by_name(lists, VALUE_NAMES) or (lists[0] if len(lists) == 1 else None)
    if found is not None:
        return found, "numbers"
    texts = [
        name
        for name in others
        if (kinds[name] == "words" and name.lower() not in LABEL_NAMES)
        or isinstance(_first(table, name), str)
    ]
    found = _by_name(texts, TEXT_NAMES)
    words = [name for name in texts if kinds[name] == "words"]
    if found is None and len(words) == 1:
        found = words[0]
    named = _by_name(others, TEXT_NAMES)
    if found is None and named is not None and _by_name(texts, LABEL_NAMES) in texts:
        raise DataError(
            f"expected texts in column {named!r}, found none",
            path=table.path,
            remedy="say which column holds them with --text-column",
        )
    if found is None and len(texts) == 1:
        found = texts[0]
    if found is None and len(table.columns) == 2 and texts:
        found = max(texts, key=lambda name: sum(len(str(cell)) for cell in table.column(name)))
        notes.append(f"Column {found!r} is taken for the text, being the longer one.")
    if found is None:
        raise table.unknown("text (or of lists of numbers)", "--text-column or --values-column")
    if kinds[found] == "words":
        notes.append(f"Column {found!r} holds lists of words, which are read as texts.")
    return found, kinds[found]


def _kind_of_cells(table: Table, name: str) -> _Kind:
    """What the cells of a column are, as far as lists go."""
    cells = table.column(name)
    first = _first(table, name)
    if isinstance(first, str):
        if not first.lstrip().startswith(("[", "(", "array(")):
            return "text"
        if name.lower() in VALUE_NAMES and list_in(first) is None:
            return "numbers"  # and will be refused as no list
        if name.lower() not in VALUE_NAMES and not lists_in(cells):
            return "text"
        first = list_in(first)
    if not isinstance(first, list | np.ndarray):
        return "text"
    return "words" if len(first) and isinstance(first[0], str) else "numbers"


def _pair(
    table: Table, text: str | None, values: str | None, pair: str | None, known: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """The columns of two texts that are read together; the second is None where there is but one."""
    if pair is not None:
        table.column(pair)
        return text, pair
    if "pair" in known:
        return text, known["pair"]
    usual = usual_pair(table) if text is values is None and not known else None
    return usual or (text, None)


def _targets(
    table: Table,
    inputs_name: str,
    label: str | Sequence[str] | None,
    notes: list[str],
    known: Mapping[str, str],
    labelled: bool,
) -> tuple[str | None, list[Any]]:
    """The column of targets, None where there are several or none, and what is in it."""
    if not labelled:
        return None, [None] * len(table)
    if label is not None and not isinstance(label, str):
        notes += table.left_out(inputs_name, *label)
        return None, targets_in(table, label)
    name = _label_column(table, inputs_name, label, notes, known)
    notes += table.left_out(inputs_name, name)
    return name, targets_in(table, name)


def _label_column(
    table: Table, inputs_name: str, label: str | None, notes: list[str], known: Mapping[str, str]
) -> str:
    if label is not None:
        table.column(label)
        return label
    if "target" in known:
        return known["target"]
    others = [name for name in table.columns if name != inputs_name]
    found = _by_name(others, LABEL_NAMES)
    if found is None and len(others) == 1:
        found = others[0]
        notes.append(f"Column {found!r} is taken for the label, being the other one.")
    if found is None:
        raise table.unknown("labels", "--label-column (several columns of 0 and 1: --label-columns)")
    return found


def _by_name(columns: Sequence[str], names: Sequence[str]) -> str | None:
    lowered = {column.lower(): column for column in columns}
    return next((lowered[name] for name in names if name in lowered), None)


def _first(table: Table, name: str) -> Any:
    return next((cell for cell in table.column(name) if not is_missing(cell)), None)


def _text(cell: Any, source: Source) -> str:
    if not isinstance(cell, str):
        raise source.error(f"expected text, got {cell!r:.60}")
    return cell


def _words(cell: Any, source: Source) -> str:
    found = list_in(cell) if isinstance(cell, str) else cell
    if not isinstance(found, list | tuple | np.ndarray) or not all(isinstance(each, str) for each in found):
        raise source.error(f"expected a list of words, got {cell!r:.60}")
    return " ".join(found)


def _numbers(cell: Any, source: Source) -> np.ndarray:
    return cell if is_picture(cell) else number_sequence(cell, source, gaps=True)


_READ: Mapping[_Kind, Callable[[Any, Source], Any]] = {"text": _text, "words": _words, "numbers": _numbers}
