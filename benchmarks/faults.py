"""Claim: whatever ends a run, what is left is whole, and going on with it ends at the same bytes.

    python -m benchmarks.faults [KILLS] [--seed N] [--tasks classify,...] [--only kills,disk,...]
        [--commands serve,...] [--log FILE]

Small trainings of every task are ended by SIGKILL so many times (200 by default) at moments drawn at random,
half of them within a save, and gone on with; then disks are full at every stage, folders removed under a run,
two runs begun into one folder, one of two processes ended or stopped, every command interrupted, and standard
outputs closed or full. Prints a line for each kind of fault with what was seen, and everything that went
wrong; exits with 1 where something did.

Every trial is drawn by the seed and its number alone. With --log each is written down, and a later call with
the same file goes on behind the last.
"""

import argparse
import json
import platform
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.fault import disk, interrupts, kills, together
from benchmarks.fault.commands import get_ready
from benchmarks.fault.subjects import Subject, subjects

DISKS = 12
"""Of each task, from one page to enough."""
LOST = ((signal.SIGKILL, 600), (signal.SIGSTOP, 5))
"""How a process of two is lost, and the time-out that the other waits."""
MOMENTS = 3
"""At which each command of each task is interrupted."""

Found = tuple[Counter[str], list[str]]
"""How often something was seen, and what was wrong."""


@dataclass
class Kind:
    """One kind of fault.

    Attributes:
        trials: how many.
        run: one of them, by its number and what it draws from.
        about: what was tried, for the line that is printed.
        enough: whether what was seen is enough before all trials.
    """

    trials: int
    run: Callable[[int, random.Random], Found]
    about: str
    enough: Callable[[Counter[str]], bool] = lambda seen: False


@dataclass
class Log:
    """What was seen, kind by kind, kept in a file where one is named."""

    path: Path | None
    seen: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    """By kind, and by task."""
    wrong: dict[str, list[str]] = field(default_factory=dict)
    trials: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.path is not None and self.path.exists():
            for line in self.path.read_text().splitlines():
                self._add(**json.loads(line))

    def add(self, kind: str, task: str, seen: Mapping[str, int], wrong: list[str]) -> None:
        self._add(kind, task, seen, wrong)
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"kind": kind, "task": task, "seen": seen, "wrong": wrong}) + "\n")

    def _add(self, kind: str, task: str, seen: Mapping[str, int], wrong: list[str]) -> None:
        self.trials[kind] += 1
        self.seen.setdefault(kind, {}).setdefault(task, Counter()).update(seen)
        self.wrong.setdefault(kind, []).extend(wrong)

    def in_all(self, kind: str) -> Counter[str]:
        """What was seen of a kind, with every task."""
        return sum(self.seen.get(kind, {}).values(), Counter())


