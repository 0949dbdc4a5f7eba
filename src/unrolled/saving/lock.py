"""One process at a time writes a run into a folder; who comes second is told who was first."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from unrolled.errors import ConfigError, StorageError
from unrolled.saving.files import beside

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed by another process
    fcntl = None


@contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Within the context no other process trains into this folder.

    The lock is a file beside the folder, which is replaced whole. The system lets go of it when the process
    ends, however it ends. Where the file system knows no locks there is none.

    Raises:
        ConfigError: another process trains into it; the message says which.
        StorageError: nothing can be written there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as home, only_run(f"{home}/model"):
        ...     [path.name for path in Path(home).iterdir()]
        ['.model.lock']
    """
    target = Path(folder).expanduser().resolve()
    path = beside(target, "lock")
    held = _locked(path, target)
    try:
        yield
    finally:
        # Removed before it is let go of: who takes it next looks whether it is still there.
        with suppress(OSError):
            path.unlink()
        held.close()


def _locked(path: Path, target: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = path.open("a+b")
            if not _take(file):
                file.seek(0)
                other = file.read(200).decode("utf-8", "replace").strip() or "it does not say which"
                file.close()
                raise ConfigError(
                    f"{target}: expected a folder that no other process trains into, but one does ({other}); "
                    "wait for it, end it, or choose another folder."
                )
            if _is_still_there(file, path):
                break
            file.close()
    except OSError as error:
        raise StorageError(f"{path}: could not be written: {error.strerror}.") from error
    with suppress(OSError):  # a full disk takes no name, and locks all the same
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
        file.flush()
    return file


def _take(file: BinaryIO) -> bool:
    """Whether no one else has it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True


def _is_still_there(file: BinaryIO, path: Path) -> bool:
    """Whether who had it before has not removed it since it was opened."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False
