"""The sequences that a network writes for many inputs, batched by length and put back in order."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.layers.state import State
from unrolled.models.conditional import ConditionalModel
from unrolled.tasks.writing.beam_search import Hypothesis, Step, beam_search
from unrolled.training.processes import divided

_BATCH = 128
_SILENCE = 10.0
"""Seconds after which a word is said about how far it has come."""

_logger = logging.getLogger("unrolled")


def decode(
    model: ConditionalModel,
    items: Sequence[Encoded],
    limits: Sequence[int],
    *,
    beam_size: int = 1,
    length_penalty: float = 0.0,
    stop: int = 0,
    never: int | None = None,
) -> list[list[Hypothesis]]:
    """The ``beam_size`` best sequences for each item, best first, in the items' order.

    The model is left in the mode, training or not, in which it came.

    Args:
        model: the network.
        items: the encoded inputs; their targets are not looked at.
        limits: the most symbols to write for each item.
        beam_size: hypotheses kept for each item; 1 is greedy.
        length_penalty: see `unrolled.tasks.writing.beam_search.beam_search`.
        stop: the symbol that ends a sequence and stands before its first one.
        never: a symbol that is not to be written, such as the unknown one.
    """
    if not items:
        return []
    # Sorted by length throughout, for the least padding.
    loader = BucketLoader(items, collate_unequal, _BATCH, shuffle=False, bucket=len(items))
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    progress = _Progress(len(items))

    def write(piece: tuple[np.ndarray, Batch]) -> list[list[Hypothesis]]:
        rows, batch = piece[0], piece[1].to(device)
        state, memory = model.encode(batch.inputs, batch.lengths)
        step = _without(never, model.decoder.stepper(memory))
        first = torch.full((batch.size,), stop, device=device)
        scores, state = step(first, state, torch.arange(batch.size, device=device))
        length = torch.tensor([limits[row] for row in rows], device=device)
        hypotheses = beam_search(step, scores, state, beam_size, length, stop, length_penalty)
        progress.tell(batch.size)
        return hypotheses

    order = loader.order(0)
    try:
        with torch.inference_mode():
            written = chain.from_iterable(divided(zip(order, loader.batches(0), strict=True), write))
    finally:
        model.train(training)
    found = dict(zip(np.concatenate(order).tolist(), written, strict=True))
    return [found[row] for row in range(len(items))]


class _Progress:
    """How far writing has come, said when it takes long."""

    def __init__(self, items: int) -> None:
        self._items, self._written = items, 0
        self._begun = self._said = time.perf_counter()

    def tell(self, written: int) -> None:
        self._written += written
        now = time.perf_counter()
        if now - self._said > _SILENCE:
            self._said = now
            speed = self._written / (now - self._begun)
            _logger.info(f"Written {self._written:,} of {self._items:,} sequences, {speed:,.0f} a second")


def _without(never: int | None, step: Step) -> Step:
    """The step with a symbol that cannot come."""
    if never is None:
        return step

    def without(symbols: Tensor, state: State, sequences: Tensor) -> tuple[Tensor, State]:
        scores, state = step(symbols, state, sequences)
        scores[:, never] = -math.inf
        return scores, state

    return without
