"""Texts drawn symbol by symbol, many at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unrolled.data.buckets import BucketLoader, Encoded, collate_unequal
from unrolled.models.conditional import ConditionalModel
from unrolled.tasks.writing.beam_search import Hypothesis
from unrolled.tasks.writing.sampling import Sampling

_BATCH = 128


def draw(
    model: ConditionalModel,
    items: Sequence[Encoded],
    limit: int,
    sampling: Sampling,
    *,
    seed: int,
    stop: int,
    never: int | None = None,
) -> list[Hypothesis]:
    """One text for each item, in the items' order.

    Args:
        model: the network, not in training.
        items: the encoded inputs; their targets are not looked at.
        limit: the most symbols to write.
        sampling: how symbols are drawn.
        seed: decides what is drawn.
        stop: the symbol that ends a text and stands before its first one.
        never: a symbol that is not to be written, such as the unknown one.
    """
    if not items:
        return []
    loader = BucketLoader(items, collate_unequal, _BATCH, shuffle=False, bucket=1)
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    drawn: list[Hypothesis] = []
    with torch.inference_mode():
        for batch in loader.batches(0):
            batch = batch.to(device)
            state, memory = model.encode(batch.inputs, batch.lengths)
            step, rows = model.decoder.stepper(memory), torch.arange(batch.size, device=device)
            symbols = torch.full((batch.size,), stop, device=device)
            total = torch.zeros(batch.size, device=device)
            ended = torch.zeros(batch.size, dtype=torch.bool, device=device)
            made = []
            while len(made) < limit and not ended.all():
                scores, state = step(symbols, state, rows)
                if never is not None:
                    scores[:, never] = -torch.inf
                symbols = sampling.draw(scores, torch.rand(batch.size, generator=generator).to(device))
                gained = scores.log_softmax(-1).gather(1, symbols.unsqueeze(1)).squeeze(1)
                total += torch.where(ended, 0, gained)
                made.append(symbols)
                ended |= symbols == stop
            for row, own in enumerate(torch.stack(made, 1).tolist()):
                finished = stop in own
                text = tuple(own[: own.index(stop) + 1] if finished else own)
                value = float(total[row])
                drawn.append(Hypothesis(text, value, finished, value))
    return drawn
