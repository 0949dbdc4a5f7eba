"""What a model of piano rolls has to beat: every note a Markov chain of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.rolls import KEYS
from unrolled.tasks.baselines.base import Baseline, BaselineState


class NoteMarkov(Baseline):
    """Whether a note sounds depends on whether it just did, and on nothing else.

    Args:
        counts: ``(2, 2, notes)``: how often a note was silent (0) or sounding (1) and then silent or
            sounding.

    Example:
        >>> model = NoteMarkov.fit([np.array([[1], [1], [1], [0]])])
        >>> model.nats(np.array([[0]])).round(3)  # 1 of 1 silences ended, smoothed to 3/4 here by one half
        array([1.386])
    """

    name: ClassVar[str] = "per-note Markov"

    def __init__(self, counts: NDArray[np.float64]) -> None:
        self.counts = counts

    @classmethod
    def fit(cls, rolls: Iterable[NDArray]) -> NoteMarkov:
        """Count the transitions in rolls ``(time, notes)``, each beginning after silence."""
        total: NDArray[np.float64] | float = 0.0
        for roll in rolls:
            now = np.asarray(roll, dtype=bool)
            before = _before(now)
            pairs = [
                [(before == past) & (now == present) for present in (False, True)] for past in (False, True)
            ]
            total = total + np.array(pairs).sum(axis=2, dtype=np.float64)
        return cls(np.asarray(total))

    def nats(self, roll: NDArray) -> NDArray[np.float64]:
        """The negative log-likelihood of every step, ``(time,)``, summed over the notes.

        Half a transition of each kind is added to the counts (Krichevsky and Trofimov 1981).
        """
        now = np.asarray(roll, dtype=bool)
        sounding = (self.counts[:, 1] + 0.5) / (self.counts.sum(axis=1) + 1)
        probability = np.where(_before(now), sounding[1], sounding[0])
        return -np.log(np.where(now, probability, 1 - probability)).sum(axis=1)

    def state(self) -> BaselineState:
        """The counts."""
        return BaselineState(tensors={"counts": torch.from_numpy(self.counts)})

    @classmethod
    def from_state(cls, state: BaselineState) -> NoteMarkov:
        """The inverse of `state`."""
        counts = state.array("counts", 3)
        if counts.shape != (2, 2, KEYS) or counts.dtype != np.float64 or (counts < 0).any():
            raise ValueError(f"expected counts of shape {(2, 2, KEYS)} from 0, got {counts.shape}")
        return cls(counts)


def _before(roll: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros_like(roll[:1]), roll[:-1]])
