"""``unrolled data``: the data that needs no file."""

from __future__ import annotations

from typing import Annotated

from rich.table import Table

from unrolled.cli.exits import exit_codes
from unrolled.cli.output import AsJson, result


def data(as_json: Annotated[bool, AsJson] = False) -> None:
    """List the built-in data: names that stand anywhere a path may stand."""
    with exit_codes(as_json=as_json):
        from unrolled.data.builtin import listing

        sets = listing()
        table = Table("name", "task", "what it is")
        for each in sets:
            table.add_row(each["name"].replace("[", r"\["), each["task"], each["description"])
        result(table, {"data": sets}, as_json=as_json)
