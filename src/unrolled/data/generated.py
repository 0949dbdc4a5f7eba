"""Sequences made by rule, on which the literature tests what a recurrent network can learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unrolled.data.example import Example, Examples, Source

COUNT = 2000
"""The sequences in a generated set."""


def adding(length: int, seed: int) -> Examples:
    """Add the two marked numbers.

    Hochreiter and Schmidhuber 1997, experiment 4, in the form of Le et al. 2015.

    Each step has a number drawn from 0 to 1 and a mark; one step of the first half and one of the second are
    marked. The target is the sum of the two, as a number; always answering 1 has the mean squared error
    0.167.
    """
    generator = np.random.default_rng((seed, length))
    items = []
    for row in range(1, COUNT + 1):
        numbers = generator.random(length)
        marks = np.zeros(length)
        half = length // 2
        marked = [int(generator.integers(0, half)), int(generator.integers(half, length))]
        marks[marked] = 1.0
        values = np.stack([numbers, marks], axis=1)
        items.append(Example(values, float(numbers[marked].sum()), Source("adding", row, "target")))
    return Examples(tuple(items))


def temporal_order(length: int, seed: int) -> Examples:
    """Classify by the order of two symbols far apart: Hochreiter and Schmidhuber 1997, experiment 6a.

    A text of single letters: E, then a, b, c or d at random, but for X or Y at two places, then B. With the
    paper's length of 100 the text has 100 to 110 letters, the first place is among letters 10 to 20 and the
    second among 50 to 60; other lengths stretch all of these. The four classes are Q (X, X), R (X, Y), S
    (Y, X) and U (Y, Y).
    """
    generator = np.random.default_rng((seed, length))
    classes = {"XX": "Q", "XY": "R", "YX": "S", "YY": "U"}
    items = []
    for row in range(1, COUNT + 1):
        letters = generator.choice(list("abcd"), size=int(generator.integers(length, length * 11 // 10 + 1)))
        first = int(generator.integers(length // 10, length // 5 + 1))
        second = int(generator.integers(length // 2, length * 3 // 5 + 1))
        pair = generator.choice(["X", "Y"], size=2)
        letters[[first, second]] = pair
        letters[0], letters[-1] = "E", "B"
        items.append(
            Example(" ".join(letters), classes["".join(pair)], Source("temporal-order", row, "label"))
        )
    return Examples(tuple(items))


def copy(length: int, seed: int) -> Examples:
    """Remember ten symbols over a long pause: Hochreiter and Schmidhuber 1997 as in Arjovsky et al. 2016.

    Ten digits from 1 to 8, `length - 1` blanks (`_`), a signal (`:`), ten blanks. Each step's tag is a
    blank, but for the last ten, whose tags are the digits.
    """
    generator = np.random.default_rng((seed, length))
    items = []
    for row in range(1, COUNT + 1):
        digits = tuple(map(str, generator.integers(1, 9, size=10)))
        words = (*digits, *["_"] * (length - 1), ":", *["_"] * 10)
        items.append(Example(words, (*["_"] * (length + 10), *digits), Source("copy", row, "tags")))
    return Examples(tuple(items))


def sorting(length: int, seed: int) -> Examples:
    """Sort numbers: each step's tag is the number that belongs there in ascending order.

    A list has 5 to `length` numbers of two digits. The whole list must be read before the first number is
    known, so a tagger needs both directions.
    """
    items = []
    for row, words, tags in _lists(COUNT, length, seed):
        items.append(Example(words, tags, Source("sorting", row, "tags")))
    return Examples(tuple(items))


def sorting_pairs(length: int, seed: int) -> Examples:
    """Sort numbers: a list as the source, the sorted one as the target.

    There are many of them, or a network would learn the lists rather than how to sort.
    """
    items = []
    for row, words, ordered in _lists(25 * COUNT, length, seed):
        items.append(Example(" ".join(words), " ".join(ordered), Source("sorting", row)))
    return Examples(tuple(items))


def _lists(count: int, length: int, seed: int) -> Iterator[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """The number of a list, counted from 1, the list, and the sorted list."""
    generator = np.random.default_rng((seed, length))
    for row in range(1, count + 1):
        numbers = generator.integers(10, 100, size=int(generator.integers(min(5, length), length + 1)))
        yield row, tuple(map(str, numbers)), tuple(map(str, np.sort(numbers)))


def deep() -> Examples:
    """The word d, e, e, p, each letter tagged with the one that follows it, the last one with `stop`."""
    return Examples((Example(("d", "e", "e", "p"), ("e", "e", "p", "stop"), Source("deep", 1, "tags")),))
