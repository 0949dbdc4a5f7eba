"""What comes in through standard input: lines, one input each, or a file as a whole."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from unrolled.errors import DataError

STANDARD_INPUT = "standard input"


def standard_input(lines: Iterator[bytes] | None = None) -> Iterator[str]:
    """The lines of standard input as they come, their ends included.

    Args:
        lines: those not read yet; by default all.

    Raises:
        DataError: they are not UTF-8.
    """
    given = iter(sys.stdin.buffer) if lines is None else lines
    for number, line in enumerate(given):
        try:
            yield line.decode("utf-8-sig" if number == 0 else "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"expected UTF-8, got {error.reason}", path=STANDARD_INPUT, remedy="convert it"
            ) from None


class Piped:
    """Standard input, looked at only as far as its kind asks for.

    Args:
        file_ending: the ending of a file that begins with a line, or None where each line is an input.
    """

    def __init__(self, file_ending: Callable[[str], str | None]) -> None:
        from unrolled.data.piped import is_binary, unwrapped

        self._lines = iter(sys.stdin.buffer)
        self._content, self.ending = b"", None
        first = b"" if sys.stdin.isatty() else next(self._lines, b"")
        if is_binary(first):
            first = first + b"".join(self._lines)
            first, self.ending = unwrapped(first)
        if self.ending is None and first:
            shown = first.partition(b"\n")[0]
            self.ending = file_ending(shown.decode("utf-8-sig", errors="replace"))
        if self.ending is not None:
            first += b"".join(self._lines)
        self._content = first

    def lines(self) -> Iterator[str]:
        """The lines as they come."""
        return standard_input(chain(io.BytesIO(self._content), self._lines))

    def whole(self) -> Piped:
        """What comes taken for a file in any case: of objects in JSON, or of lines of text."""
        if self.ending is None:
            self._content += b"".join(self._lines)
            self.ending = ".jsonl" if self._content.lstrip().startswith(b"{") else ".txt"
        return self

    @contextmanager
    def file(self) -> Iterator[Path]:
        """What came as a file, there while the context lasts; errors name standard input in its place."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"input{self.ending}")
            path.write_bytes(self._content)
            try:
                yield path
            except DataError as error:
                if error.path is None or Path(error.path) != path:
                    raise
                raise DataError(
                    error.problem,
                    path=STANDARD_INPUT,
                    row=error.row,
                    column=error.column,
                    remedy=error.remedy,
                ) from error
