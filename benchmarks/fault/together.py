"""Several processes: two runs into one folder, and a process that dies or stops under the others."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import time
from collections import Counter
from pathlib import Path

from benchmarks.fault.commands import Command, start
from benchmarks.fault.kills import Unbroken, kept
from benchmarks.fault.subjects import Subject

LATER = 0.5
"""Seconds after the first save within which a process is lost."""


def two_into_one(
    subject: Subject, right: Unbroken, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """Start a second run into the folder of one that goes on."""
    folder = home / "run"
    shutil.rmtree(folder, ignore_errors=True)
    first = start(subject.words(folder, "--overwrite"), home / "said")
    while not (home / ".run.lock").exists() and not first.ended():
        time.sleep(0.001)
    first.last(draws.uniform(0, 0.3 * right.seconds))
    second = start(subject.words(folder, "--overwrite"), home / "said")
    second.wait()
    first.wait()
    wrong = [*first.faults(), *second.faults()]
    if second.code == 2 and f"process {first.process} on" not in second.err:
        wrong.append(f"the second says: {second.err.strip()[-300:]}")
    if first.code != 0 or kept(folder) != right.files:
        wrong.append("the first did not end as if alone")
    return Counter(["refused" if second.code == 2 else "came later"]), [
        f"{subject.task}: {each}" for each in wrong
    ]


def lose_one(
    subject: Subject, home: Path, draws: random.Random, number: int, patience: float
) -> tuple[Counter[str], list[str]]:
    """End (SIGKILL) or stop (SIGSTOP) one of two processes that train together.

    Returns:
        After how many seconds the other had ended, and what was wrong.
    """
    folder = home / "run"
    shutil.rmtree(folder, ignore_errors=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    both: list[Command] = []
    words = subject.words(folder, "--epochs", "200", "--patience", "none", "--process-timeout", str(patience))
    for rank in range(2):
        where = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        where |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        both.append(start(words, home / "said", environment=where))
    while not (folder / "checkpoint").is_dir() and not any(each.ended() for each in both):
        time.sleep(0.005)
    time.sleep(draws.uniform(0, LATER))
    lost = draws.randrange(2)
    begun = time.monotonic()
    both[lost].signal(number)
    other = both[1 - lost]
    other.wait(patience + 60)
    took = time.monotonic() - begun
    both[lost].signal(signal.SIGKILL)
    both[lost].wait()
    wrong = other.faults()
    if other.code != 2 or "waited for the others" not in other.err:
        wrong.append(f"exit status {other.code}, said {other.err.strip()[-300:]}")
    ended = Counter([f"{signal.Signals(number).name}, the other after {took:.0f} s"])
    return ended, [f"{subject.task}, process {lost} lost: {each}" for each in wrong]
