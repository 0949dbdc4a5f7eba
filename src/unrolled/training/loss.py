"""Losses over padded batches: a sum and its divisor, so that windows and processes can be added up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.errors import ShapeError

Reduction = Literal["mean", "sum"]


@dataclass(frozen=True, slots=True)
class LossSum:
    """A loss before the division.

    Attributes:
        total: the summed loss, a scalar with a gradient.
        count: what `total` is divided by: steps, values or sequences.
    """

    total: Tensor
    count: int


class Loss(ABC):
    """What training minimises.

    Args:
        reduction: `mean` averages over all real steps of the batch; `sum` adds up the steps of a sequence and
            averages over the sequences.

    Attributes:
        separable: whether the loss of a sequence is the sum of the losses of its windows. A loss over whole
            sequences (a conditional random field's) sets it to False; truncated BPTT cannot train it.
    """

    separable: ClassVar[bool] = True

    def __init__(self, reduction: Reduction = "mean") -> None:
        self.reduction = reduction

    @abstractmethod
    def __call__(self, outputs: Tensor, batch: Batch) -> LossSum:
        """Loss of a batch.

        Args:
            outputs: `(batch, time, ...)` when the targets are per step, else `(batch, ...)`.
            batch: its lengths mask the padding out.
        """


class _MaskedLoss(Loss):
    """A loss that is a sum over steps (or rows, many-to-one), those beyond the length left out."""

    def __call__(self, outputs: Tensor, batch: Batch) -> LossSum:
        mask = step_mask(batch)
        total, terms = self._masked(outputs, batch.targets, mask)
        if self.reduction == "mean":
            return LossSum(total, terms)
        sequences = int((batch.output_lengths > 0).sum()) if batch.targets_per_step else mask.shape[0]
        return LossSum(total, sequences)

    @abstractmethod
    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        """Sum over the entries where `mask` `(batch, time)` or `(batch,)` is True, and how many they are."""


class CrossEntropy(_MaskedLoss):
    """Cross-entropy of class targets from logits `(..., classes)`, in nats.

    Args:
        reduction: see `Loss`.
        label_smoothing: share of the target spread evenly over all classes (Szegedy et al. 2016, section 7).
        weights: what an error on each class weighs; None: 1. The mean is over targets, not over weights.
    """

    def __init__(
        self,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
        weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(reduction)
        self.label_smoothing = label_smoothing
        self.weights = None if weights is None else torch.tensor(weights)

    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        _check_shape("cross-entropy", outputs.shape[:-1], targets.shape)
        total = functional.cross_entropy(
            outputs.flatten(0, -2),
            targets.masked_fill(~mask, _IGNORED).flatten(),
            None if self.weights is None else self.weights.to(outputs),
            ignore_index=_IGNORED,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        return total, int(mask.sum())


class NegativeLogLikelihood(_MaskedLoss):
    """Negative log-likelihood of class targets from log-probabilities `(..., classes)`."""

    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        _check_shape("negative log-likelihood", outputs.shape[:-1], targets.shape)
        total = functional.nll_loss(
            outputs.flatten(0, -2),
            targets.masked_fill(~mask, _IGNORED).flatten(),
            ignore_index=_IGNORED,
            reduction="sum",
        )
        return total, int(mask.sum())


class BinaryCrossEntropy(_MaskedLoss):
    """Cross-entropy of binary vectors from logits of the same shape, summed over the vector.

    The negative log-likelihood of a set per step, such as the keys of a piano roll (Boulanger-Lewandowski
    et al. 2012), or of the labels of a sequence.

    Args:
        reduction: see `Loss`.
        weights: what the loss of each entry weighs where its target is 1; None: 1.
    """

    def __init__(self, reduction: Reduction = "mean", weights: Sequence[float] | None = None) -> None:
        super().__init__(reduction)
        self.weights = None if weights is None else torch.tensor(weights)

    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        _check_shape("binary cross-entropy", outputs.shape, targets.shape)
        real = _as(mask, outputs)
        safe = targets.to(outputs.dtype).masked_fill(~real, 0)
        weights = None if self.weights is None else self.weights.to(outputs)
        entries = functional.binary_cross_entropy_with_logits(
            outputs, safe, reduction="none", pos_weight=weights
        )
        return torch.where(real, entries, 0).sum(), int(mask.sum())


class SquaredError(_MaskedLoss):
    """Squared error; a NaN target is a missing value and counts for nothing."""

    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        error, values = _error("squared error", outputs, targets, mask)
        return error.square().sum(), values


class AbsoluteError(_MaskedLoss):
    """Absolute error; a NaN target is a missing value and counts for nothing."""

    def _masked(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
        error, values = _error("absolute error", outputs, targets, mask)
        return error.abs().sum(), values


def step_mask(batch: Batch) -> Tensor:
    """True where a target counts: `(batch, time)` per step, `(batch,)` and all True many-to-one.

    Example:
        >>> batch = Batch({"values": torch.zeros(2, 3, 1)}, torch.tensor([3, 1]), torch.zeros(2, 3), True)
        >>> step_mask(batch).int().tolist()
        [[1, 1, 1], [1, 0, 0]]
    """
    if not batch.targets_per_step:
        return torch.ones(batch.size, dtype=torch.bool, device=batch.targets.device)
    steps = torch.arange(batch.targets.shape[1], device=batch.targets.device)
    return steps < batch.output_lengths.to(steps.device).unsqueeze(1)


_IGNORED = -100


def _check_shape(name: str, outputs: torch.Size, targets: torch.Size) -> None:
    if outputs != targets:
        raise ShapeError(
            f"{name}: expected targets of shape {tuple(outputs)} for these outputs, got {tuple(targets)}; "
            "check the output size of the model and whether targets are per step."
        )


def _as(mask: Tensor, values: Tensor) -> Tensor:
    return mask.reshape(mask.shape + (1,) * (values.dim() - mask.dim())).expand_as(values)


def _error(name: str, outputs: Tensor, targets: Tensor, mask: Tensor) -> tuple[Tensor, int]:
    _check_shape(name, outputs.shape, targets.shape)
    present = _as(mask, targets) & ~targets.isnan()
    # Replaced before the subtraction: a NaN masked after it would still reach the gradient, as 0 * NaN.
    error = torch.where(present, outputs - targets.masked_fill(~present, 0), 0)
    return error, int(present.sum())
