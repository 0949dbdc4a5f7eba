"""The progress bar: loss, gradient norm, share of clipped updates, speed, time left."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_LINE = 80
"""Columns that the line of an epoch may take."""


class ProgressBar:
    """One bar for the epoch at work, and a line for each that is done, on standard error.

    Args:
        shown: False shows nothing.
        epochs: of the whole training.
        batches: in an epoch.
    """

    def __init__(self, shown: bool, epochs: int, batches: int) -> None:
        self._epochs = epochs
        self._batches = batches
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=6),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=Console(stderr=True),
            disable=not shown,
        )
        self._amount = 0
        self._begun = time.perf_counter()
        self._task = self._progress.add_task("", total=batches, numbers="")

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the bar inside the `with`."""
        with self._progress:
            yield

    def begin(self, epoch: int, batch: int) -> None:
        """Start the bar of an epoch, counted from 0, at a batch."""
        self._amount = 0
        self._begun = time.perf_counter()
        self._progress.reset(self._task, completed=batch, description=f"epoch {epoch + 1}/{self._epochs}")

    def batch(self, *, loss: float, norm: float, clipped: float, amount: int, unit: str) -> None:
        """Note a batch that is done, with the `amount` of units it held."""
        self._amount += amount
        speed = self._amount / (time.perf_counter() - self._begun)
        numbers = f"loss {loss:.3g} · grad {norm:.3g} · clip {clipped:.0%} · {speed:,.0f} {unit}/s"
        self._progress.update(self._task, advance=1, numbers=numbers)

    def end(self, epoch: int, loss: float, scores: Mapping[str, float], monitor: str, seconds: float) -> None:
        """Print the line of an epoch that is done, counted from 0.

        The monitored score comes first, then the others as far as there is room; the history has them all.
        """
        line = f"epoch {epoch + 1}/{self._epochs} · loss {loss:.4g}"
        end = f" · {seconds:.1f} s"
        for name in sorted(scores, key=lambda name: name != monitor):
            longer = f"{line} · {name} {scores[name]:.4g}"
            if name != monitor and len(longer + end) > _LINE:
                break
            line = longer
        self.say(line + end)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if not self._progress.disable:
            self._progress.console.print(line, highlight=False, markup=False)
