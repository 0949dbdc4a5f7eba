"""Ctrl-C at any moment of any command, and a standard output that takes nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fault.commands import start
from benchmarks.fault.subjects import Subject

Words = Sequence[str | Path]


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
        "predict": ("predict", model, data, "-o", made),
        "inspect": ("inspect", model, data),
        "diagnose": ("diagnose", model, data, "-o", made),
        "compare": ("compare", model, other, data),
        "export": ("export", model, "--to", "onnx", "-o", made),
        "doctor": ("doctor", model),
        "data": ("data",),
    }


def alone(words: Words, home: Path) -> tuple[float, list[str]]:
    """The seconds of a processor that a command takes that nobody interrupts, and what is wrong with it."""
    _clear(home)
    run = start(words, home / "said", cwd=home)
    run.wait()
    return run.seconds, run.faults()


def interrupt(
    name: str, words: Words, seconds: float, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """Interrupt a command once, and look at what it leaves."""
    _clear(home)
    run = start(words, home / "said", cwd=home)
    run.last(draws.uniform(0, seconds))
    run.signal(signal.SIGINT)
    run.wait()
    wrong = run.faults()
    if run.code not in (0, 130):
        wrong.append(f"exit status {run.code}: {run.err.strip()[-200:]}")
    made = home / "made"
    if (made / "manifest.json").exists():
        seen = start(["doctor", made, "--json"], home / "said", cwd=home)
        if seen.wait() != 0:
            wrong.append(f"the folder cannot be read: {seen.err.strip()[-200:]}")
    if left := [path.name for path in home.rglob(".*.partial")]:
        wrong.append(f"left behind: {left}")
    ended = Counter(["interrupted" if run.code == 130 else "done"])
    return ended, [f"{name}: {each}" for each in wrong]


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


def _clear(home: Path) -> None:
    made = home / "made"
    if made.is_dir():
        shutil.rmtree(made)
    made.unlink(missing_ok=True)
    for path in home.rglob(".*.partial"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
