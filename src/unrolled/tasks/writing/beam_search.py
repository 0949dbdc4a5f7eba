"""The most probable continuations of many sequences at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.state import State, map_state

Step = Callable[[Tensor, State, Tensor], tuple[Tensor, State]]
"""A model's step.

From the newest symbols ``(rows,)``, their state, and the sequences ``(open,)`` that are still continued, as
numbers of the rows that the search began with; to the scores of the next symbol ``(rows, vocabulary)`` and
the state. The hypotheses of a sequence are neighbouring rows, equally many for each.
"""

_CACHED = 1 << 20
"""Scores that are looked through at a time: so many stay in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A continuation that beam search found.

    Attributes:
        symbols: the symbols, the stop symbol included when it was reached.
        log_probability: the natural logarithm of their joint probability.
        finished: whether it ends with the stop symbol.
        score: what hypotheses are ranked by: the log-probability over the length's penalty.
    """

    symbols: tuple[int, ...]
    log_probability: float
    finished: bool
    score: float


def beam_search(
    step: Step,
    scores: Tensor,
    state: State,
    width: int,
    length: int | Tensor,
    stop: int | None = None,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    """For each sequence the ``width`` best continuations that were found, the best first.

    All open hypotheses of all sequences advance together as one batch. A sequence is done when ``width`` of
    its hypotheses have stopped and no open one is better, or after ``length`` symbols; it then leaves the
    batch. Width 1 is greedy decoding.

    Args:
        step: the model.
        scores: ``(sequences, vocabulary)``, the scores of the first symbol.
        state: the state that gave them.
        width: hypotheses kept for each sequence.
        length: the most symbols, for all or ``(sequences,)`` for each.
        stop: the symbol that ends a hypothesis; None for none.
        length_penalty: hypotheses are ranked by their log-probability over ``((5 + length) / 6) **
            length_penalty`` (Wu et al. 2016, equation 14): 0 favours short ones, 1 is close to the mean.

    Raises:
        ConfigError: width or length below 1, or a penalty below 0.

    Example:
        >>> scores = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]).log()
        >>> same = lambda symbols, state, sequences: (scores[:1].expand(len(symbols), 3), state)
        >>> found = beam_search(same, scores, torch.zeros(1, 2, 4), width=2, length=3, stop=1)
        >>> [[hypothesis.symbols for hypothesis in each] for each in found]
        [[(1,), (0, 0, 0)], [(2, 0, 0), (2, 1)]]
    """
    lengths = torch.as_tensor(length, device=scores.device).expand(scores.shape[0])
    if width < 1 or (lengths < 1).any():
        raise ConfigError(f"beam width and length must be at least 1, got {width} and {length}")
    if not 0 <= length_penalty < math.inf:
        raise ConfigError(f"length_penalty must be at least 0, got {length_penalty}")
    search = _Search(scores, state, width, lengths, stop, length_penalty)
    while search.extend():
        scores, state = step(search.newest, search.state, search.sequences)
        search.take(scores, state)
    return search.found()


class _Search:
    """The open and the finished hypotheses; axes are ``sequence``, ``hypothesis``, ``symbol``.

    Totals are in float64: sums over long sequences must still tell neighbours apart.
    """

    def __init__(
        self, scores: Tensor, state: State, width: int, lengths: Tensor, stop: int | None, penalty: float
    ) -> None:
        sequences, device = scores.shape[0], scores.device
        self.width, self.stop, self.penalty = width, stop, penalty
        self.limit = lengths
        self.sequences = torch.arange(sequences, device=device)
        self.state = state
        self.likely = _likeliest(scores, 2 * width, sequences)
        self.totals = torch.zeros(sequences, 1, dtype=torch.float64, device=device)
        self.symbols = torch.zeros(sequences, 1, 0, dtype=torch.int64, device=device)
        self.ended = _nothing(sequences, width, device)
        self.results: list[list[Hypothesis]] = [[] for _ in range(sequences)]

    @property
    def newest(self) -> Tensor:
        """The last symbol of every open hypothesis, ``(rows,)``."""
        return self.symbols[:, :, -1].flatten()

    def take(self, scores: Tensor, state: State) -> None:
        """The model's answer to the newest symbols."""
        self.state = state
        self.likely = _likeliest(scores, 2 * self.width, len(self.sequences))

    def extend(self) -> bool:
        """Make every open hypothesis longer by a symbol; False when nothing is left to do."""
        # Twice the width, since at most one extension a hypothesis is the stop symbol: `width` stay open.
        logs, likely = self.likely
        sequences, hypotheses, each = logs.shape
        joint = (self.totals.unsqueeze(2) + logs).flatten(1)
        totals, places = joint.topk(min(2 * self.width, joint.shape[1]))
        origins, symbols = places // each, likely.flatten(1).gather(1, places)
        longer = torch.cat([_of(origins, self.symbols), symbols.unsqueeze(2)], dim=2)
        made = longer.shape[2]
        if self.stop is not None:
            stops = symbols == self.stop
            # Only a stop among the best `width` counts: width 1 stops exactly where greedy decoding does.
            ends = stops & (torch.arange(stops.shape[1], device=stops.device) < self.width)
            if (ends & (totals > -math.inf)).any():
                self._finish(longer, totals.masked_fill(~ends, -math.inf))
            totals = totals.masked_fill(stops, -math.inf)
        kept = totals.topk(min(self.width, totals.shape[1])).indices
        self.totals, self.symbols = totals.gather(1, kept), _of(kept, longer)
        origins = origins.gather(1, kept)
        done = self._done(made)
        if done.any():
            self._close(done)
            going = ~done
            self.sequences, self.limit = self.sequences[going], self.limit[going]
            self.totals, self.symbols = self.totals[going], self.symbols[going]
            self.ended = tuple(part[going] for part in self.ended)
        if not len(self.sequences):
            return False
        first = torch.arange(sequences, device=done.device)[~done] * hypotheses
        rows = (origins[~done] + first.unsqueeze(1)).flatten()
        if done.any() or self.width > 1:
            self.state = map_state(lambda part: part.index_select(1, rows), self.state)
        return True

    def _penalised(self, totals: Tensor, length: int | Tensor) -> Tensor:
        return totals / ((5 + length) / 6) ** self.penalty

    def _finish(self, symbols: Tensor, totals: Tensor) -> None:
        """Keep the best of the hypotheses that stopped before and those that stop now."""
        before_symbols, before_totals, before_lengths = self.ended
        made = symbols.shape[2]
        shorter = torch.nn.functional.pad(before_symbols, (0, made - before_symbols.shape[2]))
        every = torch.cat([before_totals, totals], dim=1)
        lengths = torch.cat([before_lengths, torch.full_like(totals, made, dtype=torch.int64)], dim=1)
        best = self._penalised(every, lengths).topk(self.width).indices
        self.ended = (
            _of(best, torch.cat([shorter, symbols], dim=1)),
            every.gather(1, best),
            lengths.gather(1, best),
        )

    def _done(self, made: int) -> Tensor:
        """``(sequences,)`` whether there is nothing more to find for a sequence."""
        _, totals, lengths = self.ended
        worst = self._penalised(totals, lengths).amin(1)
        return (self._penalised(self.totals, made).amax(1) <= worst) | (made >= self.limit)

    def _close(self, done: Tensor) -> None:
        """Note the results of sequences: the best of what stopped and of what is open."""
        symbols, totals, lengths = (part[done].tolist() for part in self.ended)
        open_symbols, open_totals = self.symbols[done].tolist(), self.totals[done].tolist()
        made = self.symbols.shape[2]
        for row, sequence in enumerate(self.sequences[done].tolist()):
            stopped = zip(symbols[row], totals[row], lengths[row], strict=True)
            found = [(tuple(each[:size]), total, True, size) for each, total, size in stopped]
            still = zip(open_symbols[row], open_totals[row], strict=True)
            found += [(tuple(each), total, False, made) for each, total in still]
            ranked = [
                Hypothesis(each, total, finished, total / ((5 + size) / 6) ** self.penalty)
                for each, total, finished, size in found
                if total > -math.inf
            ]
            ranked.sort(key=lambda hypothesis: -hypothesis.score)
            self.results[sequence] = ranked[: self.width]

    def found(self) -> list[list[Hypothesis]]:
        """The results, in the order in which the sequences came."""
        return self.results


