"""Where a run stands."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from unrolled.saving.schema import Count
from unrolled.training.history import History


class Position(BaseModel):
    """Where a run stands: what of it is plain numbers.

    Attributes:
        epoch: the epoch at work, counted from 0; `batch`: the next batch in it.
        updates: made so far.
        best: the best value of the monitored score.
        mark: the value that patience measures by, and `waited`: epochs since it was set.
        averaging: whether averaging of the weights has begun.
        total, count, steps, norms, clipped, made, seconds: sums over the updates of this epoch.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings", extra="forbid")

    epoch: Count = 0
    batch: Count = 0
    updates: Count = 0
    best: float | None = None
    mark: float | None = None
    waited: Count = 0
    averaging: bool = False
    total: float = 0.0
    count: Count = 0
    steps: Count = 0
    norms: float = 0.0
    clipped: Count = 0
    made: Count = 0
    seconds: float = 0.0
    history: History = Field(default_factory=History)

    def begin_epoch(self) -> None:
        """Clear the sums and go to the next epoch."""
        self.epoch, self.batch = self.epoch + 1, 0
        self.total = self.norms = self.seconds = 0.0
        self.count = self.steps = self.clipped = self.made = 0