class Faults:
    """What is run, with what it needs."""

    def __init__(self, home: Path, tasks: list[str] | None, commands: list[str] | None = None) -> None:
        self.home, self.named = home, commands
        (home / "data").mkdir()
        (home / "commands").mkdir()
        self.subjects = [each for each in subjects(home / "data") if tasks is None or each.task in tasks]
        self.right: dict[str, kills.Unbroken] = {}
        self.needed: dict[str, int] = {}
        self.alone: dict[tuple[str, str], interrupts.Alone] = {}

    def kinds(self, kills_wanted: int) -> dict[str, Kind]:
        tasks, commands = len(self.subjects), len(self.commands(self.subjects[0]))
        return {
            "kills": Kind(
                100 * kills_wanted,
                self.kill,
                f"SIGKILLs of {tasks} tasks",
                lambda seen: seen.total() - seen["after its end"] >= kills_wanted,
            ),
            "disk": Kind(tasks * DISKS, self.fill, "disks of one page to enough"),
            "removed": Kind(3 * tasks, self.remove, "runs whose folder was removed three times"),
            "locked": Kind(tasks, self.lock, "second runs into the folder of a first"),
            "lost": Kind(2 * tasks, self.lose, "processes of two lost"),
            "interrupts": Kind(tasks * commands * MOMENTS, self.interrupt, "commands interrupted"),
            "output": Kind(tasks * commands, self.refuse, "commands whose output goes nowhere"),
        }

    def subject(self, number: int) -> Subject:
        return self.subjects[number % len(self.subjects)]

    def unbroken(self, subject: Subject) -> kills.Unbroken:
        if subject.task not in self.right:
            self.right[subject.task] = kills.unbroken(subject, self.home)
        return self.right[subject.task]

    @cached_property
    def starting(self) -> float:
        first = self.subjects[0]
        return kills.starting(first, self.unbroken(first), self.home)

    def commands(self, subject: Subject) -> dict[str, interrupts.Words]:
        found = interrupts.commands(subject, self.unbroken(subject).folder, self.home / "commands")
        return {name: words for name, words in found.items() if self.named is None or name in self.named}

    def kill(self, number: int, draws: random.Random) -> Found:
        subject = self.subject(number)
        return kills.kill(subject, self.unbroken(subject), self.starting, self.home, draws)

    def fill(self, number: int, draws: random.Random) -> Found:
        subject, step = self.subject(number), 1 + number // len(self.subjects)
        if subject.task not in self.needed:
            self.needed[subject.task] = disk.needed(subject, self.home)
        return disk.fill(subject, self.needed[subject.task] * step / DISKS, self.home)

    def remove(self, number: int, draws: random.Random) -> Found:
        subject = self.subject(number)
        return disk.remove(subject, self.unbroken(subject), self.home, draws)

    def lock(self, number: int, draws: random.Random) -> Found:
        subject = self.subject(number)
        return together.two_into_one(subject, self.unbroken(subject), self.home, draws)

    def lose(self, number: int, draws: random.Random) -> Found:
        how, patience = LOST[number // len(self.subjects)]
        return together.lose_one(self.subject(number), self.home, draws, how, patience)

    def interrupt(self, number: int, draws: random.Random) -> Found:
        subject, home = self.subject(number), self.home / "commands"
        commands = self.commands(subject)
        name = list(commands)[number // len(self.subjects) % len(commands)]
        if (subject.task, name) not in self.alone:
            self.alone[subject.task, name] = interrupts.alone(commands[name], home)
        right = self.alone[subject.task, name]
        if right.wrong:
            return Counter(), [f"{subject.task}, {name}, alone: {each}" for each in right.wrong]
        seen, wrong = interrupts.interrupt(name, commands[name], right, home, draws)
        return seen, [f"{subject.task}, {each}" for each in wrong]

    def refuse(self, number: int, draws: random.Random) -> Found:
        subject = self.subject(number)
        name, words = list(self.commands(subject).items())[number // len(self.subjects)]
        seen, wrong = interrupts.refuse(name, words, self.home / "commands")
        return seen, [f"{subject.task}, {each}" for each in wrong]


def run(name: str, kind: Kind, task: Callable[[int], str], seed: int, log: Log) -> None:
    """Run what is left of a kind's trials; ``task`` tells whose a trial is by its number."""
    while log.trials[name] < kind.trials and not kind.enough(log.in_all(name)):
        number = log.trials[name]
        seen, wrong = kind.run(number, random.Random(f"{seed} {name} {number}"))
        log.add(name, task(number), seen, wrong)
        for each in wrong:
            print(f"  WRONG, {name} {number}: {each}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tasks", type=lambda text: text.split(","), help="all where left out")
    parser.add_argument("--commands", type=lambda text: text.split(","), help="all where left out")
    parser.add_argument("--only", type=lambda text: text.split(","), help="all kinds where left out")
    parser.add_argument("--log", type=Path, help="what was seen so far, to go on with")
    parser.add_argument("--folder", type=Path, help="where the runs are, such as a disk in memory")
    options = parser.parse_args()
    get_ready()
    print(f"{platform.platform()}, Python {platform.python_version()}, seed {options.seed}", flush=True)
    log = Log(options.log)
    with tempfile.TemporaryDirectory(dir=options.folder) as home:
        faults = Faults(Path(home), options.tasks, options.commands)
        kinds = faults.kinds(options.kills)
        for name in options.only or kinds:
            begun, kind = time.monotonic(), kinds[name]
            try:
                run(name, kind, lambda number: faults.subject(number).task, options.seed, log)
            except PermissionError as error:
                print(f"{name:>10}  not run: it is not allowed here ({error})", flush=True)
                continue
            print(
                f"{name:>10}  {log.trials[name]} trials, {kind.about}: {_list(log.in_all(name))}; "
                f"{len(log.wrong[name])} wrong; {time.monotonic() - begun:.0f} s",
                *(f"{'':12}{task}: {_list(seen)}" for task, seen in log.seen[name].items()),
                sep="\n",
                flush=True,
            )
    sys.exit(any(log.wrong.values()))


def _list(seen: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))


if __name__ == "__main__":
    main()
