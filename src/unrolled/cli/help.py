"""Help as plain text, its options under headings: in boxes, a hundred take half a second to lay out."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from typer.core import TyperCommand, TyperGroup


class SectionedCommand(TyperCommand):
    """A command whose help groups the options by their panel, those without one first."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments, then options heading by heading."""
        shown = [(_heading(parameter), parameter.get_help_record(ctx)) for parameter in self.get_params(ctx)]
        headings = list(dict.fromkeys(heading for heading, _ in shown))
        shown.sort(key=lambda each: headings.index(each[0]))
        for heading, group in groupby(shown, key=lambda each: each[0]):
            records = [record for _, record in group if record is not None]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


class SaidInFull(TyperGroup):
    """Commands that the help lists each with its whole first paragraph."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, " ".join((command.help or "").split("\n\n")[0].split()))
                    for name, command in commands
                    if command is not None
                ]
            )


def _heading(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or "Options"
