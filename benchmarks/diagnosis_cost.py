"""What watching the gradient costs a training step, and how long a triangle takes.

A step is forward, loss, backward, clipping and the optimizer's. It is run without a watch, with all that
training with `--diagnose` does (one of 32 backward passes is looked at, every 128th update has a verdict by
all judges and ends an epoch), and with a watch that looks at all, in turns within one process; the weights
are compared at the end. Printed are the median of the first and, since not all passes cost the same, the
ratios of the mean times over rounds of 128 updates. The triangle holds the gradient of the loss of every step
with respect to every earlier state. Memory is that of the process.

    python -m benchmarks.diagnosis_cost [--quick]
"""

import argparse
import statistics
import time

import psutil
import torch
from torch import nn
from torch.nn import functional

import unrolled
from benchmarks.machine import machine
from unrolled.data.batches import Batch
from unrolled.diagnosis import triangles, watch
from unrolled.training import CrossEntropy, TrainingConfig
from unrolled.training.history import History
from unrolled.training.live import LiveDiagnosis

CELLS = {"RNN": unrolled.RNN, "GRU": unrolled.GRU, "LSTM": unrolled.LSTM}
SHAPES = [(16, 50, 64), (32, 100, 128), (32, 200, 256)]
CLASSES = 50
EVERY = 128
"""Updates between two verdicts, and in an epoch."""


class Tagger(nn.Module):
    def __init__(self, cell: type[nn.Module], size: int) -> None:
        super().__init__()
        self.recurrent = cell(size, size)
        self.output = nn.Linear(size, CLASSES)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.output(self.recurrent(inputs)[0])


class Training:
    """A model of its own, so that the one that is watched can stay so."""

    def __init__(self, cell: type[nn.Module], batch: int, steps: int, size: int) -> None:
        torch.manual_seed(0)
        self.model = Tagger(cell, size)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-4)
        self.inputs = torch.randn(steps, batch, size)
        self.targets = torch.randint(CLASSES, (steps * batch,))
        self.live: LiveDiagnosis | None = None
        self.history, self.updates = History(), 0

    def diagnosed(self) -> "Training":
        """The same as `unrolled train --diagnose` does it."""
        self.live = LiveDiagnosis(self.model, CrossEntropy(), TrainingConfig(device="cpu"))
        rows = self.inputs.shape[1]
        targets = self.targets.view(-1, rows).T.contiguous()
        lengths = torch.full((rows,), len(self.inputs))
        self.batch = Batch({"values": self.inputs.transpose(0, 1)}, lengths, targets, True)
        return self

    def step_seconds(self) -> float:
        start = time.perf_counter()
        if self.live is not None:
            self.live.before(self.batch)
        loss = functional.cross_entropy(self.model(self.inputs).flatten(0, 1), self.targets)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        value = loss.item()
        self.updates += 1
        # Every training does, watched or not.
        self.history.record(self.updates, loss=value, gradient_norm=float(norm), clipped=True)
        if self.live is not None:
            self.live.after(self.updates, value, self.history)
            if self.updates % EVERY == 0:
                self.history.measure(self.live.measured(self.updates // EVERY))
        return time.perf_counter() - start


def watching(name: str, batch: int, steps: int, size: int, rounds: int) -> None:
    plain, sampled, whole = (Training(CELLS[name], batch, steps, size) for _ in range(3))
    runs = [plain, sampled.diagnosed(), whole]
    times: list[list[float]] = [[], [], []]
    with watch(whole.model) as all_flows:
        for index in range(rounds * EVERY):
            for which in (index + turn for turn in range(3)):
                seconds = runs[which % 3].step_seconds()
                if index >= EVERY:  # the first round warms up
                    times[which % 3].append(seconds)
    assert sampled.live is not None
    decays = list(sampled.live.seen().decays.values())
    assert len(decays[0]) == len(all_flows.flows()[0].norm) == steps
    for weights in zip(*(run.model.parameters() for run in runs), strict=True):
        torch.testing.assert_close(weights[0], weights[1])
        torch.testing.assert_close(weights[0], weights[2])
    middle = statistics.median(times[0])
    # What is dear comes once in a round: the mean of each place in it over the rounds, without outliers.
    base, *others = (
        statistics.fmean(statistics.median(each[place::EVERY]) for place in range(EVERY)) for each in times
    )
    adds = "".join(f"{100 * (other / base - 1):>+10.1f} %" for other in others)
    print(f"{name:>5} {batch:>5} {steps:>5} {size:>6} {middle * 1e3:>9.2f} ms {adds}")


def memory(passes: int) -> None:
    """Resident memory of a training that is watched, once it has settled and after many more passes."""
    run = Training(unrolled.LSTM, 16, 50, 64)
    process = psutil.Process()
    with watch(run.model) as flows:
        for _ in range(passes // 10):
            run.step_seconds()
        before = process.memory_info().rss
        for _ in range(passes):
            run.step_seconds()
        grown = process.memory_info().rss - before
        kept = flows.flows()[0].updates
    print(f"\nmemory: {grown / 2**20:+.1f} MB over passes {passes // 10} to {kept}, all of them watched")


def triangle(name: str, steps: int, size: int, rounds: int) -> None:
    torch.manual_seed(0)
    model = Tagger(CELLS[name], size)
    inputs, targets = torch.randn(steps, 1, size), torch.randint(CLASSES, (steps,))

    def loss_at(chosen: torch.Tensor) -> torch.Tensor:
        rows = torch.arange(len(chosen))
        outputs = model(inputs.expand(-1, len(chosen), -1))
        return functional.cross_entropy(outputs[chosen, rows], targets[chosen], reduction="sum")

    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        triangles(model, loss_at, range(steps))
        seconds.append(time.perf_counter() - start)
    print(f"{name:>5} {steps:>5} {size:>6} {statistics.median(seconds):>8.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few rounds of the smaller shapes")
    quick = parser.parse_args().quick
    print(machine())
    print("\n cell batch steps hidden         step    --diagnose    every pass")
    for name in CELLS:
        for shape in SHAPES[: 2 if quick else None]:
            watching(name, *shape, rounds=3 if quick else 6)
    memory(500 if quick else 5000)
    print("\n cell steps hidden triangle")
    for name in CELLS:
        triangle(name, 200, 128, rounds=2 if quick else 5)


if __name__ == "__main__":
    main()
