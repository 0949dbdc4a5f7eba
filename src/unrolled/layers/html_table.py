"""A small table as notebooks show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any


def html_table(title: str, rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """A table with a title above it.

    Example:
        >>> html_table("GRU", [("input_size", 8)])
        '<table><caption>GRU</caption><tr><th>input_size</th><td>8</td></tr></table>'
    """
    made = ["<table><caption>", escape(title), "</caption>"]
    if head:
        made += ["<tr>", *(f"<th>{escape(name)}</th>" for name in head), "</tr>"]
    for first, *others in rows:
        cells = "".join(f"<td>{escape(str(cell))}</td>" for cell in others)
        made.append(f"<tr><th>{escape(str(first))}</th>{cells}</tr>")
    return "".join([*made, "</table>"])
