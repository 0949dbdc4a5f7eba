"""SIGKILL at moments drawn at random: the run that goes on ends at the bytes of one that nobody ended."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault.commands import Command, start
from benchmarks.fault.subjects import Subject
from unrolled.saving.run import has_checkpoint

TIMES = (3, 8)
"""How often one run is ended: at least, and at most."""
SAVES = 6
"""The saves among which one is drawn to end a run within."""
LATER = 0.01
"""Seconds within which a save is ended once it has begun."""


ANEW = 0.25
"""The part of the runs that begin as a process that is started anew, and may be ended while it imports."""
TIMED = ("manifest.json", "evaluation.json", "history.json")
"""What says when it was made, or how long it took; of `history.json` the rest is compared."""

Files = dict[str, bytes]


@dataclass(frozen=True)
class Unbroken:
    """A run that nobody ends.

    Attributes:
        files: what it leaves, without times.
        seconds: of a processor that it takes.
        folder: of the model.
    """

    files: Files
    seconds: float
    folder: Path


def unbroken(subject: Subject, home: Path, *, anew: bool = False) -> Unbroken:
    """Run a training, in a fork of what is imported or in a process that is started anew."""
    folder = home / f"unbroken{'-anew' * anew}" / subject.task / "run"  # cards and reports say its name
    folder.parent.mkdir(parents=True)
    done = start(subject.words(folder), home / "said", anew=anew)
    if done.wait() != 0:
        raise SystemExit(f"{subject.task}: {done.err}")
    return Unbroken(kept(folder), done.seconds, folder)


def starting(subject: Subject, right: Unbroken, home: Path) -> float:
    """The seconds of a processor that a process takes more that is started anew; it leaves the same."""
    anew = unbroken(subject, home, anew=True)
    if wrong := differing(anew.files, right.files):
        raise SystemExit(f"{subject.task}: two runs that nobody ended differ in {wrong}")
    return max(0.0, anew.seconds - right.seconds)


def kept(folder: Path) -> Files:
    """The content of every file of a model folder, without times."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in TIMED}
    rows = json.loads((folder / "history.json").read_text())
    return files | {"history.json": json.dumps(_without_times(rows)).encode()}


def differing(some: Files, others: Files) -> str:
    """The names of the files that are not alike."""
    return ", ".join(sorted(name for name in some.keys() | others if some.get(name) != others.get(name)))


def kill(
    subject: Subject, right: Unbroken, starting: float, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """End one run several times, and let it end; a process that is started anew takes ``starting`` more.

    Returns:
        How often it was ended where, and what was wrong.
    """
    folder, said = home / "run", home / "said"
    shutil.rmtree(folder, ignore_errors=True)
    where: Counter[str] = Counter()
    anew = draws.random() < ANEW
    for _ in range(draws.randint(*TIMES)):
        run = start(_words(subject, folder), said, anew=anew)
        if draws.random() < 0.5:
            run.last(draws.uniform(0, 0.9 * right.seconds + anew * starting))
        else:
            _last_until_save(run, folder, draws.randint(1, SAVES))
            time.sleep(draws.uniform(0, LATER))
        run.signal(signal.SIGKILL)
        if run.wait() != -signal.SIGKILL:
            where["after its end"] += 1
            break
        where[_moment(folder, anew)] += 1
        anew = False
    wrong = _brought_to_its_end(subject, folder, said)
    if not wrong:
        differ = differing(kept(folder), right.files)
        wrong = [f"not as an unbroken run leaves them: {differ}"] if differ else []
        left = [
            path.name for path in home.iterdir() if path.name.endswith((".partial", ".previous", ".lock"))
        ]
        wrong += [f"left behind: {left}"] if left else []
    return where, [f"{subject.task}: {each}" for each in wrong]


def _brought_to_its_end(subject: Subject, folder: Path, said: Path) -> list[str]:
    """Go on with a run until its end; what was wrong with that."""
    last = start(_words(subject, folder), said)
    last.wait()
    if last.code == 2 and "holds a model" in last.err:  # it was ended after all was done
        return []
    return last.faults() or ([f"exit status {last.code}: {last.err.strip()[-300:]}"] if last.code else [])


def _words(subject: Subject, folder: Path) -> tuple[str | Path, ...]:
    """The command that a user gives: the same again, and to go on where there is something to go on with."""
    return subject.words(folder, *(["--resume"] if folder.is_dir() and has_checkpoint(folder) else []))


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


def _moment(folder: Path, anew: bool) -> str:
    """Where a run was ended, by what it left."""
    first = not (folder.is_dir() and has_checkpoint(folder)) and not (folder / "manifest.json").exists()
    if _saves(folder):
        return "in the first save" if first else "in a save"
    if first:
        return f"before the first save{', started anew' if anew else ''}"
    return "in scoring and reporting" if (folder / "manifest.json").exists() else "in training"


def _without_times(value: object) -> object:
    """The same without how long its epochs took."""
    if isinstance(value, dict):
        return {name: _without_times(part) for name, part in value.items() if name != "seconds"}
    return [_without_times(part) for part in value] if isinstance(value, list) else value
