"""`unrolled.Regressor`: a number for a whole sequence."""

from __future__ import annotations

from typing import ClassVar

from unrolled.tasks.classification.config import RegressConfig
from unrolled.tasks.classification.one_target import OneTarget


class Regressor(OneTarget):
    """Predict a number for a text, a sequence of numbers, a recording, an image or a clip.

    Data is as for `unrolled.Classifier`, with numbers for labels.

    Example:
        >>> lengths = [("a " * words, words / 2) for words in range(1, 9)]
        >>> regressor = Regressor(hidden_size=8, epochs=60, learning_rate=0.02, patience=None)
        >>> short, long = regressor.fit(lengths, dev=lengths).predict(["a a", "a a a a a a a"])
        >>> short < long
        True
    """

    task: ClassVar[str] = "regress"
    Config = RegressConfig
