"""A table that never cuts a number: where the terminal is too narrow for its columns it is turned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text


class FittingTable:
    """A table for the terminal, upright or turned.

    Args:
        heads: of the columns; the first names the rows.
        rows: of as many cells each.
        left: heads of columns of words; numbers stand to the right.
        title: above it, or None.
    """

    def __init__(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Text]],
        left: Collection[str] = (),
        title: str | None = None,
    ) -> None:
        self._heads, self._rows = [Text(head) for head in heads], rows
        self._left = {heads[0], *left}
        self._title = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        columns = list(zip(self._heads, *self._rows, strict=True))
        numbers = [head.plain not in self._left for head in self._heads]
        if sum(map(_longest_word, columns)) > _room(len(columns), options.max_width):
            columns = [self._heads, *self._rows]
            numbers = [False] + [True] * len(self._rows)
        table = Table(title=self._title, title_justify="left", title_style="")
        widths = _widths(columns, _room(len(columns), options.max_width))
        for column, width, right in zip(columns, widths, numbers, strict=True):
            table.add_column(column[0], justify="right" if right else "left", width=width, overflow="fold")
        for row in zip(*[column[1:] for column in columns], strict=True):
            table.add_row(*row)
        yield table


def _room(columns: int, width: int) -> int:
    """What the lines and blanks between columns leave of a terminal's width."""
    return width - 3 * columns - 1


def _widths(columns: Sequence[Sequence[Text]], room: int) -> list[int]:
    """Of each column that of its longest word, and of what is left a share for those with longer cells."""
    wanted = [max(cell.cell_len for cell in column) for column in columns]
    widths = [min(_longest_word(column), room) for column in columns]
    left = room - sum(widths)
    while left > 0 and widths != wanted:
        for at, most in enumerate(wanted):
            if widths[at] < most and left > 0:
                widths[at] += 1
                left -= 1
    return widths


def _longest_word(cells: Sequence[Text]) -> int:
    return max(Text(word).cell_len for cell in cells for word in cell.plain.split(" "))
