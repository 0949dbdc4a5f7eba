"""What comes in through standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

from unrolled.errors import DataError

STANDARD_INPUT = "standard input"


def standard_input() -> Iterator[str]:
    """The lines of standard input as they come, their ends included.

    Raises:
        DataError: they are not UTF-8.
    """
    lines = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise DataError(
            f"expected UTF-8, got {error.reason}", path=STANDARD_INPUT, remedy="convert it"
        ) from None
