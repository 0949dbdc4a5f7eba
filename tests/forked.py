"""Processes of their own that start in a moment, for what takes seconds to import is there.

Each is forked from a server that has imported `tests.slow_imports` and done nothing else, so that it has no
threads but its own: in all but the imports it is a process as any. Several may train together, as under a
launcher.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import runpy
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.slow_imports"])


@dataclass
class Forked:
    """A process that runs a module or a file, or has run it.

    Attributes:
        process: itself.
        folder: where what it says is kept.
        name: of the files that it is kept in.
    """

    process: BaseProcess
    folder: Path
    name: str

    @property
    def out(self) -> str:
        return (self.folder / f"{self.name}.out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / f"{self.name}.err").read_text()

    def wait(self, seconds: float = 600) -> int:
        """Its exit status, negative where a signal ended it."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"it took more than {seconds} s, and said {self.err}")
        return self.process.exitcode

    def wait_to_say(self, what: str, seconds: float = 600) -> None:
        """Wait until its standard error holds something."""
        stop = time.monotonic() + seconds
        while what not in self.err and self.process.is_alive() and time.monotonic() < stop:
            time.sleep(0.005)
        assert what in self.err, self.err


def start(
    says: Path,
    module: str,
    *arguments: object,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
) -> Forked:
    """Start `python -m module ARGUMENTS`, or a file of Python; what it says is kept in ``says``."""
    says.mkdir(parents=True, exist_ok=True)
    name = str(len(list(says.glob("*.out"))))
    for ending in ("out", "err"):
        (says / f"{name}.{ending}").touch()
    given = [str(each) for each in arguments]
    process = _CONTEXT.Process(
        target=_run, args=(module, given, str(cwd), dict(environment or {}), str(says / name))
    )
    with contextlib.chdir(ROOT):  # from where the server finds the tests
        process.start()
    return Forked(process, says, name)


def start_two(says: Path, module: str, *arguments: Sequence[object], cwd: Path = ROOT) -> list[Forked]:
    """Start two that train together, as a launcher does; with one list of arguments both are given it."""
    known = _launcher()
    return [
        start(says, module, *given, cwd=cwd, environment=known | {"RANK": rank, "LOCAL_RANK": rank})
        for rank, given in zip("01", (*arguments, *arguments)[:2], strict=True)
    ]


def start_one_of_two(says: Path, module: str, *arguments: object, rank: int) -> Forked:
    """Start one of two whose other never comes."""
    return start(
        says, module, *arguments, environment=_launcher() | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    )


def _launcher() -> dict[str, str]:
    """What a launcher of two processes tells each, but for which it is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}


def _run(module: str, arguments: list[str], cwd: str, environment: dict[str, str], said: str) -> None:
    """In the new process."""
    for place, ending in ((1, "out"), (2, "err")):
        file = os.open(f"{said}.{ending}", os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, place)
        os.close(file)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [module, *arguments]
    if module.endswith(".py"):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
