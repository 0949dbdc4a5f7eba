"""From scores over symbols to the next symbol."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.errors import ConfigError

_COLDEST = 1e-30
"""Where a float32 still has a reciprocal."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next symbol is drawn from the scores.

    Attributes:
        temperature: divides the scores: below 1 the likely becomes likelier; 0 takes the most probable.
        top_k: only the k most probable symbols may come; 0 allows all.
        top_p: only the fewest symbols that together reach this probability may come (nucleus sampling,
            Holtzman et al. 2020); 1 allows all.

    Raises:
        ConfigError: a value outside its range.

    Example:
        >>> scores = torch.tensor([0.5, 0.3, 0.2]).log()
        >>> Sampling(top_k=2).probabilities(scores)
        tensor([0.6250, 0.3750, 0.0000])
        >>> Sampling(top_p=0.4).probabilities(scores)
        tensor([1., 0., 0.])
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ConfigError(f"temperature must be at least 0, got {self.temperature}")
        if self.top_k < 0:
            raise ConfigError(f"top_k must be at least 0 (0 allows every symbol), got {self.top_k}")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must be above 0 and at most 1, got {self.top_p}")

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probabilities, ``(..., vocabulary)``, that symbols are drawn with; they sum to one.

        Args:
            scores: unnormalised log-probabilities ``(..., vocabulary)``.
        """
        if self.temperature == 0:
            return torch.nn.functional.one_hot(scores.argmax(-1), scores.shape[-1]).to(scores.dtype)
        # Whatever the temperature, the most probable symbol stays at 0, and no other gets beyond.
        lower = scores - scores.amax(-1, keepdim=True)
        probabilities = (lower / max(self.temperature, _COLDEST)).softmax(-1)
        if self.top_k or self.top_p < 1:
            probabilities = self._truncated(probabilities)
        return probabilities

    def _truncated(self, probabilities: Tensor) -> Tensor:
        ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
        rank = torch.arange(ordered.shape[-1], device=ordered.device)
        keep = rank < self.top_k if self.top_k else torch.ones_like(rank, dtype=torch.bool)
        # A symbol stays while those before it have not reached top_p; so the first one always stays.
        keep = keep & ((ordered.cumsum(-1) - ordered < self.top_p) | (rank == 0))
        kept = torch.zeros_like(probabilities).scatter(-1, order, ordered * keep)
        return kept / kept.sum(-1, keepdim=True)

    def draw(self, scores: Tensor, uniform: Tensor) -> Tensor:
        """One symbol a row, ``(batch,)``.

        Args:
            scores: ``(batch, vocabulary)``.
            uniform: ``(batch,)``, the chances: numbers from 0 to below 1. So rows can be drawn together and
                still each from a generator of its own.

        Example:
            >>> scores = torch.tensor([0.5, 0.3, 0.2]).log().expand(3, 3)
            >>> Sampling().draw(scores, torch.tensor([0.4, 0.6, 0.9]))
            tensor([0, 1, 2])
        """
        if self.temperature == 0:
            return scores.argmax(-1)
        reached = self.probabilities(scores).double().cumsum(-1)
        chance = uniform.double() * reached[..., -1]
        return torch.searchsorted(reached, chance[:, None], right=True).squeeze(-1)
