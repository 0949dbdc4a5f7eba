"""Cells as programs: beside the kernels made for GRU and LSTM, and beside a loop in torch over the same step.

Every pair does the same work with the same weights, in turns within one process, after their results and
gradients were found equal; printed are medians. A loop in torch makes the input's product for all steps at
once, as a person would. `--compile` compares with torch.compile of the loop too, and prints how long that
took.

    python -m benchmarks.cells [--threads N] [--quick] [--compile] [--page docs/performance.md]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

import unrolled
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


def output_of(layer: nn.Module, resets: Tensor | None = None) -> Callable[[Tensor], Tensor]:
    """A layer's output alone."""
    return lambda values: layer(values, resets=resets)[0]


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


def beside_a_loop(least: float, compiled: bool) -> list[str]:
    """Training of every cell beside the loop in torch: how many times as fast."""
    shapes = " | ".join(" x ".join(map(str, shape)) for shape in LIBRARY_SHAPES)
    lines = [f"| cell | {shapes} |", "|---|" + "---|" * len(LIBRARY_SHAPES)]
    for name in library.names():
        cells = []
        for shape in LIBRARY_SHAPES:
            rows, steps, size = shape
            torch.manual_seed(0)
            cell = library.cell(name)()
            layer = unrolled.Recurrent(cell, size, size)
            loop, values = Loop(layer, cell), torch.randn(steps, rows, size)
            ours = partial(training, output_of(layer), layer, values)
            theirs = partial(training, loop, layer, values)
            require_equal(name, ours(), theirs())
            slow, fast = times([theirs, ours], least)
            shown = f"{slow / fast:.1f}"
            if compiled and shape == LIBRARY_SHAPES[0]:
                start = time.perf_counter()
                theirs = partial(training, torch.compile(loop), layer, values)
                theirs()
                took = time.perf_counter() - start
                slow, fast = times([theirs, ours], least)
                shown += f" (torch.compile: {slow / fast:.1f}, after {took:.0f} s)"
            cells.append(shown)
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def resets(least: float) -> list[str]:
    """What resets cost, and what short documents gain that lie one after the other in a row."""
    torch.manual_seed(0)
    rows, steps, size = 16, 100, 128
    layer = unrolled.Recurrent("gru_reset_after", size, size)
    values, begins = torch.randn(steps, rows, size), torch.rand(steps, rows) < 1 / 27
    plain, with_resets = times(
        [partial(training, output_of(layer, given), layer, values) for given in (None, begins)], least
    )
    lengths = torch.randint(5, 51, (64,))
    width = -(-int(lengths.sum()) // 64)
    padded, packed = torch.randn(50, 64, size), torch.randn(width, 64, size)
    anew = torch.zeros(64, width, dtype=torch.bool)  # a row is full before the next begins
    anew.view(-1)[lengths.cumsum(0)[:-1]] = True
    full, short = times(
        [
            partial(training, output_of(layer), layer, padded),
            partial(training, output_of(layer, anew.t().contiguous()), layer, packed),
        ],
        least,
    )
    return [
        f"With resets a training step of a GRU as a program (16 x 100 x 128) takes {with_resets / plain:.2f} "
        "times as long as without.",
        "64 documents of 5 to 50 steps, one after the other in rows with resets instead of padded: "
        f"{full / short:.2f} times as fast.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a fifth of a second for each")
    parser.add_argument("--compile", action="store_true", help="beside torch.compile of the loop too")
    parser.add_argument("--page", type=Path, help="the page between whose marks the tables are written")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    least = 0.2 if arguments.quick else 1.0
    print(machine(), flush=True)
    parts = [
        "Seconds of a cell as a program over those of the kernel made for it:",
        "\n".join(programs(least)),
        "How many times as fast a cell trains as a loop in torch over its step:",
        "\n".join(beside_a_loop(least, arguments.compile)),
        "\n\n".join(resets(least)),
        f"Measured on {machine()}.",
    ]
    text = "\n\n".join(parts)
    print(text)
    if arguments.page:
        page = arguments.page.read_text()
        before, rest = page.split(BEGIN)
        arguments.page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
