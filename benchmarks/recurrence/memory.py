"""The peak of memory of one training step beside torch.nn's, each in a process of its own."""

import psutil
import torch

from benchmarks.processes import apart, peak_memory
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
            ours, theirs = (apart(measure, who, cell, shape) for who in ("ours", "torch"))
            section.rows.append(
                (cell.upper(), str(shape), f"{ours:.0f}", f"{theirs:.0f}", times(ours / theirs))
            )
            what = f"{cell.upper()} {shape}, peak memory of a training step over torch.nn's"
            section.bars.append(Bar(what, ours / theirs, 1.0, at_most=True))
    return section


def measure(who: str, cell: str, shape: Shape) -> float:
    """Megabytes that the resident memory peaks above what it was before a step."""

    def contestant(steps: int):
        ours, theirs = layers(cell, torch.randn(steps, shape.rows, shape.hidden), shape.hidden)
        return ours if who == "ours" else theirs

    contestant(2).train()  # what the first step sets up once is no part of the peak
    step = contestant(shape.steps)
    before = psutil.Process().memory_info().rss
    step.train()
    return (peak_memory() - before) / 2**20
