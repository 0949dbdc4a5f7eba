"""JSON as objects with the row of each: an array of them, one a line, or columns by name."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

    It holds an array of objects, alone or under some name; an object of columns, as lists or as pandas writes
    them by default, ``{"text": {"0": "fine"}}``; or, whatever the ending promises, an object a line.

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
    objects = _objects_in(value)
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
        return value if all(isinstance(entry, dict) for entry in value) else None
    if not isinstance(value, Mapping) or not value:
        return None
    arrays = [found for found in map(_objects_in, value.values()) if found]
    if len(arrays) == 1:
        return arrays[0]
    columns = {
        name: list(cells.values()) if isinstance(cells, Mapping) else cells for name, cells in value.items()
    }
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in columns.values()}
    if len(lengths) > 1 or -1 in lengths:
        return None
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _object(path: Path, row: int, line: str) -> dict[str, Any]:
    value = parsed_json(path, row, line)
    if not isinstance(value, dict):
        shown = line.strip()
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        raise DataError(f"expected a JSON object, got {shown}", path=path, row=row)
    return value


def _some(path: Path, objects: list[dict[str, Any]], rows: list[int]) -> Objects:
    if not objects:
        raise DataError("expected JSON objects, found none", path=path)
    return objects, rows
