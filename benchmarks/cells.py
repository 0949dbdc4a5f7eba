"""Cells as programs: beside the kernels made for GRU and LSTM, and beside a loop in torch over the same step.

Every pair does the same work with the same weights, in turns within one process, after their results and
gradients were found equal; printed are medians. A loop in torch makes the input's product for all steps at
once, as a person would. `--compile` compares with torch.compile of the loop too, `--jax` with `jax.lax.scan`
over the same program, where it is installed; each shows how long compiling took, which is minutes for a loop
of a hundred steps. `--only` takes some cells; `--quick` a fifth of a second for each, and with `--compile`
the first shape alone.

    python -m benchmarks.cells [--threads N] [--quick] [--compile] [--jax] [--only CELL,...]
                               [--page docs/performance.md]
"""

import argparse
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import unrolled
from benchmarks.cell_in_jax import CellInJax
from benchmarks.machine import machine
from unrolled.cells import library
from unrolled.layers import Stream
from unrolled.ops.cells.cell import Shares

BUILT_IN = {"gru_reset_after": unrolled.GRU, "long_short_term_memory": unrolled.LSTM}
PROGRAM_SHAPES = [(16, 100, 128), (32, 100, 256)]
LIBRARY_SHAPES = [(16, 35, 64), (16, 100, 128), (32, 100, 256)]
BEGIN, END = "<!-- benchmarks.cells -->", "<!-- end of benchmarks.cells -->"


class Loop(nn.Module):
    """A cell's own step on tensors, one step after the other."""

    def __init__(self, layer: unrolled.Recurrent, cell: unrolled.Cell) -> None:
        super().__init__()
        self.layer, self.cell = layer, cell

    def forward(self, values: Tensor) -> Tensor:
        layer, program = self.layer, self.layer.program
        size = layer.hidden_size
        bias = getattr(layer, "bias_ih_l0", None)
        inputs = nn.functional.linear(values, layer.weight_ih_l0, bias).split(size, -1)
        matrices = {}
        if program.products:
            matrices = dict(
                zip(program.products, layer.matrices(layer.weight_hh_l0).split(size), strict=True)
            )
        shifts = dict(zip(program.products, layer.bias_hh_l0.split(size), strict=True)) if matrices else {}
        own = {name: getattr(layer, f"{name}_l0") for name in program.parameters}
        bound = self.cell.with_parameters(own)

        def product(gate: str) -> Callable[[Tensor], Tensor]:
            return lambda value: torch.addmm(shifts[gate], value, matrices[gate].t())

        states = [values.new_zeros(values.shape[1], size) for _ in program.states]
        outputs = []
        for t in range(len(values)):
            shares = dict(zip(program.inputs, (part[t] for part in inputs), strict=True))
            made = bound.step(
                Shares(shares.__getitem__, program.gates), Shares(product, program.gates), *states
            )
            states = list(made) if isinstance(made, tuple) else [made]
            outputs.append(states[0])
        return torch.stack(outputs)


def training(run: Callable[[Tensor], Tensor], module: nn.Module, values: Tensor) -> list[Tensor]:
    """Forward and backward, and what came back."""
    module.zero_grad(set_to_none=True)
    output = run(values)
    output.sum().backward()
    return [
        output.detach(),
        *(each.grad for each in module.parameters() if each.grad is not None and each.numel()),
    ]


def times(ways: list[Callable[[], object]], least: float) -> list[float]:
    """The median seconds of each, run in turns for so many seconds each."""
    found: list[list[float]] = [[] for _ in ways]
    for way in ways:
        way()
    begun = time.perf_counter()
    while time.perf_counter() - begun < least * len(ways) or len(found[0]) < 5:
        for way, seconds in zip(ways, found, strict=True):
            start = time.perf_counter()
            way()
            seconds.append(time.perf_counter() - start)
    return [statistics.median(seconds) for seconds in found]


def require_equal(name: str, found: list[Tensor], right: list[Tensor]) -> None:
    """Refuse to time what does not compute the same."""
    for one, other in zip(found, right, strict=True):
        error = float((one - other).norm() / other.norm().clamp(min=1e-6))
        if error > 1e-3:
            raise SystemExit(f"{name}: results differ by {error:.2g} of their norm; nothing is timed.")


def output_of(layer: nn.Module, **given: Any) -> Callable[[Tensor], Tensor]:
    """A layer's output alone."""
    return lambda values: layer(values, **given)[0]


