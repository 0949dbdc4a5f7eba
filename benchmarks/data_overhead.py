"""Claim: at most 10% of a training epoch is spent outside forward, backward and step.

    python -m benchmarks.data_overhead

Trains each task for an epoch on built-in data with default settings, and prints the share of the epoch that
went into making batches, moving them, records and the progress bar.
"""

import sys
import time
import warnings

import unrolled.training.trainer
from benchmarks.machine import machine
from unrolled import Classifier, Forecaster, Generator, Tagger, Translator
from unrolled.training import BPTT
from unrolled.training.trainer import Trainer

JOBS = [
    (Classifier, "temporal-order", {}),
    (Tagger, "sorting", {}),
    (Generator, "c-headers", {}),
    (Forecaster, "seattle-weather", {}),
    (Translator, "sorting", {}),
]


class TimedBPTT(BPTT):
    """Adds up the time in forward and backward."""

    def __init__(self, bptt: BPTT) -> None:
        self.bptt = bptt
        self.seconds = 0.0

    def updates(self, model, loss, batch, carry, accelerator):
        updates = self.bptt.updates(model, loss, batch, carry, accelerator)
        while True:
            started = time.perf_counter()
            update = next(updates, None)
            self.seconds += time.perf_counter() - started
            if update is None:
                return
            yield update


class TimedTrainer(Trainer):
    """Adds up the time in steps and in whole epochs."""

    last: "TimedTrainer"

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.in_epochs = self.in_steps = 0.0
        TimedTrainer.last = self

    def build_bptt(self) -> BPTT:
        self.timed = TimedBPTT(super().build_bptt())
        return self.timed

    def step(self, update):
        started = time.perf_counter()
        clipped = super().step(update)
        self.in_steps += time.perf_counter() - started
        return clipped

    def train_epoch(self, loader, interruption) -> None:
        started = time.perf_counter()
        super().train_epoch(loader, interruption)
        self.in_epochs += time.perf_counter() - started


def main() -> None:
    warnings.simplefilter("ignore")
    unrolled.training.trainer.Trainer = TimedTrainer
    print(machine())
    holds = True
    for kind, data, options in JOBS:
        kind(epochs=1, **options).fit(data, progress=True)
        trainer = TimedTrainer.last
        outside = 1 - (trainer.timed.seconds + trainer.in_steps) / trainer.in_epochs
        holds &= outside <= 0.1
        updates = trainer.position.updates
        print(
            f"{kind.task:>10} {data:<16} epoch of {updates} updates, {trainer.in_epochs:.2f} s, "
            f"{outside:.1%} outside forward, backward and step",
            flush=True,
        )
    print("holds" if holds else "does not hold")
    sys.exit(not holds)


if __name__ == "__main__":
    main()
