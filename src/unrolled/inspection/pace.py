"""How long a training takes, measured on its first batches; in time that is spent on it alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import torch

from unrolled.training.callback import Callback

if TYPE_CHECKING:
    from unrolled.data.batches import Batch
    from unrolled.models.base import SequenceModel
    from unrolled.training.trainer import Trainer

Clock = Callable[[], float]

_BATCHES = 12
"""So many tell the pace, or as many as the time allows."""


def working_clock(device: Literal["auto", "cpu"]) -> Clock:
    """Counts the seconds that the processor works on this, whatever else the machine does meanwhile.

    Where an accelerator does the work, that waits for it, and seconds are those of the clock on the wall.
    """
    on_cpu = device == "cpu" or not torch.accelerator.is_available()
    return time.thread_time if on_cpu else time.monotonic


class Pace(Callback):
    """Ends a training after some batches and a look at the dev data, and knows how long all of it would take.

    Args:
        clock: counts seconds.
        most: seconds after which no further batch is begun.

    Attributes:
        batch: seconds that a batch takes.
        trained: seconds from the first batch to the last.
        scoring: seconds that the scores of an epoch take.
        batches: of an epoch.
    """

    def __init__(self, clock: Clock, most: float) -> None:
        self.batch = self.trained = self.scoring = 0.0
        self.batches = 1
        self._clock, self._most = clock, most
        self._first = self._second = self._before = 0.0

    def on_train_batch_start(
        self, trainer: Trainer, model: SequenceModel, batch: Batch, batch_idx: int
    ) -> None:
        """The first batch begins the time."""
        if batch_idx == 0:
            self._first = self._clock()

    def on_train_batch_end(
        self, trainer: Trainer, model: SequenceModel, outputs: None, batch: Batch, batch_idx: int
    ) -> None:
        """What a batch takes by now; the last one where enough is known."""
        now = self._clock()
        self.batches = trainer.batches
        if batch_idx == 0:
            # The first one pays for what is made once, and counts only where there is no other.
            self.batch, self._second = now - self._first, now
        else:
            self.batch = (now - self._second) / batch_idx
        self.trained = now - self._first
        trainer.should_stop = batch_idx + 1 >= _BATCHES or self.trained >= self._most

    def on_validation_start(self, trainer: Trainer, model: SequenceModel) -> None:
        """Scoring begins."""
        self._before = self._clock()

    def on_validation_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """Scoring is done."""
        self.scoring = self._clock() - self._before

    def on_epoch_end(self, trainer: Trainer, model: SequenceModel) -> None:
        """One epoch is enough, however short."""
        trainer.should_stop = True

    def share(self, seconds: float, epochs: int) -> float:
        """The share of every epoch's batches that so many epochs have time for; 1 at most, 0 of no time."""
        whole = self.batches * self.batch
        left = seconds / max(1, epochs) - self.scoring
        return 1.0 if whole <= 0 or left >= whole else max(0.0, left / whole)
