"""Whether short texts, such as names, are read by characters, where nobody says what they are cut into."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np

from unrolled.data.example import Example
from unrolled.data.vocabulary import is_spaceless, split_words
from unrolled.tasks.baselines.base import FittedBaseline
from unrolled.tasks.baselines.linear import (
    CharacterGramLogistic,
    CharacterGramRidge,
    WordGramLogistic,
    WordGramRidge,
)
from unrolled.tasks.scores import number_scores

_SHORT = 2.0
"""Words of a text, on average, up to which its characters may say more."""
_FEWEST, _MOST = 20, 3000
"""Texts from which on it can be tried what says more, and by how many it is tried at most."""
_HELD_OUT = 5


def why_characters(examples: Sequence[Example], lowercase: bool) -> str | None:
    """Why texts are better read by characters, in a sentence for the user; None where words will do.

    Short texts, or so many of them spread evenly, are tried: a linear model of words, and one of characters,
    learn from four fifths of them, and the one that is better on the last fifth decides. Too few to try are
    read by characters where they are single words that hardly any two have in common.

    Args:
        examples: texts, each with a label or a number as its target.
        lowercase: whether they are read in lower case.
    """
    places = np.unique(np.linspace(0, len(examples) - 1, min(len(examples), _MOST)).astype(int))
    chosen = [examples[place] for place in places.tolist()]
    texts = [example.inputs.lower() if lowercase else example.inputs for example in chosen]
    targets = [example.target for example in chosen]
    if not all(isinstance(target, str | float | int) for target in targets) or is_spaceless("".join(texts)):
        return None
    length = fmean(len(text.split()) for text in texts)
    if not 0 < length <= _SHORT:
        return None
    if len(texts) < _FEWEST:
        if length > 1 or len(set(texts)) < 0.9 * len(texts):
            return None
        return "The texts are single words and are read by characters; set unit to words to change that."
    words, characters = _scores(texts, targets)
    if characters <= words:
        return None
    return (
        f"The texts are short, {length:.1f} words on average, and characters say more than words: a linear "
        f"model of them has {_named(targets)} of {characters:.2f} on a fifth of the training data, for "
        f"{words:.2f}. So they are read by characters; set unit to words to change that."
    )


def _scores(texts: Sequence[str], targets: Sequence[Any]) -> tuple[float, float]:
    """How well words, and characters, say what is to be predicted: 1 is best."""
    classes = isinstance(targets[0], str)
    rows: list[int] = np.random.default_rng(0).permutation(len(texts)).tolist()
    held_out = rows[::_HELD_OUT]
    kept = [row for place, row in enumerate(rows) if place % _HELD_OUT]
    if classes and len({targets[row] for row in kept}) < 2:
        return 0.0, 0.0
    methods: tuple[tuple[type[FittedBaseline], Any], ...] = (
        (WordGramLogistic if classes else WordGramRidge, split_words),
        (CharacterGramLogistic if classes else CharacterGramRidge, list),
    )
    found = []
    for method, cut in methods:
        fitted = method.fit([cut(texts[row]) for row in kept], [targets[row] for row in kept])
        predicted = fitted.predict([cut(texts[row]) for row in held_out])
        found.append(_score(predicted, [targets[row] for row in held_out]))
    return found[0], found[1]


def _score(predicted: Any, expected: Sequence[Any]) -> float:
    """The accuracy, or the share of the variance explained."""
    if isinstance(expected[0], str):
        return fmean(one == other for one, other in zip(predicted, expected, strict=True))
    return number_scores(np.array(expected, dtype=np.float64), predicted)["R2"]


def _named(targets: Sequence[Any]) -> str:
    return "an accuracy" if isinstance(targets[0], str) else "an R2"
