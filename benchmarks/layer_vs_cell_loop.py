"""Training time of `unrolled.LSTM` beside a Python loop over `torch.nn.LSTMCell`, with the same weights.

Both run forward and backward, gradients of the input included, in turns within one process; every gradient is
compared first. Printed are medians and the median of the paired ratios, for the layer on the plain-torch
reference and on the compiled recurrence.

    python -m benchmarks.layer_vs_cell_loop [--quick]
"""

import argparse
import statistics
import time
from contextlib import nullcontext

import torch

import unrolled
from benchmarks.machine import machine
from unrolled.ops.native import plain_torch

SHAPES = [(1, 35, 64), (16, 100, 128), (32, 100, 256), (16, 100, 512)]


def cell_of(layer: unrolled.LSTM) -> torch.nn.LSTMCell:
    cell = torch.nn.LSTMCell(layer.input_size, layer.hidden_sizes[0])
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    return cell


def train_layer(layer: unrolled.LSTM, inputs: torch.Tensor) -> None:
    output, _ = layer(inputs)
    output.sum().backward()


def train_loop(cell: torch.nn.LSTMCell, inputs: torch.Tensor) -> None:
    h = c = inputs.new_zeros(inputs.shape[1], cell.hidden_size)
    outputs = []
    for x in inputs.unbind(0):
        h, c = cell(x, (h, c))
        outputs.append(h)
    torch.stack(outputs).sum().backward()


def gradients(module: torch.nn.Module, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    found = {name.removesuffix("_l0"): each.grad for name, each in module.named_parameters()}
    return {
        name: grad.clone() for name, grad in (found | {"inputs": inputs.grad}).items() if grad is not None
    }


def seconds(train, module: torch.nn.Module, inputs: torch.Tensor) -> float:
    module.zero_grad()
    inputs.grad = None
    start = time.perf_counter()
    train(module, inputs)
    return time.perf_counter() - start


def compare(recurrence: str, batch: int, steps: int, size: int, rounds: int) -> None:
    torch.manual_seed(0)
    layer = unrolled.LSTM(size, size)
    cell = cell_of(layer)
    inputs = torch.randn(steps, batch, size, requires_grad=True)
    seconds(train_layer, layer, inputs)
    ours = gradients(layer, inputs)
    seconds(train_loop, cell, inputs)
    for name, expected in gradients(cell, inputs).items():
        torch.testing.assert_close(
            ours[name], expected, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: name + text
        )

    pairs = []
    for index in range(rounds):
        both = [(train_layer, layer), (train_loop, cell)]
        times = [seconds(*each, inputs) for each in (both if index % 2 else reversed(both))]
        pairs.append(times if index % 2 else times[::-1])
    layer_time, loop_time = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(loop / ours for ours, loop in pairs)
    print(
        f"{recurrence:>10} {batch:>5} {steps:>5} {size:>6} "
        f"{layer_time * 1e3:>12.2f} {loop_time * 1e3:>12.2f} {ratio:>12.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 7 if parser.parse_args().quick else 31
    print(machine())
    print(f"{torch.backends.cpu.get_cpu_capability()} instructions, medians of {rounds} rounds")
    print("recurrence batch steps hidden   layer (ms)    loop (ms)  loop / layer")
    for recurrence, runs in {"reference": plain_torch(), "compiled": nullcontext()}.items():
        with runs:
            for shape in SHAPES:
                compare(recurrence, *shape, rounds)


if __name__ == "__main__":
    main()
