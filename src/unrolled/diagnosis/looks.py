"""How closely which sequences are looked at, so that watching costs training next to nothing."""

from __future__ import annotations

import random
from enum import Enum

_OBSERVED = 16
"""Of the sequences looked at, every so many-th is observed step by step, the others heard."""


class Look(Enum):
    """How closely a sequence is looked at."""

    NOT_AT_ALL = "not at all"
    LISTEN = "listen"
    OBSERVE = "observe"


class Looks:
    """Decides for each sequence that begins.

    Args:
        every: one of so many in a row is looked at: the first one, and from then on any, lest it always be
            the same of those that make up one update.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._draw = random.Random(0)
        self.restart()

    def restart(self) -> None:
        """Count from the next sequence on."""
        self._begun = 0
        self._chosen = 0

    def next(self) -> Look:
        """How to look at the sequence that begins."""
        block, place = divmod(self._begun, self._every)
        if place == 0:
            self._chosen = self._draw.randrange(self._every) if block else 0
        self._begun += 1
        if place != self._chosen:
            return Look.NOT_AT_ALL
        return Look.LISTEN if block % _OBSERVED else Look.OBSERVE
