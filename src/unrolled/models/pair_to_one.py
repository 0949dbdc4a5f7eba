"""Two sequences to one output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from unrolled.models.many_to_one import ManyToOne
from unrolled.models.pooling import real_steps


class PairToOne(ManyToOne):
    """Two sequences, one after the other in the same row, each pooled by itself and compared.

    The recurrent layers read the second with what they know of the first (Rocktäschel et al. 2016,
    "Reasoning about Entailment with Neural Attention"). What the sequences become, ``u`` and ``v``, is seen
    by the output beside ``|u - v|`` and ``u * v`` (Mou et al. 2016, "Natural Language Inference by Tree-Based
    Convolution and Heuristic Matching").

    Args:
        inputs: as for `ManyToOne`; beside what it reads the batch has ``marks`` ``(batch, time)``, odd at the
            steps of the second sequence.
        config: as for `ManyToOne`.
        output_size: as for `ManyToOne`.
        pooling: as for `ManyToOne`.
        skip: as for `ManyToOne`.
    """

    seen_of_pooled: ClassVar[int] = 4

    @property
    def causal(self) -> bool:
        """False: where the second begins is seen in all of the row."""
        return False

    def _pooled(
        self, inputs: Mapping[str, Tensor], hidden: Tensor, vectors: Tensor, lengths: Tensor
    ) -> Tensor:
        real = real_steps(hidden.shape[1], lengths)
        seconds = ((inputs["marks"] % 2 == 1) & real).sum(1)
        firsts = lengths - seconds
        first = self._pool(hidden, vectors, firsts)
        second = self._pool(hidden, vectors, seconds, firsts)
        return torch.cat([first, second, (first - second).abs(), first * second], dim=1)
