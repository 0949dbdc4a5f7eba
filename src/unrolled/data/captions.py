"""Texts, each with the one thing it is written for: an image, a vector, or a few classes and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.column_names import CAPTION_NAMES, LABEL_NAMES
from unrolled.data.encodings import read_lines
from unrolled.data.example import Example, Examples, Source
from unrolled.data.folders import media_column, media_file, media_folder, media_table, medium_of
from unrolled.data.images import is_picture
from unrolled.data.media import MediaForms, decoded
from unrolled.data.number_lists import number_sequence
from unrolled.data.table_form import TableForm, known_roles
from unrolled.data.tables import Table, is_empty, is_missing, is_number, read_table
from unrolled.data.text import existing_file
from unrolled.errors import DataError


def read_captions(
    path: str | Path,
    *,
    text: str | None = None,
    conditions: Sequence[str] = (),
    form: TableForm | None = None,
    captioned: bool = True,
    forms: MediaForms | None = None,
) -> Examples:
    """Texts with what they are written for.

    Args:
        path: a folder of images as `unrolled.data.folders` takes it, one image, or a table: of the names or
            the contents of images, of vectors (lists of numbers), or of classes and numbers. `.txt` has one
            class a line, which has no text.
        text: the column of texts; guessed by its name otherwise. Of images in a folder for every class it is
            the name of the folder.
        conditions: the columns of what texts are written for; guessed otherwise.
        form: how the table is written; None finds out.
        captioned: False reads what texts are to be written for; the targets are then None.
        forms: what images are brought to.

    Returns:
        The examples: inputs are images `(height, width, channel)` uint8, vectors `(region, feature)` float64,
        or the values of some columns by name; targets are texts.

    Raises:
        DataError: the file is missing, empty or not of its kind, a column cannot be found, or an entry is not
            what its column should hold.
    """
    path = Path(path)
    if path.is_dir():
        files = media_folder(path)
        return _of_media(files, forms, text, captioned)
    if medium_of(path) == "image" and not captioned:
        return _of_media(media_file(existing_file(path)), forms, None, captioned=False)
    if path.suffix.lower() == ".txt" and not captioned:
        return _lines_of_classes(path, form.encoding if form else None)
    wanted = [name for name in (text, *conditions) if name is not None]
    table = read_table(path, columns=wanted, form=form)
    return captions_of_table(
        table, text=text, conditions=conditions, captioned=captioned, forms=forms, form=form
    )


def captions_of_table(
    table: Table,
    *,
    text: str | None = None,
    conditions: Sequence[str] = (),
    captioned: bool = True,
    forms: MediaForms | None = None,
    form: TableForm | None = None,
) -> Examples:
    """Texts with what they are written for, from a table's columns; see `read_captions`."""
    media = None if conditions else media_column(table)
    if media is not None:
        return _of_media(media_table(table, media), forms, text, captioned)
    notes = list(table.notes)
    known = known_roles(form, table.columns)
    if not conditions and "condition" in known:
        text = text or known.get("text")
        conditions = [known["condition"]]
    if not conditions:
        text, conditions = _guessed(table, text, captioned, notes)
    if captioned and text is None:
        text = _text_column(table, conditions)
    if captioned:
        notes += table.left_out(text, *conditions)
    items = []
    for entry in range(len(table)):
        source = table.source(entry, text)
        cells = {name: table.column(name)[entry] for name in conditions}
        items.append(Example(condition(cells, table.source(entry)), _text(table, text, entry), source))
    # Several columns are always asked for by name.
    single = conditions[0] if len(conditions) == 1 else None
    return Examples(tuple(items), tuple(notes), table.form(text=text, condition=single))


