"""A model's outputs for many sequences, batched by length and put back in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.buckets import BucketLoader, Encoded
from unrolled.models.base import SequenceModel
from unrolled.training.processes import divided

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

    def run(batch: Batch) -> tuple[Tensor, list[int] | None]:
        batch = batch.to(device)
        outputs, _ = model(batch.inputs, batch.lengths)
        return read(outputs, batch.lengths).cpu(), batch.lengths.tolist() if batch.targets_per_step else None

    try:
        with torch.inference_mode():
            done = divided(loader.batches(0), run)
    finally:
        model.train(training)
    rows = chain.from_iterable(
        outputs if lengths is None else map(_cut, outputs, lengths) for outputs, lengths in done
    )
    found = dict(zip(np.concatenate(loader.order(0)).tolist(), rows, strict=True))
    return [found[row] for row in range(len(items))]


def _cut(output: Tensor, length: int) -> Tensor:
    return output[:length]
