"""Whether a model has learned: its loss beside its own start, the best constant answer and simple methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from unrolled.diagnosis.result import Result

Level = Literal["above", "at", "below"]

_LEARNED = 0.9
"""Of the loss of the best constant answer, or of an untrained network: what has learned has less."""
_ALIKE = 0.02
"""Scores that differ by a smaller share are alike."""


@dataclass(frozen=True, slots=True)
class Learning(Result):
    """What a model has learned.

    Attributes:
        loss: its mean loss.
        start: that of the same network before training; None where it is not known.
        chance: that of the best constant answer; None where it is not known.
        score: its monitored score; None where it was not taken.
        monitor: the name of that score, and `mode` its better direction.
        baselines: the same score of the simple methods, by name.
        unordered: the names of those that make nothing of the order of the steps.
    """

    loss: float
    start: float | None = None
    chance: float | None = None
    score: float | None = None
    monitor: str = "loss"
    mode: Literal["min", "max"] = "min"
    baselines: Mapping[str, float] = field(default_factory=dict)
    unordered: tuple[str, ...] = ()

    @property
    def rival(self) -> str | None:
        """The best of the simple methods; None where there is none."""
        if not self.baselines:
            return None
        best = min if self.mode == "min" else max
        return best(self.baselines, key=self.baselines.__getitem__)

    @property
    def level(self) -> Level | None:
        """Where its score lies beside the best simple one; None where one of the two is not known.

        Example:
            >>> Learning(1.0, score=0.9, monitor="accuracy", mode="max", baselines={"majority": 0.5}).level
            'above'
        """
        return None if self.rival is None else self._beside(self.rival)

    @property
    def as_good_without_order(self) -> str | None:
        """A simple method that does as well and makes nothing of the order of the steps; None: none does."""
        return next((name for name in self.unordered if self._beside(name) in ("at", "below")), None)

    def _beside(self, name: str) -> Level | None:
        other = self.baselines.get(name)
        if self.score is None or other is None:
            return None
        better = other - self.score if self.mode == "min" else self.score - other
        if abs(better) <= _ALIKE * abs(other):
            return "at"
        return "above" if better > 0 else "below"

    @property
    def learned(self) -> bool:
        """Whether it is better by a tenth than the best constant answer, or if that is not known, its start.

        Where no constant answer says otherwise, what is no worse than the best simple method has learned,
        too, and what is better by a tenth than the worst of several.
        """
        if self.chance:
            return self.loss < _LEARNED * self.chance
        if self.level in ("above", "at") or self._beyond_the_worst:
            return True
        return self.start is not None and self.loss < _LEARNED * self.start

    @property
    def _beyond_the_worst(self) -> bool:
        if len(self.baselines) < 2 or self.score is None:
            return False
        worst = (max if self.mode == "min" else min)(self.baselines.values())
        better = worst - self.score if self.mode == "min" else self.score - worst
        return better > (1 - _LEARNED) * abs(worst)
