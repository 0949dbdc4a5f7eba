"""A model's outputs for many sequences, batched by length and put back in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.buckets import BucketLoader, Encoded
from unrolled.models.base import SequenceModel

_BATCH = 128


def _as_they_are(outputs: Tensor, lengths: Tensor) -> Tensor:
    return outputs


def outputs_in_order(
    model: SequenceModel,
    items: Sequence[Encoded],
    collate: Callable[[Sequence[Encoded]], Batch],
    read: Callable[[Tensor, Tensor], Tensor] = _as_they_are,
) -> list[Tensor]:
    """The model's output for each item, in the items' order and on the CPU.

    Steps beyond an item's length are cut off where there is one output a step. The model is left in the mode,
    training or not, in which it came.

    Args:
        model: the network.
        items: the encoded sequences.
        collate: makes a batch of some.
        read: makes of a batch's outputs and lengths what is kept of them, such as the best tags.
    """
    if not items:
        return []
    # Sorted by length throughout, for the least padding.
    loader = BucketLoader(items, collate, _BATCH, shuffle=False, bucket=len(items))
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    found: dict[int, Tensor] = {}
    try:
        with torch.inference_mode():
            for rows, batch in zip(loader.order(0), loader.batches(0), strict=True):
                batch = batch.to(device)
                outputs, _ = model(batch.inputs, batch.lengths)
                outputs = read(outputs, batch.lengths).cpu()
                for row, output, length in zip(rows.tolist(), outputs, batch.lengths.tolist(), strict=True):
                    found[row] = output[:length] if batch.targets_per_step else output
    finally:
        model.train(training)
    return [found[row] for row in range(len(items))]
