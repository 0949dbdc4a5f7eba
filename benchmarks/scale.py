"""Claims: large data trains in a bounded part of memory, and so do long sequences; little is padding.

    python -m benchmarks.scale [text] [table] [steps] [padding] [long] [processes] [--bytes 2e9] [--rows 5e6]

- text: a corpus of so many bytes, made here, read by character; its peak memory beside that of a tenth and of
  a hundredth of it;
- table: a table of so many rows, one long series to be forecast, beside a tenth of it;
- steps: as many rows that are steps of sequences to be classified, likewise;
- padding: the share of steps that are padding in an epoch, on lengths as real data has them;
- long: one sequence of 100,000 steps with checkpoint_every and with truncated BPTT, beside one of a tenth;
- processes: steps a second with one process and with two, and what a meeting of theirs takes.

Everything runs in a process of its own, whose peak is read at its end.
"""

import argparse
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from benchmarks.processes import apart, peak_memory
from unrolled.training.callback import Callback

SHARE_OF_AN_EPOCH = 20
"""Batches that are trained on: what is measured is the way to them, and that nothing grows with more."""


def make_text(path: Path, size: int) -> None:
    """Lines of words drawn by Zipf's law."""
    draws = random.Random(0)
    words = ["".join(draws.choices(string.ascii_lowercase, k=draws.randint(2, 10))) for _ in range(5000)]
    weights = np.cumsum([1 / (rank + 3) for rank in range(len(words))]).tolist()
    with path.open("w") as file:
        written = 0
        while written < size:
            lines = [" ".join(draws.choices(words, cum_weights=weights, k=12)) for _ in range(2000)]
            piece = "\n".join(lines) + "\n"
            # The same piece some times over: what is made costs more than what is read.
            for _ in range(min(20, 1 + (size - written) // len(piece))):
                file.write(piece)
                written += len(piece)


def make_table(path: Path, rows: int) -> None:
    """A number a minute."""
    start = np.datetime64("2010-01-01T00:00")
    noise = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("ds,y\n")
        for first in range(0, rows, 100_000):
            count = min(100_000, rows - first)
            steps = first + np.arange(count)
            times = np.datetime_as_string(start + steps)
            values = 10 + 3 * np.sin(2 * np.pi * steps / 1440) + noise.normal(0, 1, count)
            file.writelines(f"{when},{value:.3f}\n" for when, value in zip(times, values, strict=True))


def make_steps(path: Path, rows: int) -> None:
    """Sequences of 100 steps, whose labels say whether they rise."""
    noise = np.random.default_rng(0)
    with path.open("w") as file:
        file.write("sequence,x,label\n")
        for number in range(rows // 100):
            slope = noise.choice((-0.01, 0.01))
            label = "up" if slope > 0 else "down"
            values = slope * np.arange(100) + noise.normal(0, 1, 100)
            file.writelines(f"{number},{value:.3f},{label}\n" for value in values)


class FirstUpdate(Callback):
    """Seconds from when it was made to the first update."""

    def __init__(self) -> None:
        self.begun, self.seconds = time.perf_counter(), 0.0

    def on_train_batch_end(self, trainer, module, outputs, batch, place) -> None:
        """Note the time of the first."""
        self.seconds = self.seconds or time.perf_counter() - self.begun


def train_text(path: str, dev: str) -> tuple[float, float]:
    """Seconds to the first update, and peak memory in bytes."""
    from unrolled import Generator

    size = Path(path).stat().st_size
    options = {"hidden_size": 64, "embedding_size": 16, "batch_size": 32, "window": 64, "epochs": 1}
    share = min(1.0, SHARE_OF_AN_EPOCH * 32 * 64 / size)

    first = FirstUpdate()
    Generator(**options).fit(path, dev=dev, share=share, callbacks=[first])
    return first.seconds, peak_memory()


def train_table(path: str, rows: int) -> tuple[float, float]:
    """As `train_text`."""
    from unrolled import Forecaster

    first = FirstUpdate()
    Forecaster(hidden_size=16, epochs=1, horizon=10).fit(path, share=0.02, callbacks=[first])
    return first.seconds, peak_memory()


def train_steps(path: str, rows: int) -> tuple[float, float]:
    """As `train_text`."""
    from unrolled import Classifier

    first = FirstUpdate()
    Classifier(hidden_size=16, epochs=1).fit(path, share=0.02, callbacks=[first])
    return first.seconds, peak_memory()


def text(folder: Path, size: int) -> None:
    dev = folder / "dev.txt"
    make_text(dev, 200_000)
    for part in (size // 100, size // 10, size):
        path = folder / "corpus.txt"
        make_text(path, part)
        seconds, peak = apart(train_text, str(path), str(dev))
        print(
            f"text   {part / 1e6:8,.0f} MB   first update after {seconds:4.0f} s   "
            f"peak {peak / 1e6:5,.0f} MB",
            flush=True,
        )
        path.unlink()


def table(folder: Path, rows: int, what: str) -> None:
    make, train = {"table": (make_table, train_table), "steps": (make_steps, train_steps)}[what]
    for part in (rows // 10, rows):
        path = folder / "table.csv"
        make(path, part)
        seconds, peak = apart(train, str(path), part)
        size = path.stat().st_size
        print(
            f"{what}  {part:10,} rows, {size / 1e6:4,.0f} MB   first update after {seconds:5.0f} s   "
            f"peak {peak / 1e6:6,.0f} MB",
            flush=True,
        )
        path.unlink()


def padding() -> None:
    """On lengths drawn as those of real data are."""
    from unrolled.data.buckets import BucketLoader

    draws = np.random.default_rng(0)
    lengths = {
        "reviews (log-normal, median 170, 5% above 600)": np.exp(draws.normal(np.log(170), 0.77, 20_000)),
        "sentences (log-normal, median 20)": np.exp(draws.normal(np.log(20), 0.6, 20_000)),
        "recordings (nearly equal)": draws.normal(300, 20, 5_000),
        "a few (500 reviews)": np.exp(draws.normal(np.log(170), 0.77, 500)),
    }
    for name, drawn in lengths.items():
        sizes = np.maximum(1, drawn.astype(int))
        loader = BucketLoader([range(size) for size in sizes], lambda items: items, 32)
        padded = real = 0
        for rows in loader.order(0):
            real += int(sizes[rows].sum())
            padded += len(rows) * int(sizes[rows].max())
        print(f"padding  {1 - real / padded:5.1%}  {name}", flush=True)


def run_long(steps: int, way: str) -> tuple[float, float]:
    """Seconds an update, and peak memory in bytes."""
    import torch

    from unrolled import Regressor

    numbers = torch.randn(1, steps, 1).numpy()
    options = {"window": 1000} if way == "window" else {"checkpoint_every": 320} if way == "segments" else {}
    # Only what reads forwards alone can be cut into windows or segments.
    forwards = {"bidirectional": False, "pooling": "last", "skip": False}
    regressor = Regressor(
        cell="lstm", hidden_size=64, epochs=1, dropout=0.0, patience=None, **forwards, **options
    )
    before = time.perf_counter()
    regressor.fit(list(numbers) * 2, [0.0, 1.0], dev=(list(numbers[:, :100]) * 2, [0.0, 1.0]))
    return time.perf_counter() - before, peak_memory()


def long(steps: int = 100_000) -> None:
    for way in ("all at once", "segments", "window"):
        for part in (steps // 10, steps):
            seconds, peak = apart(run_long, part, way)
            print(
                f"long   {part:8,} steps, {way:<12} {seconds:6.1f} s   peak {peak / 1e6:6,.0f} MB", flush=True
            )


def processes() -> None:
    """Updates of a classifier with one process and with two, each with one thread; and a meeting's time."""
    for count in (1, 2):
        command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        script = [*(command if count > 1 else []), "-m", "benchmarks.scale", "one-process"]
        if count == 1:
            script = ["-m", "benchmarks.scale", "one-process"]
        done = subprocess.run(
            [sys.executable, *script],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        print(done.stdout.strip(), flush=True)


def one_process() -> None:
    """What each process of `processes` runs."""
    import torch

    from unrolled import Classifier
    from unrolled.training.processes import add_up_gradients, build_accelerator

    count, rank = (int(os.environ.get(name, default)) for name, default in (("WORLD_SIZE", 1), ("RANK", 0)))
    draws = random.Random(0)
    texts = [
        (" ".join(draws.choices(["a", "b", "c", "d"], k=draws.randint(50, 100))), draws.choice("pn"))
        for _ in range(2000)
    ]
    classifier = Classifier(
        hidden_size=256, embedding_size=64, epochs=1, batch_size=32 // count, device="cpu", patience=None
    )
    classifier.fit(texts, dev=texts[:50])
    seconds = classifier.history.epochs[0].seconds
    updates = classifier.history.epochs[0].updates
    accelerator = build_accelerator(classifier.config)
    parameters = list(classifier.model.parameters())
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    add_up_gradients(accelerator, parameters)
    begun = time.perf_counter()
    for _ in range(50):
        add_up_gradients(accelerator, parameters)
    meeting = (time.perf_counter() - begun) / 50
    if rank == 0:
        weights = sum(parameter.numel() for parameter in parameters)
        print(
            f"processes  {count}   {1000 * seconds / updates:6.1f} ms an update of 32 rows, "
            f"{weights:,} weights   meeting {1000 * meeting:5.2f} ms"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    known = ("text", "table", "steps", "padding", "long", "processes")
    parser.add_argument("what", nargs="*", choices=(*known, "one-process"), default=list(known))
    parser.add_argument("--bytes", type=float, default=2e9)
    parser.add_argument("--rows", type=float, default=5e6)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.what == ["one-process"]:
        one_process()
        return
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as home:
        folder = Path(home)
        for what in options.what:
            if what == "text":
                text(folder, int(options.bytes))
            elif what in ("table", "steps"):
                table(folder, int(options.rows), what)
            else:
                {"padding": padding, "long": long, "processes": processes}[what]()


if __name__ == "__main__":
    main()
