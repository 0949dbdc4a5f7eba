"""What may stand in the files of a folder: nothing is built of an entry that is not as its schema says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from unrolled.errors import ModelFolderError

ENTRIES = ConfigDict(strict=True, extra="forbid")
"""How a `TypedDict` of entries is checked: none is missing, unknown or of another type."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(allow_inf_nan=False, gt=0)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Size = Annotated[int, Field(ge=1, lt=2**31)]

_LONGEST = 300
"""Characters of a message that are repeated: torch lists every weight that does not fit."""
_SHOWN = 3
"""Entries that a message names at most."""


def conforming(place: str | Path, content: Any, schema: Any) -> Any:
    """What a file holds, as it is, once every entry is as its schema says.

    Args:
        place: the file, or the entry in it, for messages.
        content: JSON that was read.
        schema: a `TypedDict`, or another type that pydantic knows.

    Raises:
        ModelFolderError: an entry is missing, unknown or of another type or size; names each.

    Example:
        >>> conforming("config.json", {"size": "3"}, dict[str, int])
        Traceback (most recent call last):
        unrolled.errors.ModelFolderError: config.json: expected a valid integer at 'size', got '3'; use ...
    """
    try:
        return _adapter(schema).validate_python(content, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False)
        said = "; ".join(_sentence(each) for each in found[:_SHOWN])
        more = f"; and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise ModelFolderError(
            f"{place}: {said}{more}; use the release that wrote it, or train again."
        ) from None
    except RecursionError:
        raise ModelFolderError(f"{place}: expected entries, got some nested too deeply.") from None


def shown(text: str) -> str:
    r"""Some text in one line, cut where it is long.

    Example:
        >>> shown("expected\n  a size")
        'expected a size'
    """
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


@cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


def _sentence(detail: Any) -> str:
    where = ".".join(map(str, detail["loc"]))
    at = f" at {where!a:.100}" if where else ""
    if detail["type"] == "extra_forbidden":
        return f"expected no entry{at}"
    if detail["type"] == "missing":
        return f"expected an entry{at}, found none"
    said = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"expected {said}{at}, got {detail['input']!a:.60}"
