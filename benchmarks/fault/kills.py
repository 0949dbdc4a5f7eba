"""SIGKILL at moments drawn at random: the run that goes on ends at the bytes of one that nobody ended."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

from benchmarks.fault.commands import Command, start
from benchmarks.fault.subjects import Subject

TIMES = (3, 8)
"""How often one run is ended: at least, and at most."""
SAVES = 6
"""The saves among which one is drawn to end a run within."""
LATER = 0.01
"""Seconds within which a save is ended once it has begun."""


def unbroken(subject: Subject, home: Path) -> tuple[bytes, float]:
    """The weights of a run that nobody ends, and the seconds of a processor that it takes."""
    folder = home / f"unbroken-{subject.task}"
    done = start(subject.words(folder), home / "said")
    if done.wait() != 0:
        raise SystemExit(f"{subject.task}: {done.err}")
    return (folder / "model.safetensors").read_bytes(), done.seconds


def kill(
    subject: Subject, right: bytes, seconds: float, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """End one run several times, and let it end.

    Returns:
        How often it was ended where, and what was wrong.
    """
    folder, said = home / "run", home / "said"
    shutil.rmtree(folder, ignore_errors=True)
    where: Counter[str] = Counter()
    for _ in range(draws.randint(*TIMES)):
        run = start(_words(subject, folder), said)
        if draws.random() < 0.5:
            run.last(draws.uniform(0, 0.9 * seconds))
        else:
            _last_until_save(run, folder, draws.randint(1, SAVES))
            time.sleep(draws.uniform(0, LATER))
        if run.ended():
            where["after its end"] += 1
            break
        run.signal(signal.SIGKILL)
        run.wait()
        where[_moment(folder)] += 1
    last = start(_words(subject, folder), said)
    last.wait()
    wrong = last.faults()
    if not wrong and last.code == 0 and (folder / "model.safetensors").read_bytes() != right:
        wrong = ["other weights than those of an unbroken run"]
    if not wrong and last.code != 0 and "holds a model" not in last.err:
        wrong = [f"exit status {last.code}: {last.err.strip()[-300:]}"]
    left = [path.name for path in home.iterdir() if path.name.endswith((".partial", ".previous", ".lock"))]
    if last.code == 0 and left:
        wrong.append(f"left behind: {left}")
    return where, [f"{subject.task}: {each}" for each in wrong]


def _words(subject: Subject, folder: Path) -> tuple[str | Path, ...]:
    return subject.words(folder, *(["--resume"] if (folder / "checkpoint").is_dir() else ["--overwrite"]))


def _last_until_save(run: Command, folder: Path, number: int) -> None:
    """Wait until a run is at a save by its number."""
    saving = False
    while number and not run.ended():
        before, saving = saving, _saves(folder)
        number -= saving and not before
        time.sleep(0.001)


def _saves(folder: Path) -> bool:
    return any(
        (place / f".{name}.{role}").exists()
        for place, name in ((folder.parent, folder.name), (folder, "checkpoint"))
        for role in ("partial", "previous")
    )


def _moment(folder: Path) -> str:
    """Where a run was ended, by what it left."""
    if _saves(folder):
        return "during a save"
    return "in training" if (folder / "checkpoint").is_dir() else "before the first save"
