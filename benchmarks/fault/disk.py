"""A disk that is full at every stage, and a folder that is removed under a run."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fault.commands import start
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
        # What is written on the way, such as an encoded text, comes there too.
        run = start(subject.words(disk / "run"), home / "said", environment={"TMPDIR": str(disk)})
        run.wait()
        wrong = [*run.faults(), *_half_written(disk, home)]
    ended = Counter(["trained" if run.code == 0 else "a sentence"])
    return ended, [f"{subject.task}, {pages * PAGE:,} bytes: {each}" for each in wrong]


def needed(subject: Subject, home: Path) -> int:
    """The most bytes that a run has on the disk at once, about."""
    with small_disk(home / "disk", 1 << 28) as disk:
        run, most = start(subject.words(disk / "run"), home / "said", environment={"TMPDIR": str(disk)}), 0
        while not run.ended():
            most = max(most, shutil.disk_usage(disk).used)
            time.sleep(0.002)
        if run.code:
            raise SystemExit(f"{subject.task}: {run.err}")
        return max(most, shutil.disk_usage(disk).used)


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
