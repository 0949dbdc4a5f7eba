"""From scores over symbols to the next symbol, or to the most probable continuation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.state import State, map_state

Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""From one symbol a row, ``(batch,)``, to the scores of the next, ``(batch, vocabulary)``, and the state."""


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
        probabilities = (scores / self.temperature).softmax(-1)
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

    def draw(self, scores: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One symbol a row, ``(batch,)``, from scores ``(batch, vocabulary)``."""
        if self.temperature == 0:
            return scores.argmax(-1)
        return torch.multinomial(self.probabilities(scores), 1, generator=generator).squeeze(-1)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A continuation that beam search found.

    Attributes:
        symbols: the symbols, the stop symbol included when it was reached.
        log_probability: the natural logarithm of their joint probability.
        finished: whether it ends with the stop symbol.
    """

    symbols: tuple[int, ...]
    log_probability: float
    finished: bool


def beam_search(
    step: Step, scores: Tensor, state: State, width: int, length: int, stop: int | None = None
) -> list[Hypothesis]:
    """The ``width`` most probable continuations that were found, the best first.

    All open hypotheses advance together as one batch. The search ends when no open one can overtake the
    finished ones, or after ``length`` symbols. Width 1 is greedy decoding.

    Args:
        step: the model.
        scores: ``(1, vocabulary)``, the scores of the first symbol.
        state: the state that gave them, of one row.
        width: hypotheses kept at a time.
        length: the most symbols.
        stop: the symbol that ends a hypothesis; None for none.

    Raises:
        ConfigError: width or length below 1.
    """
    if width < 1 or length < 1:
        raise ConfigError(f"beam width and length must be at least 1, got {width} and {length}")
    finished: list[Hypothesis] = []
    opened = [Hypothesis((), 0.0, False)]
    for made in range(1, length + 1):
        candidates = _best_extensions(opened, scores, width)
        # Only a stop among the best `width` counts: width 1 must stop exactly where greedy decoding does.
        ended = [c for c in candidates[:width] if c[1] == stop]
        finished += [Hypothesis((*opened[row].symbols, symbol), total, True) for row, symbol, total in ended]
        finished = sorted(finished, key=lambda h: -h.log_probability)[:width]
        going = [c for c in candidates if c[1] != stop][:width]
        # Log-probabilities only fall, so an open hypothesis below the worst of a full list can be dropped.
        if len(finished) == width:
            going = [c for c in going if c[2] > finished[-1].log_probability]
        opened = [Hypothesis((*opened[row].symbols, symbol), total, False) for row, symbol, total in going]
        if not opened or made == length:
            break
        rows = torch.tensor([row for row, _, _ in going], device=scores.device)
        symbols = torch.tensor([symbol for _, symbol, _ in going], device=scores.device)
        state = map_state(lambda tensor, rows=rows: tensor.index_select(1, rows), state)
        scores, state = step(symbols, state)
    return sorted([*finished, *opened], key=lambda h: -h.log_probability)[:width]


def _best_extensions(opened: list[Hypothesis], scores: Tensor, width: int) -> list[tuple[int, int, float]]:
    """The best ``2 * width`` extensions, best first: row of the hypothesis, symbol, joint log-probability.

    Twice the width, since at most one extension a hypothesis is the stop symbol, so ``width`` stay open.
    """
    totals = torch.tensor([h.log_probability for h in opened], dtype=torch.float64, device=scores.device)
    joint = totals[:, None] + scores.double().log_softmax(-1)
    best = joint.flatten().topk(min(2 * width, joint.numel()))
    vocabulary = scores.shape[-1]
    return [
        (index // vocabulary, index % vocabulary, total)
        for index, total in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        if total > -math.inf
    ]
