"""Sequences with one label or number each: texts, series of numbers, recordings, images, clips."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unrolled.data.amounts import numbers_of_amounts
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
from unrolled.data.media import MediaForms, decoded
from unrolled.data.number_lists import number_sequence
from unrolled.data.sound import Recording
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import DELIMITERS, Table, is_missing, read_table
from unrolled.data.text import existing_file
from unrolled.data.text_folders import is_text_folder, read_text_folder
from unrolled.data.timeseries_ts import read_ts

_AMOUNTS = 20
"""So many different whole numbers may be amounts; fewer are classes."""

_FASTTEXT = re.compile(r"\s*__label__(?P<label>\S+)\s*,?\s*(?P<text>.*)")

TargetKind = Literal["auto", "class", "number"]


def read_labelled(
    path: str | Path,
    *,
    text: str | None = None,
    values: str | None = None,
    label: str | None = None,
    label_pattern: str | None = None,
    group: str | None = None,
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
        label: the column of labels; guessed by its name otherwise, or, in a table of two columns, the other
            one.
        label_pattern: a regular expression whose first group, found in the names of a folder's files, is
            their label.
        group: the column of what examples have in common, such as the speaker.
        beside: further columns, of numbers or of classes, that are read beside the inputs.
        targets: `class` reads labels, `number` reads numbers for regression, `auto` takes numbers when all
            are numbers and some have a fraction, or most are different.
        labelled: False reads the inputs only; the targets are then None.
        forms: what media files are brought to.
        form: how a table is written; None finds out.

    Returns:
        The examples: inputs are strings, float64 arrays `(time, feature)`, or what `unrolled.data.media`
        makes of media files; targets are strings or floats.

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
    wanted = [name for name in (text, values, label, group, *beside) if name is not None]
    table = read_table(path, columns=wanted, form=form)
    if not labelled and text is None and values is None and _is_one_sequence(table):
        return labelled_of_media(media_file(path), forms, labelled=False)
    return labelled_of_table(
        table,
        text=text,
        values=values,
        label=label,
        group=group,
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
    label: str | None = None,
    group: str | None = None,
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
    notes = list(table.notes)
    groups = _groups(table, group, labelled)
    shown = table if group is None else table.without(group)
    further = further_columns(table, beside)
    for name in beside:
        shown = shown.without(name)
    known = known_roles(form, shown.columns)
    inputs_name, kind = _inputs_column(shown, text, values, label, notes, known)
    label_name = _label_column(shown, inputs_name, label, notes, known) if labelled else None
    if labelled:
        notes += shown.left_out(inputs_name, label_name)
    items = []
    for entry, cell in enumerate(table.column(inputs_name)):
        inputs = _READ[kind](cell, table.source(entry, inputs_name))
        source = table.source(entry, label_name)
        target = None if label_name is None else _of_one_hot(table.column(label_name)[entry], source)
        items.append(Example(inputs, target, source, groups[entry], further[entry]))
    found = table.form(inputs=inputs_name, target=label_name)
    examples = formed(Examples(tuple(items), tuple(notes), found), (forms or MediaForms()).picture)
    return as_targets(examples, targets, labelled)


def labelled_of_media(
    files: MediaFiles,
    forms: MediaForms,
    *,
    label: str | None = None,
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
    name = _label_column(shown, files.column, label, notes, {}) if labelled else None
    if labelled:
        notes += shown.left_out(files.column, name)
    cells = [None] * len(files.files) if name is None else files.table.column(name)
    media = decoded(files, forms)
    items = tuple(
        Example(inputs, cell, source if source.row is None else replace(source, column=name), its, more)
        for inputs, cell, source, its, more in zip(
            media.arrays, cells, files.sources, groups, further, strict=True
        )
    )
    return as_targets(Examples(items, (*notes, *media.notes)), targets, labelled)


def as_targets(examples: Examples, targets: TargetKind, labelled: bool = True) -> Examples:
    """The examples with their targets as labels (strings) or as numbers (floats); see `read_labelled`.

    Raises:
        DataError: a target is missing or is not a number where one is expected, or the number sequences have
            different numbers of features.
    """
    form = None
    for item in examples:
        found = _kind(item.inputs)
        form = form or found
        if found != form:
            raise item.source.error(f"expected {form} as in the first sequence, got {found}")
        if labelled and (item.target is None or item.target != item.target or not str(item.target).strip()):
            raise item.source.error("expected a label, got an empty cell")
    if not labelled:
        return replace(examples, items=tuple(replace(item, target=None) for item in examples))
    notes = examples.notes
    found = [item.target for item in examples]
    if targets != "class" and all(isinstance(target, str) for target in found):
        found = numbers_of_amounts(found, lambda _: False) or found
    if targets == "auto":
        kind = (
            "with fractions" if _are_fractions(found) else "that hardly repeat" if _are_amounts(found) else ""
        )
        targets = "number" if kind else "class"
        if kind:
            notes += (f"The labels are numbers {kind}, so this is regression.",)
    if targets == "number":
        items = [
            replace(item, target=_number(target, item.source))
            for item, target in zip(examples, found, strict=True)
        ]
    else:
        items = [replace(item, target=label_text(item.target, item.source)) for item in examples]
    return replace(examples, items=tuple(items), notes=notes)


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


def _kind(inputs: Any) -> str:
    """What an example's inputs are, for a message."""
    if isinstance(inputs, str):
        return "text"
    if isinstance(inputs, Recording):
        return "a recording"
    if is_picture(inputs):
        return f"{'an image' if inputs.ndim == 3 else 'a clip'} of {' × '.join(map(str, inputs.shape[-3:]))}"
    return f"{int(np.prod(inputs.shape[1:], dtype=int))} numbers a step"


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
    """Texts with a label before each, as fastText has them; None where a line has none.

    Raises:
        DataError: a text has several labels.
    """
    text = read_lines(path, form.encoding if form else None)
    items = []
    for row, line in text.numbered():
        match = _FASTTEXT.match(line)
        if match is None and line.strip():
            return None
        if match is not None:
            source = Source(path, row)
            if match["text"].startswith("__label__"):
                raise source.error(f"expected one label, got several, {line!r:.60}")
            items.append(Example(match["text"], match["label"], source))
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
    label: str | None,
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
    others = [name for name in table.columns if name != label]
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
        raise table.unknown("labels", "--label-column")
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


