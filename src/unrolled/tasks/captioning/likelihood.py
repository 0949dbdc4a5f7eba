"""How probable texts are to a network, where many texts are right."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.models.conditional import ConditionalModel
from unrolled.training.loss import CrossEntropy

_BATCH = 128


def nats_per_symbol(model: ConditionalModel, items: Sequence[Encoded]) -> float:
    """The mean negative log-likelihood of the texts' symbols, ends included.

    The model is left in the mode, training or not, in which it came.
    """
    loss, total, count = CrossEntropy(), 0.0, 0
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for batch in BucketLoader(items, collate_unequal, _BATCH, shuffle=False).batches(0):
                batch = batch.to(device)
                part = loss(model(batch.inputs, batch.lengths)[0], batch)
                total, count = total + float(part.total), count + part.count
    finally:
        model.train(training)
    return total / count
