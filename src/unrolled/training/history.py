"""What happened in training: one record an epoch, and the updates thinned to a bounded number."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

_LIMIT = 2000
_MEASURED = 64


class EpochRecord(BaseModel):
    """One epoch.

    Attributes:
        epoch: counted from 1.
        loss: mean training loss.
        gradient_norm: mean norm of the gradient before clipping.
        clipped: share of the updates whose gradient was clipped.
        learning_rate: at the end of the epoch.
        updates: number of updates.
        steps: real time steps trained on.
        seconds: wall time of the training part.
        scores: scores on the dev data, by name.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    epoch: int
    loss: float
    gradient_norm: float
    clipped: float
    learning_rate: float
    updates: int
    steps: int
    seconds: float
    scores: dict[str, float] = Field(default_factory=dict)


class UpdateRecord(BaseModel):
    """One update, counted from 1: its loss, its gradient's norm before clipping, whether it was clipped."""

    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    update: int
    loss: float
    gradient_norm: float
    clipped: bool


class LayerRecord(BaseModel):
    """What was measured of one layer in one direction in the last updates of an epoch.

    Attributes:
        epoch: counted from 1.
        layer: its name in the network.
        lags: numbers of steps back, each twice the one before, and the farthest.
        left: what is left of an error at each of them.
        memory: how many steps its units remember: a quarter of them fewer, half of them, three quarters; None
            for a cell without a gate that keeps.
        idle: the share of ReLU units that are dead, of other cells of values that are saturated; None where
            neither is known.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    epoch: int
    layer: str
    lags: list[int]
    left: list[float]
    memory: list[float] | None = None
    idle: float | None = None


class History(BaseModel):
    """The course of a training run.

    Attributes:
        monitor: the score that decided, and `mode` its better direction.
        epochs: one record an epoch.
        updates: every `stride`-th update; the stride doubles whenever there are more than 2000.
        measured: of a run that was watched, what was measured of each layer over the epochs: of every
            `measured_stride`-th of the `measurements`, so that there are 64 at most.
        best_epoch: the epoch whose weights were kept; None when no dev score was taken.
        stopped: why training ended: `epochs` (all done), `patience` (no better score), `callback` (one asked
            for it), or None while it runs.

    Example:
        >>> history = History()
        >>> for update in range(1, 5001):
        ...     history.record(update, loss=1.0, gradient_norm=0.5, clipped=False)
        >>> len(history.updates) <= 2000, history.stride
        (True, 4)
        >>> History.from_json(history.to_json()) == history
        True
    """

    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    monitor: str = "loss"
    mode: Literal["min", "max"] = "min"
    epochs: list[EpochRecord] = Field(default_factory=list)
    updates: list[UpdateRecord] = Field(default_factory=list)
    stride: int = 1
    measured: list[LayerRecord] = Field(default_factory=list)
    measured_stride: int = 1
    measurements: int = 0
    best_epoch: int | None = None
    stopped: Literal["epochs", "patience", "callback"] | None = None

    def kept(self) -> str:
        """Which epoch's weights were kept, and why training ended, in a sentence; "" without a dev score.

        Example:
            >>> epoch = EpochRecord(epoch=1, loss=1, gradient_norm=1, clipped=0, learning_rate=1, updates=1,
            ...     steps=1, seconds=1, scores={"accuracy": 0.5})
            >>> History(monitor="accuracy", epochs=[epoch], best_epoch=1, stopped="epochs").kept()
            'The weights of epoch 1 of 1 are kept, the best by accuracy (0.5); all epochs were done.'
        """
        if self.best_epoch is None:
            return ""
        best = self.epochs[self.best_epoch - 1].scores[self.monitor]
        done = len(self.epochs)
        why = {
            "epochs": "all epochs were done",
            "patience": f"the {done - self.best_epoch} after it were no better",
            "callback": "a callback ended training",
            None: "training goes on",
        }[self.stopped]
        return (
            f"The weights of epoch {self.best_epoch} of {done} are kept, the best by {self.monitor} "
            f"({best:.4g}); {why}."
        )

    def to_json(self) -> dict[str, Any]:
        """The history as plain JSON values; NaN and infinity become strings."""
        return json.loads(self.model_dump_json())

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls.model_validate(values)

    def record(self, update: int, *, loss: float, gradient_norm: float, clipped: bool) -> None:
        """Note an update, counted from 1; those between the strides are dropped."""
        if (update - 1) % self.stride:
            return
        self.updates.append(
            UpdateRecord(update=update, loss=loss, gradient_norm=gradient_norm, clipped=clipped)
        )
        if len(self.updates) > _LIMIT:
            self.updates = self.updates[::2]
            self.stride *= 2

    def measure(self, layers: Sequence[LayerRecord]) -> None:
        """Note what was measured of an epoch, a record a layer; those between the strides are dropped."""
        if not layers:
            return
        self.measurements += 1
        if (self.measurements - 1) % self.measured_stride:
            return
        self.measured.extend(layers)
        kept = sorted({record.epoch for record in self.measured})
        if len(kept) > _MEASURED:
            stay = set(kept[::2])
            self.measured = [record for record in self.measured if record.epoch in stay]
            self.measured_stride *= 2
