"""JSON as objects with the row of each: an array of them, one a line, or columns by name."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unrolled.data.dates import are_dates
from unrolled.errors import DataError

Objects = tuple[list[dict[str, Any]], list[int]]


def objects_of_lines(path: Path, text: str) -> Objects:
    """The objects of JSON lines, and the line of each.

    Raises:
        DataError: a line is no object, or there are none.
    """
    objects: list[dict[str, Any]] = []
    rows: list[int] = []
    for row, line in enumerate(io.StringIO(text, newline=None), start=1):
        if line.strip():
            objects.append(_object(path, row, line))
            rows.append(row)
    return _some(path, objects, rows)


def objects_of_json(path: Path, text: str) -> Objects:
    """The objects of a JSON file, numbered from 1.

    It holds an array of objects, alone or under some name, or of texts, each in a list with an object on it
    (``["fine", {"entities": []}]``); a table as pandas writes it in any of its ways: by
    columns, ``{"text": {"0": "fine"}}``, by rows, ``{"0": {"text": "fine"}}``, split into names, index and
    data, with its schema, or a series, ``{"2024-01-31": 1.5}``; an object of columns as lists; or, whatever
    the ending promises, an object a line. An index is the first column, without a name.

    Raises:
        DataError: it holds something else, or nothing.
    """
    try:
        value = parsed_json(path, 1, text)
    except DataError as error:
        cause = error.__cause__
        if getattr(cause, "msg", "") == "Extra data" and text.lstrip().startswith("{"):
            return objects_of_lines(path, text)
        raise
    objects = _objects_in(value) or _of_series(value)
    if objects is None:
        raise DataError(
            "expected a JSON array of objects", path=path, remedy="or write one object a line (.jsonl)"
        )
    return _some(path, objects, list(range(1, len(objects) + 1)))


def parsed_json(path: Path, row: int, text: str) -> Any:
    """What a text in JSON says.

    Args:
        path: the file, for messages.
        row: the row of the file in which the text begins.
        text: the text.

    Raises:
        DataError: it is no JSON, is nested too deeply, or has a number of thousands of digits.
    """
    try:
        return json.loads(text.rstrip())  # what is missing at its end is missing in its last line
    except json.JSONDecodeError as error:
        raise DataError(f"expected JSON, but {error.msg}", path=path, row=row + error.lineno - 1) from error
    except RecursionError as error:
        raise DataError("expected JSON, got some that is nested too deeply", path=path, row=row) from error
    except ValueError as error:
        raise DataError(f"expected JSON, but {error}", path=path, row=row) from error


def _objects_in(value: Any) -> list[dict[str, Any]] | None:
    if isinstance(value, list):
        entries = list(map(_annotated, value))
        return entries if all(isinstance(entry, dict) for entry in entries) else None
    if not isinstance(value, Mapping) or not value:
        return None
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        return _of_parts(value["columns"], value["data"], value.get("index"))
    if isinstance(value.get("schema"), Mapping) and isinstance(value.get("data"), list):
        unnamed = value["schema"].get("primaryKey") == ["index"]
        found = _objects_in(value["data"]) or []
        return [
            {"" if unnamed and name == "index" else name: cell for name, cell in row.items()} for row in found
        ]
    arrays = [found for found in map(_objects_in, value.values()) if found]
    if len(arrays) == 1:
        return arrays[0]
    if all(isinstance(cells, Mapping) for cells in value.values()) and _is_by_rows(value):
        return [{"": place, **cells} for place, cells in value.items()]
    columns = {
        name: list(cells.values()) if isinstance(cells, Mapping) else cells for name, cells in value.items()
    }
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in columns.values()}
    if len(lengths) > 1 or -1 in lengths:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _annotated(value: Any) -> Any:
    """A text in front of what is said of it, as spaCy's training data has it, as one object; others as is."""
    match value:
        case [str(text), {**said}] if "text" not in said:
            return {"text": text, **said}
    return value


def _of_series(value: Any) -> list[dict[str, Any]] | None:
    """The objects of numbers by their place or their time."""
    if not isinstance(value, Mapping) or not _are_places(value):
        return None
    if not all(cell is None or isinstance(cell, int | float) for cell in value.values()):
        return None
    return [{"": place, "value": cell} for place, cell in value.items()]


def _of_parts(names: list[Any], rows: list[Any], index: Any) -> list[dict[str, Any]] | None:
    """The objects of names, rows and perhaps an index apart."""
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    places = index if isinstance(index, list) and len(index) == len(rows) else range(len(rows))
    return [
        {"": place, **dict(zip(map(str, names), row, strict=True))}
        for place, row in zip(places, rows, strict=True)
    ]


def _is_by_rows(value: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether objects by name are rows, not columns; where both are named as rows are, a counter tells."""
    inner = dict.fromkeys(name for cells in value.values() for name in cells)
    return _are_places(value) and (not _are_places(inner) or (_counts(value) and not _counts(inner)))


def _counts(names: Mapping[str, Any]) -> bool:
    return list(names) == list(map(str, range(len(names))))


def _are_places(names: Mapping[str, Any]) -> bool:
    """Whether names are those of rows: whole numbers, or times."""
    return all(name.lstrip("-").isdecimal() for name in names) or are_dates(list(names))


def _object(path: Path, row: int, line: str) -> dict[str, Any]:
    value = _annotated(parsed_json(path, row, line))
    if not isinstance(value, dict):
        shown = line.strip()
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise DataError(f"expected a JSON object, got {shown}", path=path, row=row)
    return value


def _some(path: Path, objects: list[dict[str, Any]], rows: list[int]) -> Objects:
    if not objects:
        raise DataError("expected JSON objects, found none", path=path)
    return objects, rows
