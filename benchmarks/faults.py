"""Claim: whatever ends a run, what is left is whole, and going on with it ends at the same bytes.

    python -m benchmarks.faults [KILLS] [--seed N] [--tasks classify,...] [--only kills,disk,...]

Small trainings of every task are ended by SIGKILL so many times (200 by default) at moments drawn at random,
and gone on with; then disks are full at every stage, folders removed under a run, two runs begun into one
folder, one of two processes ended or stopped, every command interrupted, and standard outputs closed or full.
Prints a line for each kind of fault with what was seen, and everything that went wrong; exits with 1 where
something did.
"""

import argparse
import platform
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.fault import disk, interrupts, kills, together
from benchmarks.fault.commands import get_ready
from benchmarks.fault.subjects import Subject, subjects

KINDS = ("kills", "disk", "removed", "locked", "lost", "interrupts", "output")


class Faults:
    """What is run, with what it needs."""

    def __init__(
        self, home: Path, kills_wanted: int, seed: int, tasks: list[str] | None, seconds: float
    ) -> None:
        self.home, self.kills_wanted, self.draws = home, kills_wanted, random.Random(seed)
        self.seconds = seconds
        (home / "data").mkdir()
        self.subjects = [each for each in subjects(home / "data") if tasks is None or each.task in tasks]
        self.right: dict[str, tuple[bytes, float]] = {}
        self.wrong: list[str] = []

    def unbroken(self, subject: Subject) -> tuple[bytes, float]:
        if subject.task not in self.right:
            self.right[subject.task] = kills.unbroken(subject, self.home)
        return self.right[subject.task]

    def model(self, subject: Subject) -> Path:
        self.unbroken(subject)
        return self.home / f"unbroken-{subject.task}"

    def kills(self) -> str:
        where: Counter[str] = Counter()
        runs = 0
        stop = time.monotonic() + self.seconds
        while where.total() - where["after its end"] < self.kills_wanted and time.monotonic() < stop:
            subject = self.subjects[runs % len(self.subjects)]
            right, seconds = self.unbroken(subject)
            found, wrong = kills.kill(subject, right, seconds, self.home, self.draws)
            where += found
            self.note(wrong)
            runs += 1
        ended = where.total() - where.pop("after its end", 0)
        parts = ", ".join(f"{count} {moment}" for moment, count in where.most_common())
        return f"{ended} SIGKILLs in {runs} runs of {len(self.subjects)} tasks ({parts})"

    def disk(self) -> str:
        ended: Counter[str] = Counter()
        try:
            for subject in self.subjects:
                found, wrong = disk.fill(subject, self.home, 12)
                ended += found
                self.note(wrong)
        except PermissionError as error:
            return f"not run: mounting a small disk is not allowed here ({error})"
        return f"{ended.total()} disks of one page to enough: {_counted(ended)}"

    def removed(self) -> str:
        ended: Counter[str] = Counter()
        for place in range(21):
            subject = self.subjects[place % len(self.subjects)]
            found, wrong = disk.remove(subject, *self.unbroken(subject), self.home, self.draws)
            ended[found] += 1
            self.note(wrong)
        return f"{ended.total()} runs, the folder of each removed three times: {_counted(ended)}"

    def locked(self) -> str:
        for subject in self.subjects:
            self.note(together.two_into_one(subject, *self.unbroken(subject), self.home, self.draws))
        return f"{len(self.subjects)} second runs into the folder of a first"

    def lost(self) -> str:
        said = []
        for number, patience, name in ((signal.SIGKILL, 600, "ended"), (signal.SIGSTOP, 5, "stopped")):
            times = []
            for subject in self.subjects[:4]:
                took, wrong = together.lose_one(subject, 0.5, self.home, self.draws, number, patience)
                times.append(took)
                self.note(wrong)
            said.append(
                f"{len(times)} {name} (time-out {patience} s): the other after at most {max(times):.1f} s"
            )
        return "; ".join(said)

    def interrupts(self) -> str:
        ended: Counter[str] = Counter()
        home = self.home / "commands"
        home.mkdir(exist_ok=True)
        for subject in self.subjects:
            for name, words in interrupts.commands(subject, self.model(subject), home).items():
                seconds, whole = interrupts.seconds_of(words, home)
                self.note([f"{name} {subject.task}, alone: {each}" for each in whole.faults()])
                for _ in range(3):
                    found, wrong = interrupts.interrupt(name, words, seconds, home, self.draws)
                    ended[found] += 1
                    self.note([f"{subject.task}, {each}" for each in wrong])
        return f"{ended.total()} commands interrupted at a moment: {_counted(ended)}"

    def output(self) -> str:
        ended: Counter[str] = Counter()
        home = self.home / "commands"
        home.mkdir(exist_ok=True)
        subject = self.subjects[0]
        for name, words in interrupts.commands(subject, self.model(subject), home).items():
            found, wrong = interrupts.refuse(name, words, home)
            ended += found
            self.note(wrong)
        return _counted(ended)

    def note(self, wrong: list[str]) -> None:
        self.wrong += wrong
        for each in wrong:
            print(f"  WRONG {each}", flush=True)


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(found.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="of kills, at most")
    parser.add_argument("--tasks", type=lambda text: text.split(","), help="all where left out")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(KINDS))
    options = parser.parse_args()
    get_ready()
    print(f"{platform.platform()}, Python {platform.python_version()}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as home:
        faults = Faults(Path(home), options.kills, options.seed, options.tasks, options.seconds)
        for kind in options.only:
            begun, before = time.monotonic(), len(faults.wrong)
            said = getattr(faults, kind)()
            print(
                f"{kind:>10}  {said}; {len(faults.wrong) - before} wrong; {time.monotonic() - begun:.0f} s",
                flush=True,
            )
    sys.exit(bool(faults.wrong))


if __name__ == "__main__":
    main()
