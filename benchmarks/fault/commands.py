"""The command line in processes that start at once, for a thousand of them to be ended in some minutes.

Everything is imported once, and every process is a fork of this one before any thread was started: what is
ended is the command from its first line on, reading, preparing, training, saving, scoring, reporting. A
process that is started anew may be ended while it imports, too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

READY = (
    *("unrolled.cli.main", "unrolled.reporting.page", "unrolled.tasks.registry", "unrolled.training.trainer"),
    *("accelerate", "matplotlib.figure", "pandas", "sklearn.linear_model", "tokenizers", "torch"),
    *(f"unrolled.tasks.{task}" for task in ("caption", "classify", "forecast", "generate", "regress", "tag")),
    "unrolled.tasks.translate",
)

_PROCESS_TIME = 2
"""With the number of a process, Linux's clock of the time that it has had of processors."""


def get_ready() -> None:
    """Import what commands import; nothing may start a thread before the last fork."""
    import importlib

    import torch

    from unrolled.reporting.figure import svg

    torch.set_num_threads(1)
    for name in READY:
        importlib.import_module(name)
    # What these import, and find of fonts, only when they are first used takes longer than a training.
    torch.optim.AdamW([torch.zeros(1)])
    svg(lambda axes: axes.plot([0, 1]), "a line", name="warm")


@dataclass
class Command:
    """A command that runs, or has ended.

    Attributes:
        words: its arguments.
        process: its number.
        folder: where what it says is kept.
        code: its exit status, negative where a signal ended it; None while it runs.
        seconds: of a processor that it took; known when it has ended.
    """

    words: Sequence[str]
    process: int
    folder: Path
    code: int | None = None
    seconds: float = 0.0

    @property
    def out(self) -> str:
        return self._said("out")

    @property
    def err(self) -> str:
        return self._said("err")

    def _said(self, stream: str) -> str:
        file = self.folder / f"{self.process}.{stream}"
        return file.read_text(errors="replace") if file.exists() else ""  # it has only been begun

    def ended(self) -> bool:
        if self.code is None:
            process, status, usage = os.wait4(self.process, os.WNOHANG)
            if process:
                code = os.waitstatus_to_exitcode(status)
                # Where it came while C code ran Python, Python ends by the signal; shells show the same.
                self.code = 128 + signal.SIGINT if code == -signal.SIGINT else code
                self.seconds = usage.ru_utime + usage.ru_stime
        return self.code is not None

    def wait(self, seconds: float = 300) -> int:
        """Its exit status; it is ended where it takes too long."""
        before = time.monotonic()
        while not self.ended():
            time.sleep(0.01)
            now = time.monotonic()
            # While this process too was kept from running, nobody was waited for.
            seconds -= min(now - before, 0.1)
            before = now
            if seconds < 0:
                self.signal(signal.SIGKILL)
        assert self.code is not None
        return self.code

    def last(self, seconds: float, waits: Callable[[], bool] = lambda: False) -> None:
        """Let it run for so many seconds of a processor, however many others there are; or to its end.

        Args:
            seconds: how many.
            waits: whether it waits for somebody, and will take no more of a processor until then.
        """
        with contextlib.suppress(OSError):  # it has ended in between
            while not self.ended() and time.clock_gettime(~self.process << 3 | _PROCESS_TIME) < seconds:
                if waits():
                    break
                time.sleep(0.002)

    def signal(self, number: int) -> None:
        if not self.ended():
            os.kill(self.process, number)

    def faults(self) -> list[str]:
        """What no command may do, however it ends."""
        said = self.err
        found = []
        if "Traceback" in said:
            found.append(f"a traceback: {said.strip().splitlines()[-1]:.200}")
        if self.code not in (0, 2, 130, 141, -signal.SIGKILL):
            found.append(f"exit status {self.code}: {said.strip()[-200:]}")
        if self.code == 2 and said.count("Error: ") != 1:
            found.append(f"{said.count('Error: ')} sentences: {said.strip()[-300:]}")
        return found


def start(
    words: Sequence[str | Path],
    says: Path,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
    anew: bool = False,
) -> Command:
    """Start a command.

    Args:
        words: its arguments.
        says: the folder that keeps what it says.
        cwd: where it runs.
        environment: variables that it has besides.
        stdout: the descriptor that its standard output leads to; a file in ``says`` by default.
        anew: start Python anew, as a user does, and not from what is imported here.
    """
    says.mkdir(parents=True, exist_ok=True)
    given = [str(word) for word in words]
    process = os.fork()
    if process:
        return Command(given, process, says)
    try:
        number = os.getpid()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        out = os.open(says / f"{number}.out", flags) if stdout is None else stdout
        err = os.open(says / f"{number}.err", flags)
        os.dup2(out, 1)
        os.dup2(err, 2)
        if anew:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.environ.update(
                {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | dict(environment or {})
            )
            os.chdir(cwd or os.curdir)
            os.execv(sys.executable, [sys.executable, "-m", "unrolled", *given])
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
        os.environ.update(environment or {})
        if cwd is not None:
            os.chdir(cwd)
        sys.argv = ["unrolled", *given]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = _run()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has ended; what follows is this file's
    except KeyboardInterrupt:
        os.write(2, b"Interrupted before the command began.\n")
        code = 130
    except BaseException:
        traceback.print_exc()
        code = 70
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)


def _run() -> int:
    from unrolled.__main__ import main

    try:
        main()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0
