"""The loss of a forecaster: of its point forecast, and of its quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.training.loss import Loss, LossSum, Reduction, step_mask


class ForecastLoss(Loss):
    """Squared (or absolute) error of the point forecast plus the quantiles' mean pinball loss.

    The pinball loss of quantile q is ``max(q e, (q - 1) e)`` for the error e (Koenker and Bassett 1978); the
    squared error is minimised by the mean, the absolute one by the median. Missing targets count for nothing.

    Args:
        point: the point forecast that is wanted.
        quantiles: the levels of the quantiles that follow it in the outputs.
        spread: ``(horizon,)``, divides the errors, so that every step ahead has its fair weight.
        reduction: see `Loss`; ``mean`` is over the targets that are there.

    Example:
        >>> loss = ForecastLoss("mean", (0.9,), torch.ones(1))
        >>> targets = torch.tensor([[[2.0], [float("nan")]]])
        >>> batch = Batch({"values": torch.zeros(1, 2, 1)}, torch.tensor([2]), targets, True)
        >>> loss(torch.zeros(1, 2, 1, 2), batch)
        LossSum(total=tensor(5.8000), count=1)
    """

    def __init__(
        self,
        point: Literal["mean", "median"],
        quantiles: Sequence[float],
        spread: Tensor,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.point = point
        self.quantiles = tuple(quantiles)
        self.spread = spread

    def __call__(self, outputs: Tensor, batch: Batch) -> LossSum:
        """The loss of forecasts ``(batch, time, horizon, 1 + quantiles)`` of ``(batch, time, horizon)``."""
        targets = batch.targets
        present = step_mask(batch)[..., None] & ~targets.isnan()
        # Replaced before the subtraction: a NaN masked after it would still reach the gradient, as 0 * NaN.
        error = (targets.masked_fill(~present, 0)[..., None] - outputs) / self.spread.to(outputs)[:, None]
        error = torch.where(present[..., None], error, 0)
        total = error[..., 0].square().sum() if self.point == "mean" else error[..., 0].abs().sum()
        if self.quantiles:
            total = total + pinball(error[..., 1:], self.quantiles).sum() / len(self.quantiles)
        if self.reduction == "sum":
            return LossSum(total, int((batch.lengths > 0).sum()))
        return LossSum(total, int(present.sum()))


def pinball(error: Tensor, quantiles: Sequence[float]) -> Tensor:
    """The pinball loss of errors ``(..., quantiles)``, actual minus forecast."""
    levels = torch.tensor(quantiles, dtype=error.dtype, device=error.device)
    return torch.maximum(levels * error, (levels - 1) * error)
