"""A batch as arrays: its input as symbols, and the model's answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.batches import Batch
from unrolled.inspection.measuring import Measured

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SYMBOLS = 256
"""Symbols told apart, the most frequent ones."""
_TOGETHER = 64


def symbols_of(batch: Batch) -> Ints | None:
    """The input as symbols ``(rows, steps)``: tokens by how often they come, numbers by eight ranges.

    None where it is neither, such as pictures.
    """
    for name in ("tokens", "words"):
        if name in batch.inputs:
            return _most_frequent(batch.inputs[name].cpu().numpy(), real_steps(batch))
    values = batch.inputs.get("values")
    if values is None or values.dim() != 3:
        return None
    first = values[..., 0].cpu().numpy()
    edges = np.unique(np.quantile(first, np.linspace(0, 1, 9)[1:-1]))
    return np.asarray(np.searchsorted(edges, first), dtype=np.int64)


def real_steps(batch: Batch) -> Mask:
    """Which steps of which rows are no padding, ``(rows, steps)``."""
    return np.asarray(np.arange(batch.time) < batch.lengths.cpu().numpy()[:, None])


def _most_frequent(tokens: NDArray[Any], real: Mask) -> Ints:
    kinds, counts = np.unique(tokens[real], return_counts=True)
    kept = np.sort(kinds[np.argsort(-counts)][: _SYMBOLS - 1])
    place = np.minimum(np.searchsorted(kept, tokens), len(kept) - 1)
    return np.where(kept[place] == tokens, place + 1, 0).astype(np.int64)


def chance_of(targets: Ints) -> float:
    """The cross-entropy of the best constant answer to classes."""
    shares = np.bincount(targets) / max(1, len(targets))
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def answers_of(measured: Measured, batch: Batch) -> torch.Tensor:
    """The model's outputs in float64, some rows at a time."""
    parts = []
    with torch.no_grad():
        for start in range(0, batch.size, _TOGETHER):
            rows = torch.arange(start, min(start + _TOGETHER, batch.size), device=batch.lengths.device)
            parts.append(measured.run(batch.rows(rows)).cpu().double())
    return torch.cat(parts)


def told_by(measured: Measured, batch: Batch) -> Floats:
    """The logarithm of the chance that the model gives each target ``(rows, steps)``."""
    parts = []
    with torch.no_grad():
        for start in range(0, batch.size, _TOGETHER):
            rows = torch.arange(start, min(start + _TOGETHER, batch.size), device=batch.lengths.device)
            some = batch.rows(rows)
            scores = measured.run(some).double().log_softmax(-1)
            parts.append(scores.gather(-1, some.targets.clamp_min(0).unsqueeze(-1)).squeeze(-1).cpu())
    return torch.cat(parts).numpy()
