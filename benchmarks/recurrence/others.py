"""The same layer by every means at hand, at a few shapes."""

import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.processes import apart
from benchmarks.recurrence import jax_model, onnx_model
from benchmarks.recurrence.contestants import Contestant, cell_loop, check_same, compiled_loop, layers, packed
from benchmarks.recurrence.measure import Call, Effort, alternate
from benchmarks.recurrence.result import Section, milliseconds, times
from benchmarks.recurrence.shapes import CELLS, Shape

SHAPES = [Shape(16, 35, 64), Shape(16, 100, 128), Shape(32, 100, 256)]
COMPILED = Shape(16, 35, 64)
"""Where torch.compile is asked for: it writes every step out and compiles minutes where there are many."""


def others(effort: Effort, quick: bool, compiling: bool, report: Callable[[str], None]) -> Section:
    """Training and inference in milliseconds, and how many times as fast ours is."""
    missing = [name for name in ("onnxruntime", "jax") if importlib.util.find_spec(name) is None]
    section = Section(
        "Every way to the same outputs",
        ("cell", "B x T x H", "by", "train ms", "ours faster", "infer ms", "ours faster"),
        note=f"Not installed: {', '.join(missing)}." if missing else "",
    )
    # Some bring threads that wait for work by spinning: long blocks keep them out of the next one's time.
    effort = Effort(effort.seconds, effort.fewest, effort.most, 3e-2)
    for cell in ("lstm",) if quick else CELLS:
        for shape in SHAPES[:2] if quick else SHAPES:
            report(f"{cell} {shape} by every means")
            section.rows += apart(_shape, cell, shape, compiling and shape == COMPILED, effort)
    return section


def _shape(cell: str, shape: Shape, compiling: bool, effort: Effort) -> list[tuple[str, ...]]:
    train, infer = _calls(cell, shape, compiling)
    trained, inferred = alternate(train, effort), alternate(infer, effort)
    rows = []
    for name in infer:
        row = [cell.upper(), str(shape), name]
        for calls, found in ((train, trained), (infer, inferred)):
            known = name in calls
            row += (
                [milliseconds(found.median(name)), times(found.speedup("unrolled", name))]
                if known
                else ["", ""]
            )
        rows.append(tuple(row))
    return rows


def _calls(cell: str, shape: Shape, compiling: bool) -> tuple[dict[str, Call], dict[str, Call]]:
    """By name: what trains, what infers."""
    torch.manual_seed(0)
    ours, theirs = layers(cell, torch.randn(shape.steps, shape.rows, shape.hidden), shape.hidden)
    loop = cell_loop(cell, theirs)
    ways = {
        "torch.nn": theirs,
        "torch.nn, packed": packed(theirs, torch.full((shape.rows,), shape.steps)),
        "loop over torch's cell": loop,
    }
    if compiling:
        ways["the loop, compiled"] = compiled_loop(loop)
    check_same(ours, ways)
    both: dict[str, Contestant] = {"unrolled": ours, **ways}
    train: dict[str, Call] = {name: each.train for name, each in both.items()}
    infer: dict[str, Call] = {name: each.infer for name, each in both.items()}
    if onnx_model.AVAILABLE:
        infer["onnxruntime"] = onnx_model.inference(cell, ours.module, ours.inputs)
        _check_outputs(infer["onnxruntime"](), ours)
    if jax_model.AVAILABLE:
        way = jax_model.JaxLayer(cell, ours.module, ours.inputs, ours.upstream)
        train["JAX"], infer["JAX"] = way.train, way.infer
        _check_outputs(way.infer(), ours)
        expected = ours.gradients()
        for name, gradient in way.gradients().items():
            error = float((torch.from_numpy(gradient) - expected[name]).norm() / expected[name].norm())
            assert error < 1e-4, f"JAX: the gradient of {name} is off by {error:.1e}"
    return train, infer


def _check_outputs(found: Any, ours: Contestant) -> None:
    expected: Tensor = ours.infer()
    torch.testing.assert_close(torch.tensor(found), expected.clone(), rtol=1e-4, atol=1e-5)
