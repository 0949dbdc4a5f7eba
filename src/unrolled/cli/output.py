"""Where a command's words go: results to standard output, everything said on the way to standard error."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from unrolled.errors import escaped, readable

AsJson = typer.Option("--json", help="Print one JSON object on standard output and nothing else there.")


def first_process() -> bool:
    """Whether this is the only process, or the first of those that a launcher started to train together."""
    return os.environ.get("RANK", "0") == "0"


def note(text: RenderableType) -> None:
    """Says something on the way, to standard error; of several processes the first speaks."""
    if first_process():
        say(text)


def say(text: RenderableType) -> None:
    """Says something to standard error, whichever process this is."""
    _print(text, stderr=True)


def answer(text: str, end: str = "\n") -> None:
    """Prints what a model says on standard output: as it is, but on a terminal without what that obeys."""
    print(escaped(text) if sys.stdout.isatty() else text, end=end, flush=True)


def result(shown: RenderableType, value: Mapping[str, Any], *, as_json: bool) -> None:
    """Prints a command's result on standard output: as a person reads it, or as one JSON object."""
    if not first_process():
        return
    if as_json:
        text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False, default=str)
        # Half a character, which UTF-8 has not, is its escape, which JSON reads as what it was.
        print(text.encode("utf-8", "backslashreplace").decode())
    else:
        _print(shown)


def _print(shown: RenderableType, *, stderr: bool = False) -> None:
    Console(stderr=stderr, highlight=False, soft_wrap=True).print(_harmless(shown), markup=False)


def _harmless(shown: Any) -> Any:
    """What is shown without what a terminal obeys, or rich takes for markup, whatever labels are called."""
    if isinstance(shown, str):
        return Text(readable(shown))
    if isinstance(shown, Text):
        return Text(readable(shown.plain), style=shown.style)
    if isinstance(shown, Group):
        return Group(*map(_harmless, shown.renderables))
    if isinstance(shown, Table):
        shown.title = None if shown.title is None else _harmless(shown.title)
        for column in shown.columns:
            column.header = _harmless(column.header)
            column._cells = list(map(_harmless, column._cells))
    return shown


class _NoteHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


@contextmanager
def notes_shown() -> Iterator[None]:
    """Shows what the package logs, such as a decision it took from the data, inside the `with`."""
    logger, handler = logging.getLogger("unrolled"), _NoteHandler(logging.INFO)
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def finite(value: Any) -> Any:
    """``value`` without NaN and infinities, which JSON does not have, and without NumPy's types."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # a label as it came, of NumPy's types
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
