"""What texts are cut into, where the user does not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

_SPACED = 1.5
"""Words of a mean text from which on spaces are taken to separate symbols."""
_RARE = 0.05
"""The share of words seen once from which on a list of words would leave too much unknown."""


def guess_unit(texts: Sequence[str]) -> Literal["word", "character", "bpe"]:
    """Characters where texts have no spaces, words where few are rare, else byte pairs.

    Example:
        >>> [guess_unit(texts) for texts in (["ada", "alan"], ["to be", "be to"], ["one of a kind"])]
        ['character', 'word', 'bpe']
    """
    counts = Counter(word for text in texts for word in text.split())
    words = counts.total()
    if words < _SPACED * len(texts):
        return "character"
    once = sum(count == 1 for count in counts.values())
    return "word" if once <= _RARE * words else "bpe"