def condition(given: Any, source: Source) -> Any:
    """What a text is written for: a vector `(region, feature)`, or values by name.

    A single class is the value of the name `class`.

    Raises:
        DataError: a value is missing, or is neither a class nor a number.

    Example:
        >>> condition("Italian", Source()), condition({"kind": "reel", "metre": 4}, Source())
        ({'class': 'Italian'}, {'kind': 'reel', 'metre': 4.0})
    """
    cells = given if isinstance(given, Mapping) else {"class": given}
    if len(cells) == 1:
        (only,) = cells.values()
        if isinstance(only, list | tuple | np.ndarray):
            vector = np.asarray(only)
            if not vector.size:
                raise source.error("expected a vector, got one without numbers")
            return number_sequence(vector[None] if vector.ndim == 1 else vector, source)
    return {str(name): _value(str(name), cell, source) for name, cell in cells.items()}


def _value(name: str, cell: Any, source: Source) -> str | float:
    if is_missing(cell):
        shown = "nothing" if is_empty(cell) else f"{cell!r:.60}, which stands for none"
        raise source.error(f"expected a class or a number, got {shown}", column=name)
    if isinstance(cell, str | bool | np.bool_):
        return str(cell).strip()
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        raise source.error(f"expected a class or a number, got {cell!r:.60}", column=name) from None
    if not np.isfinite(number):
        raise source.error(f"expected a finite number, got {number}", column=name)
    return number


def _of_media(files: Any, forms: MediaForms | None, text: str | None, captioned: bool) -> Examples:
    if files.medium != "image":
        raise DataError(f"expected images to write texts for, found {files.medium}", path=files.table.path)
    name = text or (_text_column(files.table, [files.column]) if captioned else None)
    left_out = files.table.left_out(files.column, name) if captioned else ()
    media = decoded(files, forms or MediaForms())
    items = tuple(
        Example(picture, _text(files.table, name if captioned else None, entry), source)
        for entry, (picture, source) in enumerate(zip(media.arrays, files.sources, strict=True))
    )
    return Examples(items, (*files.table.notes, *left_out, *media.notes))


def _text(table: Table, name: str | None, entry: int) -> str | None:
    if name is None:
        return None
    cell = table.column(name)[entry]
    if not isinstance(cell, str) or not cell.strip():
        raise table.source(entry, name).error(
            f"expected a text, got {'nothing' if not cell else repr(cell)[:60]}"
        )
    return cell


def _text_column(table: Table, taken: Sequence[str]) -> str:
    """The column of texts: by its usual names, or the only other one of text."""
    found = table.usual((*CAPTION_NAMES, *LABEL_NAMES), taken)
    if found is not None:
        return found
    others = [name for name in table.columns if name not in taken and _is_text(table, name)]
    if len(others) != 1:
        raise table.unknown("texts to write")
    return others[0]


def _guessed(
    table: Table, text: str | None, captioned: bool, notes: list[str]
) -> tuple[str | None, list[str]]:
    """The column of texts, and those of what they are written for."""
    if not captioned:
        return None, [name for name in table.columns if name != text]
    text = text or table.usual(CAPTION_NAMES)
    others = [name for name in table.columns if name != text]
    if text is None:
        labels = table.usual(LABEL_NAMES)
        others = [name for name in table.columns if name == labels]
        text = _text_column(table, others) if others else None
    found = table.usual(LABEL_NAMES, [text])
    chosen = [found] if found is not None else others
    if text is None or len(chosen) != 1:
        raise DataError(
            f"expected a column of texts and one of what they are written for, the columns are "
            f"{', '.join(table.columns)}",
            path=table.path,
            remedy="say which they are with text_column and condition_columns",
        )
    notes.append(f"Texts are those of column {text!r}, written for column {chosen[0]!r}.")
    return text, chosen


def _is_text(table: Table, name: str) -> bool:
    cell = next((cell for cell in table.column(name) if not is_missing(cell)), None)
    return isinstance(cell, str) and not is_number(cell)


def _lines_of_classes(path: Path, encoding: str | None) -> Examples:
    text = read_lines(path, encoding)
    items = (
        Example(condition(line.strip(), Source(path, row)), None, Source(path, row))
        for row, line in text.numbered()
        if line.strip()
    )
    return Examples(tuple(items), text.notes)


def is_vector(inputs: Any) -> bool:
    """Whether what a text is written for is a vector, or several."""
    return isinstance(inputs, np.ndarray) and not is_picture(inputs)