def _of_one_hot(cell: Any, source: Source) -> Any:
    """The number of the class that a list of zeros and a single one marks; what is no list stays."""
    if not isinstance(cell, np.ndarray):
        return cell
    if cell.ndim != 1 or sorted(cell.tolist()) != [0] * (len(cell) - 1) + [1]:
        raise source.error(f"expected one label, got an array {cell!r:.60}")
    return int(cell.argmax())


def _are_fractions(targets: Sequence[Any]) -> bool:
    try:
        numbers = np.array(targets, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    return bool(np.isfinite(numbers).all() and (numbers != np.round(numbers)).any())


def _are_amounts(targets: Sequence[Any]) -> bool:
    """Whether whole numbers measure something: many of them, scattered, few of them twice."""
    try:
        numbers = np.array(targets, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return False
    distinct = np.unique(numbers)
    if len(distinct) < _AMOUNTS or not np.isfinite(numbers).all():
        return False
    spread = distinct[-1] - distinct[0] + 1
    return len(numbers) < 3 * len(distinct) and (
        spread > 2 * len(distinct) or len(numbers) < 2 * len(distinct)
    )


def label_text(target: Any, source: Source) -> str:
    """A label as a text.

    Raises:
        DataError: it is a list, or values by name.
    """
    if isinstance(target, float) and target.is_integer():
        return str(int(target))
    if isinstance(target, list | dict):
        raise source.error(f"expected a label, got {target!r:.60}")
    return str(target).strip()


def _number(target: Any, source: Source) -> float:
    try:
        number = float(target)
    except (TypeError, ValueError, OverflowError):
        raise source.error(f"expected a number, got {target!r:.60}") from None
    if not np.isfinite(number):
        raise source.error(f"expected a finite number, got {target!r:.60}")
    return number
