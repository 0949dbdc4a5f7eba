"""Ctrl-C at any moment of any command, and a standard output that takes nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fault.commands import start
from benchmarks.fault.subjects import Subject

Words = Sequence[str | Path]

SERVING = "Ctrl-C stops it"
"""What a command says that does not end by itself."""
ANEW = 0.25
"""The part of the commands that run in a process that is started anew, and may be ended while it imports."""
IMPORTS = 5.0
"""Seconds of a processor that such a one takes more, about."""
WHOLE = ("", ".csv", ".onnx")
"""Endings of files that are the same each time; pages and histories tell how long something took."""


def commands(subject: Subject, model: Path, home: Path) -> dict[str, Words]:
    """Every command with a model of this subject; what each writes goes to ``home / "made"``."""
    made, data, other = home / "made", subject.data, home / "other"
    shutil.copytree(model, other, dirs_exist_ok=True)
    tiny = ("--hidden-size", "4", "--epochs", "2", "--device", "cpu")
    return {
        "train": subject.words(made),
        "train --folds": ("train", subject.task, data, "-o", made, *tiny, "--folds", "2"),
        "tune": ("tune", subject.task, data, "-o", made, *tiny, "--trials", "2", "--folds", "2"),
        "evaluate": ("evaluate", model, data),
        "predict": ("predict", model, data),
        "predict --output": ("predict", model, data, "-o", made),
        "predict to rows": ("predict", model, data, "-o", made.with_suffix(".csv")),
        "inspect": ("inspect", model, data),
        "diagnose": ("diagnose", model, data, "-o", made),
        "compare": ("compare", model, other, data),
        "export": ("export", model, "--to", "onnx", "-o", made),
        "serve": ("serve", model, "--port", "0"),
        "doctor": ("doctor", model),
        "data": ("data",),
    }


@dataclass(frozen=True)
class Alone:
    """A command that nobody interrupts; one that serves, up to where it waits to be asked.

    Attributes:
        seconds: of a processor that it takes.
        written: the files that it leaves, each by its name below the folder it runs in.
        wrong: what is wrong with it.
    """

    seconds: float
    written: Mapping[str, bytes]
    wrong: Sequence[str]


def alone(words: Words, home: Path) -> Alone:
    """Run a command."""
    _clear(home)
    run = start(words, home / "said", cwd=home)
    while not run.ended() and SERVING not in run.err:
        time.sleep(0.01)
    run.signal(signal.SIGINT)
    run.wait()
    wrong = [*run.faults(), *([f"exit status {run.code}: {run.err.strip()[-200:]}"] if run.code else [])]
    return Alone(run.seconds, _written(home), wrong)


def interrupt(
    name: str, words: Words, right: Alone, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """Interrupt a command once, now and then one that is started anew, and look at what it leaves."""
    _clear(home)
    anew = draws.random() < ANEW
    run = start(words, home / "said", cwd=home, anew=anew)
    run.last(draws.uniform(0, right.seconds + anew * IMPORTS), lambda: SERVING in run.err)
    run.signal(signal.SIGINT)
    run.wait()
    wrong = run.faults()
    if run.code not in (0, 130):
        wrong.append(f"exit status {run.code}: {run.err.strip()[-200:]}")
    if run.code == 130 and run.err.count("nterrupted") != 1:
        wrong.append(f"{run.err.count('nterrupted')} sentences: {run.err.strip()[-300:]}")
    made = home / "made"
    if (made / "manifest.json").exists():
        seen = start(["doctor", made, "--json"], home / "said", cwd=home)
        if seen.wait() != 0:
            wrong.append(f"the folder cannot be read: {seen.err.strip()[-200:]}")
    for file, content in _written(home).items():
        if Path(file).suffix in WHOLE and content != right.written.get(file):
            wrong.append(f"{file} is not as a command leaves it that nobody interrupts")
    if left := [path.name for path in home.rglob(".*.partial")]:
        wrong.append(f"left behind: {left}")
    ended = Counter([f"{name}: {'interrupted' if run.code == 130 else 'done'}"])
    return ended, [f"{name}{', anew' * anew}: {each}" for each in wrong]


def refuse(name: str, words: Words, home: Path) -> tuple[Counter[str], list[str]]:
    """Run a command whose reader has gone, and one onto a full disk."""
    ended: Counter[str] = Counter()
    wrong = []
    for what, right in (("a reader that has gone", (0, 141)), ("a full disk", (0, 2))):
        _clear(home)
        if what == "a full disk":
            out = os.open("/dev/full", os.O_WRONLY)
        else:
            reading, out = os.pipe()
            os.close(reading)
        run = start(words, home / "said", cwd=home, stdout=out)
        os.close(out)
        run.wait()
        ended[f"{what}: exit status {run.code}"] += 1
        found = run.faults()
        if run.code not in right:
            found.append(f"exit status {run.code}: {run.err.strip()[-200:]}")
        wrong += [f"{name}, {what}: {each}" for each in found]
    return ended, wrong


def _written(home: Path) -> dict[str, bytes]:
    """What a command wrote, but for what stands on its streams."""
    found = [home / "made", *(home / "made").rglob("*"), home / "made.csv"]
    return {str(path.relative_to(home)): path.read_bytes() for path in found if path.is_file()}


def _clear(home: Path) -> None:
    for made in (home / "made", home / "made.csv"):
        if made.is_dir():
            shutil.rmtree(made)
        made.unlink(missing_ok=True)
    for path in home.rglob(".*.partial"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
