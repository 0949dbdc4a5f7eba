"""What a decoder looked at while it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.models.conditional import ConditionalModel

_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The attention of one target's symbols to its source's.

    Attributes:
        source: the source, a symbol a column, the end included.
        target: the target that was written, a symbol a row, the end included.
        weights: ``(target, source)``; every row sums to 1.
        text: the target as a text.
    """

    source: Sequence[str]
    target: Sequence[str]
    weights: np.ndarray
    text: str


def attention_weights(model: ConditionalModel, items: Sequence[Encoded]) -> Iterator[np.ndarray]:
    """For each item the weights ``(target, source)`` with which its own target is written.

    Args:
        model: the network; its decoder attends.
        items: the encoded sources with the targets to align to them.
    """
    loader = BucketLoader(items, collate_unequal, _BATCH, shuffle=False, bucket=1)
    device = next(model.parameters()).device
    with torch.inference_mode():
        for batch in loader.batches(0):
            batch = batch.to(device)
            state, memory = model.encode(batch.inputs, batch.lengths)
            weights = model.decoder.unroll(batch.inputs["previous"], state, memory).weights
            assert weights is not None
            sizes = zip(batch.output_lengths.tolist(), batch.lengths.tolist(), strict=True)
            for row, (written, read) in zip(weights.float().cpu().numpy(), sizes, strict=True):
                yield row[:written, :read]
