"""The n-gram language model with Witten-Bell interpolation: what a recurrent language model has to beat.

Witten and Bell, "The zero-frequency problem" (1991), method C, interpolated as by Chen and Goodman (1998)::

    p(w | c) = (count(c w) + types(c) p(w | shorter c)) / (count(c) + types(c))

where ``c`` is the context and ``types(c)`` the number of distinct symbols seen after it; below the empty
context every symbol is equally likely.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.errors import ConfigError
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.baselines.base import Baseline, BaselineState

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Level:
    """All n-grams of one length: which there are and how often.

    A gram's key is the index of its context among the grams one shorter, times the vocabulary, plus its last
    symbol; so keys stay below (training length x vocabulary) and never overflow, whatever the order.
    """

    keys: Ids  # (grams,) sorted
    counts: Ids  # (grams,)
    context_counts: Ids  # (grams one shorter,)
    context_types: Ids  # (grams one shorter,)

    @classmethod
    def build(cls, keys: Ids, counts: Ids, vocabulary: int, contexts: int) -> _Level:
        context = keys // vocabulary
        totals = np.bincount(context, weights=counts, minlength=contexts).astype(np.int64)
        return cls(keys, counts, totals, np.bincount(context, minlength=contexts))

    def find(self, keys: Ids) -> Ids:
        """The index of every key; -1 where there is none."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.searchsorted(self.keys, keys).clip(max=len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)


@with_config(ENTRIES)
class _Saved(TypedDict):
    vocabulary: Size
    order: Size


class WittenBell(Baseline):
    """An interpolated n-gram model over symbols 0 to ``vocabulary - 1``.

    Args:
        vocabulary: the number of symbols.
        order: the length of the longest gram: 5 looks at four symbols before the one it predicts.

    Example:
        >>> model = WittenBell(vocabulary=2, order=2).fit([np.array([0, 1, 0, 1, 0])])
        >>> model.log_probabilities([np.array([0, 1])]).round(3)
        array([-0.56 , -0.211])
    """

    name: ClassVar[str] = "Witten-Bell n-gram"
    Saved = _Saved

    def __init__(self, vocabulary: int, order: int) -> None:
        if order < 1 or vocabulary < 1:
            raise ConfigError(f"expected order and vocabulary of at least 1, got {order} and {vocabulary}")
        self.vocabulary = vocabulary
        self.order = order
        self._levels: list[_Level] = []

    def fit(self, documents: Iterable[Ids]) -> WittenBell:
        """Counts the grams of every document; none reaches across the border of two."""
        symbols, position = _joined(documents)
        self._levels = []
        previous = np.zeros(len(symbols), dtype=np.int64)  # index of each symbol's context; -1: none
        contexts = 1
        for length in range(1, self.order + 1):
            inside = position >= length - 1
            keys = previous * self.vocabulary + symbols
            unique, counts = np.unique(keys[inside], return_counts=True)
            level = _Level.build(unique, counts, self.vocabulary, contexts)
            self._levels.append(level)
            previous = _following(np.where(inside, level.find(keys), -1))
            contexts = len(unique)
        return self

    def log_probabilities(self, documents: Iterable[Ids]) -> NDArray[np.float64]:
        """The natural logarithm of every symbol's probability given those before it in its document.

        Returns:
            ``(symbols of all documents,)``.
        """
        symbols, position = _joined(documents)
        probability = np.full(len(symbols), 1.0 / self.vocabulary)
        context = np.zeros(len(symbols), dtype=np.int64)
        for length, level in enumerate(self._levels, start=1):
            known = (context >= 0) & (position >= length - 1)
            known[known] = level.context_counts[context[known]] > 0
            keys = context * self.vocabulary + symbols
            gram = np.where(known, level.find(keys), -1)
            count = np.where(gram >= 0, level.counts[gram], 0)[known] if len(level.counts) else 0
            types = level.context_types[context[known]]
            total = level.context_counts[context[known]]
            probability[known] = (count + types * probability[known]) / (total + types)
            context = _following(gram)
        return np.log(probability)

    def state(self) -> BaselineState:
        """The grams and their counts, as arrays."""
        tensors = {}
        for length, level in enumerate(self._levels, start=1):
            tensors[f"keys_{length}"] = torch.from_numpy(level.keys)
            tensors[f"counts_{length}"] = torch.from_numpy(level.counts.astype(np.int32))
        return BaselineState({"vocabulary": self.vocabulary, "order": self.order}, tensors)

    @classmethod
    def from_state(cls, state: BaselineState) -> WittenBell:
        """The inverse of `state`."""
        model = cls(state.values["vocabulary"], state.values["order"])
        contexts = 1
        for length in range(1, model.order + 1):
            keys = state.array(f"keys_{length}", 1, "int").astype(np.int64)
            counts = state.array(f"counts_{length}", 1, "int").astype(np.int64)
            known = len(keys) == 0 or keys[-1] < contexts * model.vocabulary
            if (
                len(counts) != len(keys)
                or not known
                or not (np.diff(keys) > 0).all()
                or not (counts > 0).all()
            ):
                raise ValueError(f"expected grams of {length} symbols in order with a count each, got others")
            model._levels.append(_Level.build(keys, counts, model.vocabulary, contexts))
            contexts = len(keys)
        return model


def _joined(documents: Iterable[Ids]) -> tuple[Ids, Ids]:
    """All symbols end to end, and the position of each in its document."""
    parts = [np.asarray(document, dtype=np.int64) for document in documents]
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return np.concatenate(parts), np.concatenate([np.arange(len(part)) for part in parts])


def _following(grams: Ids) -> Ids:
    """What is the context of the next symbol: the gram that ends one before it."""
    return np.concatenate([np.full(min(1, len(grams)), -1), grams[:-1]])
