"""How a command ends: 0 done, 2 the user can mend it, 130 interrupted. Anything else keeps its traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from unrolled.cli.output import first_process, say
from unrolled.errors import MissingDependencyError, UnrolledError

USER_ERROR = 2
INTERRUPTED = 130


@contextmanager
def exit_codes(*, as_json: bool) -> Iterator[None]:
    """Turn an error raised on purpose into one sentence on standard error and exit code 2."""
    try:
        with MissingDependencyError.explaining("this command"):
            yield
    except UnrolledError as error:
        _end(error, str(error), USER_ERROR, as_json=as_json)
    except OSError as error:
        if error.filename is None:  # of a stream, which `unrolled.cli.streams` knows about
            raise
        _end(error, f"{error.filename}: {error.strerror}.", USER_ERROR, as_json=as_json)
    except MemoryError as error:
        said = "expected data that this machine has memory for, got more; give a part of it, or free memory."
        _end(error, said, USER_ERROR, as_json=as_json)
    except KeyboardInterrupt as error:
        _end(error, str(error) or "Interrupted; nothing was saved.", INTERRUPTED, as_json=as_json)


def _end(error: BaseException, text: str, code: int, *, as_json: bool) -> None:
    sentence = " ".join(text.split())
    shown = f"Error: {sentence}" if code == USER_ERROR else sentence
    if first_process():
        say(shown)
    else:
        say(f"(process {os.environ['RANK']}) {shown}")
    if as_json and first_process():
        print(json.dumps({"error": sentence, "kind": type(error).__name__}, ensure_ascii=False))
    raise typer.Exit(code) from error