def _likeliest(scores: Tensor, count: int, sequences: int) -> tuple[Tensor, Tensor]:
    """The most probable next symbols: log-probabilities and symbols ``(sequence, hypothesis, count)``."""
    rows, vocabulary = scores.shape
    found = [
        part.log_softmax(-1).topk(min(count, vocabulary))
        for part in scores.split(max(1, _CACHED // vocabulary))
    ]
    logs, symbols = (torch.cat(parts) for parts in zip(*found, strict=True))
    return logs.view(sequences, rows // sequences, -1), symbols.view(sequences, rows // sequences, -1)


def _of(rows: Tensor, symbols: Tensor) -> Tensor:
    """The chosen rows ``(sequence, chosen)`` of ``(sequence, hypothesis, symbol)``."""
    return symbols.gather(1, rows.unsqueeze(2).expand(-1, -1, symbols.shape[2]))


def _nothing(sequences: int, width: int, device: torch.device) -> tuple[Tensor, ...]:
    """No finished hypotheses: symbols, totals and lengths."""
    return (
        torch.zeros(sequences, width, 0, dtype=torch.int64, device=device),
        torch.full((sequences, width), -math.inf, dtype=torch.float64, device=device),
        torch.ones(sequences, width, dtype=torch.int64, device=device),
    )
