"""Standard output and error, whatever they lead to: a terminal, a pipe that has ended, a full disk."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ENDED = 141
"""How a program ends whose reader is gone: as if SIGPIPE had ended it."""
_REFUSED = 2


@contextmanager
def streams() -> Iterator[None]:
    """Within the context anything can be written, and at its end what cannot be written is noticed.

    Half a character, and bytes of a name that are none, are written as their escapes. A reader that has gone,
    as `head` does, ends the program quietly; a disk that is full, with a sentence.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started this
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF):
            raise
        _give_up(error)


def _give_up(error: OSError) -> None:
    """End at once: what is left to write would fail again while the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if error.errno == errno.EPIPE:
        raise SystemExit(_ENDED) from None
    print(f"Error: standard output could not be written: {error.strerror}.", file=sys.stderr)
    raise SystemExit(_REFUSED) from None
