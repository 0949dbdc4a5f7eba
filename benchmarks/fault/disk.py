"""A disk that is full at every stage, and a folder that is removed under a run."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fault.commands import Command, start
from benchmarks.fault.kills import Unbroken
from benchmarks.fault.subjects import Subject

PAGE = 4096


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """A file system of so many bytes.

    Raises:
        PermissionError: mounting is not allowed here.
    """
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        raise PermissionError(mounted.stderr.decode().strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(subject: Subject, size: float, home: Path) -> tuple[Counter[str], list[str]]:
    """Train onto a disk of so many bytes, of a page at least."""
    pages = max(1, round(size / PAGE))
    with small_disk(home / "disk", pages * PAGE) as disk:
        run = _trained(subject, disk, home)
        wrong = [*run.faults(), *_half_written(disk, home)]
    ended = Counter(["trained" if run.code == 0 else "a sentence"])
    return ended, [f"{subject.task}, {pages * PAGE:,} bytes: {each}" for each in wrong]


def needed(subject: Subject, home: Path) -> int:
    """The bytes of a disk that a run goes through on, at most a quarter more than it needs.

    What is seen on a disk while it runs is too little: two copies of a file stand there for less than a
    millisecond.
    """
    with small_disk(home / "disk", 1 << 28) as disk:
        run = _trained(subject, disk, home)
        if run.code:
            raise SystemExit(f"{subject.task}: {run.err}")
        size = shutil.disk_usage(disk).used
    while True:
        with small_disk(home / "disk", size := -(-size // PAGE) * PAGE) as disk:
            if _trained(subject, disk, home).code == 0:
                return size
        size = size * 5 // 4


def _trained(subject: Subject, disk: Path, home: Path) -> Command:
    # What is written on the way, such as an encoded text, comes there too.
    run = start(subject.words(disk / "run"), home / "said", environment={"TMPDIR": str(disk)})
    run.wait()
    return run


def _half_written(disk: Path, home: Path) -> list[str]:
    """Whether what is left is whole, or nothing."""
    folder, wrong = disk / "run", []
    if (folder / "manifest.json").exists():
        seen = start(["doctor", folder, "--json"], home / "said", cwd=home)
        seen.wait()
        if seen.code != 0:
            wrong.append(f"the folder cannot be read: {seen.err.strip()[-200:]}")
    if left := [path.name for path in disk.rglob(".*.partial")]:
        wrong.append(f"left behind: {left}")
    return wrong


def remove(
    subject: Subject, right: Unbroken, home: Path, draws: random.Random
) -> tuple[Counter[str], list[str]]:
    """Remove a run's folder some times while it goes on."""
    folder = home / "run"
    shutil.rmtree(folder, ignore_errors=True)
    run = start(subject.words(folder), home / "said")
    for moment in sorted(draws.uniform(0, right.seconds) for _ in range(3)):
        run.last(moment)
        shutil.rmtree(folder, ignore_errors=True)
    run.wait()
    wrong = run.faults()
    weights = folder / "model.safetensors"
    # It may have been removed after all was done.
    if run.code == 0 and weights.exists() and weights.read_bytes() != right.files[weights.name]:
        wrong.append("other weights than those of an unbroken run")
    ended = Counter(["trained" if run.code == 0 else "a sentence"])
    return ended, [f"{subject.task}: {each}" for each in wrong]
