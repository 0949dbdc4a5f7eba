"""The peak of memory of one training step beside torch.nn's, each in a process of its own.

The peak of a process never falls, so that of an earlier step would hide that of a later one.
"""

import argparse
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import psutil
import torch

from benchmarks.recurrence.contestants import layers
from benchmarks.recurrence.result import Bar, Section, times
from benchmarks.recurrence.shapes import CELLS, Shape

SHAPES = [Shape(32, 100, 256), Shape(64, 100, 512)]


def memory(quick: bool) -> Section:
    """Megabytes beyond what inputs and weights take."""
    section = Section(
        "Peak memory of a training step, megabytes",
        ("cell", "B x T x H", "ours", "torch.nn", "ours / torch.nn"),
    )
    for cell in ("lstm",) if quick else CELLS:
        for shape in SHAPES[:1] if quick else SHAPES:
            ours, theirs = (_in_own_process(who, cell, shape) for who in ("ours", "torch"))
            section.rows.append(
                (cell.upper(), str(shape), f"{ours:.0f}", f"{theirs:.0f}", times(ours / theirs))
            )
            what = f"{cell.upper()} {shape}, peak memory of a training step over torch.nn's"
            section.bars.append(Bar(what, ours / theirs, 1.0, at_most=True))
    return section


def _in_own_process(who: str, cell: str, shape: Shape) -> float:
    command = [sys.executable, "-m", "benchmarks.recurrence.memory", who, cell]
    command += map(str, (shape.rows, shape.steps, shape.hidden))
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(who: str, cell: str, shape: Shape) -> float:
    """Megabytes that the resident memory peaks above what it was before a step."""

    def contestant(steps: int):
        ours, theirs = layers(cell, torch.randn(steps, shape.rows, shape.hidden), shape.hidden)
        return ours if who == "ours" else theirs

    contestant(2).train()  # what the first step sets up once is no part of the peak
    step = contestant(shape.steps)
    before = psutil.Process().memory_info().rss
    step.train()
    return (_peak() - before) / 2**20


def _peak() -> int:
    """Bytes. Linux is asked itself: its getrusage also counts the process that began this one."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("who", choices=("ours", "torch"))
    parser.add_argument("cell", choices=CELLS)
    parser.add_argument("shape", type=int, nargs=3, help="rows, steps, hidden units")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.who, arguments.cell, Shape(*arguments.shape))))
