"""The loss of the best answer that is always the same: what has learned something is better."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.training.loss import (
    BinaryCrossEntropy,
    CrossEntropy,
    Loss,
    NegativeLogLikelihood,
    SquaredError,
    step_mask,
)


def answers_in(batch: Batch) -> Tensor:
    """The targets that count, one a step or one a row: ``(answers, ...)``."""
    return batch.targets[step_mask(batch)]


def constant_loss(loss: Loss, answers: Tensor, sequences: int) -> float | None:
    """The mean loss of the best constant answer; None for losses of which that is no mean or frequency.

    Args:
        loss: what is minimised.
        answers: all targets, see `answers_in`.
        sequences: that they belong to.

    Example:
        >>> constant_loss(SquaredError(), torch.tensor([1.0, 3.0]), 2)
        1.0
    """
    if isinstance(loss, CrossEntropy | NegativeLogLikelihood):
        found, values = _of_classes(loss, answers), answers.numel()
    elif isinstance(loss, BinaryCrossEntropy):
        shares = answers.double().flatten(1).mean(0)
        weighed = shares if loss.weights is None else shares * loss.weights.to(shares)
        best = weighed / (weighed + 1 - shares)
        entropy = torch.xlogy(weighed, best) + torch.xlogy(1 - shares, 1 - best)
        found, values = -float(entropy.sum()), len(answers)
    elif isinstance(loss, SquaredError):
        known = answers.double()
        found = float((known - known.nanmean(0)).square().nanmean())
        values = int((~known.isnan()).sum())
    else:
        return None
    if found is None or loss.reduction == "mean":
        return found
    return found * values / max(1, sequences)


def _of_classes(loss: CrossEntropy | NegativeLogLikelihood, answers: Tensor) -> float | None:
    if isinstance(loss, CrossEntropy) and loss.label_smoothing:
        return None
    share = torch.bincount(answers.flatten()).double() / max(1, answers.numel())
    if isinstance(loss, CrossEntropy) and loss.weights is not None:
        share = share * loss.weights.to(share)[: len(share)]
    best = share / share.sum()
    return -float(torch.xlogy(share, best).sum())
