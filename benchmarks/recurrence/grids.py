"""The plain layers over the grids: ours beside torch.nn's, in training and in inference."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

import unrolled
from benchmarks.processes import apart
from benchmarks.recurrence.contestants import check_same, layers
from benchmarks.recurrence.measure import Effort, Times, alternate, geometric_mean, product_peak
from benchmarks.recurrence.result import Bar, Section, milliseconds, times
from benchmarks.recurrence.shapes import CELLS, GRIDS, QUICK, WANTED, WANTED_WITH_AMX, Shape

_LOWER = {"high": 1e-3, "medium": 0.1}
"""Lower precisions on matrix units, and how far their gradients may be off."""


def grids(effort: Effort, quick: bool, report: Callable[[str], None]) -> list[Section]:
    """One section a cell."""
    return [_cell(cell, effort, QUICK if quick else GRIDS, report) for cell in CELLS]


def _cell(
    cell: str, effort: Effort, shapes: dict[str, list[Shape]], report: Callable[[str], None]
) -> Section:
    lower = tuple(_LOWER) if has_matrix_units() else ()
    columns = (
        "B x T x H",
        "train ms",
        "torch.nn",
        "faster",
        "of peak",
        "infer ms",
        "torch.nn",
        "faster",
        "of peak",
    )
    section = Section(
        f"{cell.upper()} beside torch.nn",
        columns + tuple(f"train, {name}" for name in lower),
        note="'of peak' is the share of the rate of a product of two 2048 x 2048 matrices at that moment.",
    )
    worst: list[tuple[float, str]] = []
    for grid, members in shapes.items():
        ratios: list[tuple[float, ...]] = []
        for shape in members:
            report(f"{cell} {grid} {shape}")
            row, found = apart(_shape, cell, shape, effort, lower)
            section.rows.append(row)
            ratios.append(found)
            worst += [(found[0], f"{shape} training"), (found[1], f"{shape} inference")]
        means = [geometric_mean(column) for column in zip(*ratios, strict=True)]
        section.rows.append(_mean_row(grid, means))
        for what, measured, wanted in zip(("training", "inference"), means, WANTED[cell][grid], strict=False):
            section.bars.append(
                Bar(f"{cell.upper()} {grid}, {what}: geometric mean over torch.nn", measured, wanted)
            )
        if cell == "lstm" and lower and grid in WANTED_WITH_AMX:
            what = f"LSTM {grid}, training with matrix units at float32's accuracy"
            section.bars.append(Bar(what, means[0], WANTED_WITH_AMX[grid]))
    ratio, where = min(worst)
    section.bars.append(Bar(f"{cell.upper()}, the worst shape ({where})", ratio, 1.0))
    return section


def _shape(
    cell: str, shape: Shape, effort: Effort, lower: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    torch.manual_seed(0)
    ours, theirs = layers(cell, torch.randn(shape.steps, shape.rows, shape.hidden), shape.hidden)
    check_same(ours, {"torch.nn": theirs})
    train = alternate({"ours": ours.train, "torch.nn": theirs.train}, effort)
    infer = alternate({"ours": ours.infer, "torch.nn": theirs.infer}, effort)
    found = [train.speedup("ours", "torch.nn"), infer.speedup("ours", "torch.nn")]
    for name in lower:
        with precision(name):
            check_same(ours, {"torch.nn": theirs}, _LOWER[name])
            found.append(
                alternate({"ours": ours.train, "torch.nn": theirs.train}, effort).speedup("ours", "torch.nn")
            )
    peak = product_peak()  # afterwards, for it frees larger blocks than the layers
    work = shape.operations(cell)
    cells = (*_half(train, 3 * work, peak), *_half(infer, work, peak))
    return (str(shape), *cells, *map(times, found[2:])), tuple(found)


def _half(found: Times, operations: int, peak: float) -> tuple[str, ...]:
    ours = found.median("ours")
    return (
        milliseconds(ours),
        milliseconds(found.median("torch.nn")),
        times(found.speedup("ours", "torch.nn")),
        f"{operations / ours / peak:.0%}",
    )


def _mean_row(grid: str, means: list[float]) -> tuple[str, ...]:
    train, infer, *lower = map(times, means)
    return (f"{grid}: geometric mean", "", "", train, "", "", "", infer, "", *lower)


def has_matrix_units() -> bool:
    """Whether the processor multiplies matrices of bfloat16 and the package uses that."""
    return hasattr(unrolled, "set_float32_recurrence_precision") and torch.cpu._is_amx_tile_supported()


@contextmanager
def precision(name: str) -> Iterator[None]:
    """The recurrences' precision, within the context."""
    unrolled.set_float32_recurrence_precision(name)
    try:
        yield
    finally:
        unrolled.set_float32_recurrence_precision("highest")
