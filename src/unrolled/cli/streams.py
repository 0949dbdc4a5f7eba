"""Standard output and error, whatever they lead to: a terminal, a pipe that has ended, a full disk."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

_ENDED = 141
"""How a program ends whose reader is gone: as if SIGPIPE had ended it."""
_REFUSED = 2


@contextmanager
def streams() -> Iterator[None]:
    """Within the context anything can be written, and what cannot be written ends the program.

    Half a character, and bytes of a name that are none, are written as their escapes. A reader that has gone,
    as `head` does, ends the program quietly; a disk that is full, with a sentence.
    """
    for name in ("stdin", "stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _giving_up(stream))
    try:
        yield
    finally:
        sys.stdout.flush()


class _Raw(io.FileIO):
    """A stream's descriptor. What it refuses ends the program; click and rich would, each in its own way."""

    def write(self, data: Any, /) -> int | None:
        try:
            return super().write(data)
        except OSError as error:
            _give_up(error)


def _giving_up(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The same stream, escaping what has no bytes and giving up where nothing can be written."""
    stream.reconfigure(errors="backslashreplace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # a test's, which leads nowhere
        return stream
    stream.flush()
    raw = _Raw(descriptor, "w", closefd=False)  # the first one closes it
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _give_up(error: OSError) -> NoReturn:
    """End at once: what is left to write would fail again while the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if error.errno == errno.EPIPE:
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        raise SystemExit(_ENDED) from None
    os.dup2(nowhere, 1)
    with suppress(OSError):
        os.write(2, f"Error: standard output could not be written: {error.strerror}.\n".encode())
    os.dup2(nowhere, 2)
    raise SystemExit(_REFUSED) from None
