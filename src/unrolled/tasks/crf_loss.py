"""The loss of a linear-chain conditional random field."""

from __future__ import annotations

from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.models.crf import log_partition, path_score
from unrolled.training.loss import Loss, LossSum


class PathLikelihood(Loss):
    """Negative log-likelihood of whole tag sequences, from a CRF's potentials ``(batch, time, tags, tags)``.

    See `unrolled.models.crf`. ``mean`` divides by the steps, ``sum`` by the sequences.
    """

    separable = False

    def __call__(self, outputs: Tensor, batch: Batch) -> LossSum:
        """Loss of a batch; see `Loss`."""
        total = log_partition(outputs, batch.lengths) - path_score(outputs, batch.targets, batch.lengths)
        count = batch.steps if self.reduction == "mean" else int((batch.lengths > 0).sum())
        return LossSum(total.sum(), count)
