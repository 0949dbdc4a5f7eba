"""Attention over the steps of a memory: what a decoder looks at while it writes.

For a query ``q`` and the memory's vectors ``m_1 ... m_S``:

    additive (Bahdanau et al. 2015):       score_s = v . tanh(W q + U m_s)
    multiplicative (Luong et al. 2015):    score_s = q . (W m_s)
    weights = softmax(scores over the real steps);   context = sum over s of weight_s m_s
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Memory:
    """What attention looks at, prepared once for all queries.

    Attributes:
        values: ``(B, S, memory_size)``, the vectors that are averaged.
        keys: ``(B, S, key_size)``, what queries are compared with.
        real: ``(B, S)`` bool, the steps that are no padding.
        symbols: ``(B, S)`` int64, the symbol that every step stands for, where a decoder may copy it.
    """

    values: Tensor
    keys: Tensor
    real: Tensor
    symbols: Tensor | None = None

    def select(self, rows: Tensor) -> Memory:
        """The memory of some rows of the batch, ``rows`` their numbers."""
        return replace(
            self,
            values=self.values[rows],
            keys=self.keys[rows],
            real=self.real[rows],
            symbols=None if self.symbols is None else self.symbols[rows],
        )


class Attention(nn.Module, ABC):
    """A weighted mean of a memory's vectors, the weights depending on a query.

    Args:
        query_size: features of a query.
        memory_size: features of the memory's vectors.
        key_size: features of the keys.
    """

    def __init__(self, query_size: int, memory_size: int, key_size: int) -> None:
        super().__init__()
        self.query_size = query_size
        self.key = nn.Linear(memory_size, key_size, bias=False)

    def remember(
        self, values: Tensor, lengths: Tensor | None = None, symbols: Tensor | None = None
    ) -> Memory:
        """Prepare a memory.

        Args:
            values: ``(B, S, memory_size)``.
            lengths: ``(B,)`` the real steps of every row; None: all.
            symbols: ``(B, S)`` what every step stands for; see `Memory`.
        """
        steps = torch.arange(values.shape[1], device=values.device)
        if lengths is None:
            real = torch.ones(values.shape[:2], dtype=torch.bool, device=values.device)
        else:
            real = steps < lengths.unsqueeze(1)
        return Memory(values, self.key(values), real, symbols)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """From queries ``(B, T, query_size)`` to contexts ``(B, T, memory_size)`` and weights ``(B, T, S)``.

        A row whose memory has no real step has zeros for both.
        """
        real = memory.real.unsqueeze(1)
        scores = self.scores(queries, memory.keys)
        weights = scores.masked_fill(~real, torch.finfo(scores.dtype).min).softmax(-1) * real
        return weights @ memory.values, weights

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """How well every key fits every query, ``(B, T, S)``."""


class AdditiveAttention(Attention):
    """Bahdanau, Cho and Bengio (2015), appendix A.1.2.

    Example:
        >>> attention = AdditiveAttention(query_size=4, memory_size=6)
        >>> memory = attention.remember(torch.randn(2, 5, 6), torch.tensor([5, 1]))
        >>> context, weights = attention(torch.randn(2, 3, 4), memory)
        >>> context.shape, weights[1, 0].tolist()
        (torch.Size([2, 3, 6]), [1.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, query_size: int, memory_size: int, key_size: int | None = None) -> None:
        super().__init__(query_size, memory_size, key_size or query_size)
        self.query = nn.Linear(query_size, key_size or query_size)
        self.energy = nn.Linear(key_size or query_size, 1, bias=False)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``v . tanh(W q + U m)``."""
        summed = self.query(queries).unsqueeze(2) + keys.unsqueeze(1)
        return self.energy(torch.tanh(summed)).squeeze(-1)


class MultiplicativeAttention(Attention):
    """Luong, Pham and Manning (2015), section 3.1, the score called "general".

    Example:
        >>> attention = MultiplicativeAttention(query_size=4, memory_size=6)
        >>> memory = attention.remember(torch.randn(2, 5, 6))
        >>> context, weights = attention(torch.randn(2, 3, 4), memory)
        >>> context.shape, weights.shape
        (torch.Size([2, 3, 6]), torch.Size([2, 3, 5]))
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size, query_size)

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """``q . (W m)``."""
        return queries @ keys.transpose(1, 2)


_KINDS = {"additive": AdditiveAttention, "multiplicative": MultiplicativeAttention}


def build_attention(kind: str, query_size: int, memory_size: int) -> Attention | None:
    """The attention of that name; None for "none".

    Raises:
        ConfigError: there is none of that name.
    """
    if kind == "none":
        return None
    if kind not in _KINDS:
        raise ConfigError(f"expected attention to be one of none, {', '.join(_KINDS)}, got {kind!r}")
    return _KINDS[kind](query_size, memory_size)