def inference(run: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Forward alone."""
    with torch.inference_mode():
        return run(values)


def hundred_steps(stream: Stream, values: Tensor) -> None:
    """One row, step by step."""
    for _ in range(100):
        stream.step(values)


def programs(least: float) -> list[str]:
    """Programs beside the kernels made for them."""
    lines = [
        "| cell | batch x steps x units | training | inference | a streaming step |",
        "|---|---|---|---|---|",
    ]
    for name, made in BUILT_IN.items():
        for rows, steps, size in PROGRAM_SHAPES:
            torch.manual_seed(0)
            tuned = made(size, size)
            program = unrolled.Recurrent(name, size, size)
            program.load_state_dict(tuned.state_dict())
            values, layers = torch.randn(steps, rows, size), (tuned, program)
            train = [partial(training, output_of(layer), layer, values) for layer in layers]
            require_equal(name, train[1](), train[0]())
            infer = [partial(inference, output_of(layer), values) for layer in layers]
            streamed = [
                partial(hundred_steps, layer.stream(), values[0, :1].contiguous()) for layer in layers
            ]
            ratios = []
            for ways in (train, infer, streamed):
                theirs, ours = times(ways, least)
                ratios.append(f"{ours / theirs:.2f}")
            lines.append(f"| {made.__name__} | {rows} x {steps} x {size} | {' | '.join(ratios)} |")
            print(lines[-1], flush=True)
    return lines


class Contest:
    """Training of one cell of the library at one shape, ours and others'."""

    def __init__(self, name: str, shape: tuple[int, int, int]) -> None:
        rows, steps, size = shape
        torch.manual_seed(0)
        cell = library.cell(name)()
        self.layer, self.values = unrolled.Recurrent(cell, size, size), torch.randn(steps, rows, size)
        self.loop = Loop(self.layer, cell)
        self.ours = partial(training, output_of(self.layer), self.layer, self.values)
        self.name = f"{name} at {shape}"

    def beside_the_loop(self, least: float) -> str:
        """How many times as fast as a loop."""
        theirs = partial(training, self.loop, self.layer, self.values)
        require_equal(self.name, self.ours(), theirs())
        slow, fast = times([theirs, self.ours], least)
        return f"{slow / fast:.1f}"

    def beside_the_compiled_loop(self, least: float) -> str:
        """How many times as fast as torch.compile of the loop, and the seconds of compiling."""
        torch._dynamo.reset()  # what was compiled before counts against its limits
        theirs = partial(training, torch.compile(self.loop), self.layer, self.values)
        start = time.perf_counter()
        found = theirs()
        took = time.perf_counter() - start
        require_equal(f"torch.compile of {self.name}", found, self.ours())
        slow, fast = times([theirs, self.ours], least)
        return f"{slow / fast:.1f} | {took:.0f}"

    def beside_jax(self, least: float) -> str:
        """The same of a scan in JAX."""
        theirs = CellInJax(self.layer, self.values)
        start = time.perf_counter()
        theirs.train()
        took = time.perf_counter() - start
        self.ours()
        used = [each.grad is not None and each.numel() > 0 for each in self.layer.parameters()]
        output, *gradients = theirs.found()
        wanted = [gradient for gradient, there in zip(gradients, used, strict=True) if there]
        require_equal(f"jax.lax.scan of {self.name}", [output, *wanted], self.ours())
        slow, fast = times([theirs.train, self.ours], least)
        return f"{slow / fast:.1f} | {took:.0f}"


def beside_a_loop(cells: list[str], shapes: list[tuple[int, int, int]], least: float) -> list[str]:
    """Training of every cell beside the loop in torch: how many times as fast."""
    lines = [f"| cell | {' | '.join(map(_shown, shapes))} |", "|---|" + "---|" * len(shapes)]
    for name in cells:
        ratios = [Contest(name, shape).beside_the_loop(least) for shape in shapes]
        lines.append(f"| {name} | {' | '.join(ratios)} |")
        print(lines[-1], flush=True)
    return lines


def beside_compilers(
    cells: list[str], shapes: list[tuple[int, int, int]], least: float, compiled: bool, jax: bool
) -> list[str]:
    """The same beside what compiles, whose first call is a column of its own."""
    ways: dict[str, Callable[[Contest, float], str]] = {}
    if compiled:
        ways["torch.compile of the loop"] = Contest.beside_the_compiled_loop
    if jax:
        ways["jax.lax.scan"] = Contest.beside_jax
    heads = " | ".join(f"{way} | its first call, seconds" for way in ways)
    lines = [f"| cell | batch x steps x units | {heads} |", "|---|---|" + "---|---|" * len(ways)]
    for name in cells:
        for shape in shapes:
            contest = Contest(name, shape)
            shown = " | ".join(way(contest, least) for way in ways.values())
            lines.append(f"| {name} | {_shown(shape)} | {shown} |")
            print(lines[-1], flush=True)
    return lines


def _shown(shape: tuple[int, int, int]) -> str:
    return " x ".join(map(str, shape))


def resets(least: float) -> list[str]:
    """What resets cost, and what short documents gain that lie one after the other in a row."""
    torch.manual_seed(0)
    rows, steps, size = 16, 100, 128
    layer = unrolled.Recurrent("gru_reset_after", size, size)
    values, begins = torch.randn(steps, rows, size), torch.rand(steps, rows) < 1 / 27
    plain, with_resets = times(
        [partial(training, output_of(layer, resets=given), layer, values) for given in (None, begins)], least
    )
    lines = [
        f"With resets a training step of a GRU as a program (16 x 100 x 128) takes {with_resets / plain:.2f} "
        "times as long as without.",
        "64 documents of 5 to 50 steps, 128 units, one after the other in rows of 50 steps with resets: how "
        "many times as fast they train as padded, and as padded rows with their `lengths`:",
    ]
    table = ["| layer | padded | with lengths |", "|---|---|---|"]
    documents = torch.randint(5, 51, (64,)).tolist()
    padded, packed, kept, anew = _packed(documents, 50, size)
    for name, made in (
        ("GRU", unrolled.GRU),
        ("GRU as a program", partial(unrolled.Recurrent, "gru_reset_after")),
    ):
        layer = made(size, size)
        ways = [
            partial(training, output_of(layer), layer, padded),
            partial(training, output_of(layer, lengths=documents), layer, padded),
            partial(training, output_of(layer, lengths=kept, resets=anew), layer, packed),
        ]
        _, *weights = ways[2]()
        require_equal(f"packed documents of a {name}", weights, ways[1]()[1:])
        full, ragged, short = times(ways, least)
        table.append(f"| {name} | {full / short:.2f} | {ragged / short:.2f} |")
    return [*lines, "\n".join(table)]


def _packed(documents: list[int], steps: int, size: int) -> tuple[Tensor, Tensor, list[int], Tensor]:
    """Documents in rows of their own, and in as few as hold them: values, and of these lengths and resets."""
    padded = torch.randn(steps, len(documents), size)
    places: list[tuple[int, int, int]] = []  # row, first step and document
    ends: list[int] = []
    for document in sorted(range(len(documents)), key=lambda each: -documents[each]):
        length = documents[document]
        row = next((row for row, end in enumerate(ends) if end + length <= steps), len(ends))
        if row == len(ends):
            ends.append(0)
        places.append((row, ends[row], document))
        ends[row] += length
    packed, anew = torch.zeros(steps, len(ends), size), torch.zeros(steps, len(ends), dtype=torch.bool)
    for row, first, document in places:
        packed[first : first + documents[document], row] = padded[: documents[document], document]
        anew[first, row] = True
    return padded, packed, ends, anew


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a fifth of a second for each")
    parser.add_argument("--compile", action="store_true", help="beside torch.compile of the loop too")
    parser.add_argument("--jax", action="store_true", help="beside jax.lax.scan too")
    parser.add_argument("--only", help="cells of the library, by commas", default=",".join(library.names()))
    parser.add_argument("--page", type=Path, help="the page between whose marks the tables are written")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.jax:
        if importlib.util.find_spec("jax") is None:
            raise SystemExit("--jax needs JAX: pip install 'unrolled[bench]'")
        if arguments.threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    least = 0.2 if arguments.quick else 1.0
    cells = arguments.only.split(",")
    shapes = LIBRARY_SHAPES[:1] if arguments.quick and arguments.compile else LIBRARY_SHAPES
    print(machine(), flush=True)
    parts = [
        "Seconds of a cell as a program over those of the kernel made for it:",
        "\n".join(programs(least)),
        "How many times as fast a cell trains as a loop in torch over its step:",
        "\n".join(beside_a_loop(cells, LIBRARY_SHAPES, least)),
    ]
    if arguments.compile or arguments.jax:
        parts += [
            "How many times as fast it trains as what a compiler makes of it, and how long that compiles:",
            "\n".join(beside_compilers(cells, shapes, least, arguments.compile, arguments.jax)),
        ]
    parts += ["\n\n".join(resets(least)), f"Measured on {machine()}."]
    text = "\n\n".join(parts)
    print(text)
    if arguments.page:
        page = arguments.page.read_text()
        before, rest = page.split(BEGIN)
        arguments.page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
