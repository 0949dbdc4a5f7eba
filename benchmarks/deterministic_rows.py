"""What `unrolled.use_deterministic_rows` costs: a training step and a call without gradients, both ways.

    python -m benchmarks.deterministic_rows

Both run in turns; medians. Before anything is timed each row is compared with that row alone, to the bit.
"""

import statistics
import time
from collections.abc import Callable

import torch

import unrolled
from benchmarks.machine import machine

SHAPES = ((16, 35, 64), (32, 100, 128))
CELLS = ("RNN", "GRU", "LSTM", "janet", "gru_reset_before")
TURNS = 11


def layer_of(cell: str, size: int) -> torch.nn.Module:
    torch.manual_seed(0)
    if cell.isupper():
        return getattr(unrolled, cell)(size, size)
    return unrolled.Recurrent(cell, size, size)


def step(layer: torch.nn.Module, values: torch.Tensor) -> None:
    output, _ = layer(values)
    output.sum().backward()


def infer(layer: torch.nn.Module, values: torch.Tensor) -> None:
    with torch.no_grad():
        layer(values)


def seconds(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cost(layer: torch.nn.Module, values: torch.Tensor, way: Callable[..., None]) -> float:
    """The time with it over the time without."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * TURNS + 4):
        mode = turn % 2 == 0
        unrolled.use_deterministic_rows(mode)
        taken = seconds(lambda: way(layer, values))
        if turn >= 4:
            found[mode].append(taken)
    unrolled.use_deterministic_rows(False)
    return statistics.median(found[True]) / statistics.median(found[False])


def require_equal(layer: torch.nn.Module, values: torch.Tensor) -> None:
    unrolled.use_deterministic_rows(True)
    with torch.no_grad():
        together = layer(values)[0]
        for row in range(values.shape[1]):
            alone = layer(values[:, row : row + 1])[0]
            if not torch.equal(alone, together[:, row : row + 1]):
                raise SystemExit(f"row {row} differs from itself alone")
    unrolled.use_deterministic_rows(False)


def main() -> None:
    print(machine())
    print(f"{'':<18}" + "".join(f"{f'{rows} x {steps} x {size}':>24}" for rows, steps, size in SHAPES))
    print(f"{'':<18}" + f"{'train':>12}{'infer':>12}" * len(SHAPES))
    for cell in CELLS:
        shown = []
        for rows, steps, size in SHAPES:
            layer, values = layer_of(cell, size), torch.randn(steps, rows, size, requires_grad=True)
            require_equal(layer, values.detach())
            shown += [cost(layer, values, step), cost(layer, values.detach(), infer)]
        print(f"{cell:<18}" + "".join(f"{each:>12.2f}" for each in shown), flush=True)


if __name__ == "__main__":
    main()
