"""Small data sets made by rule, so that it is known what they ask of a network."""

from __future__ import annotations

import random
import string
from typing import Any

import numpy as np
import pandas as pd

Pairs = list[tuple[Any, Any]]

_NAMES = ["film", "plot", "cast", "score", "end"]


def negations(count: int, seed: int) -> Pairs:
    """Reviews whose words are the same: what "not" stands before decides."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        good = draw.random() < 0.5
        first, second = ("good", "bad") if good else ("bad", "good")
        noise = [draw.choice(_NAMES) for _ in range(draw.randint(2, 6))]
        made.append((" ".join([*noise, "not", second, "but", first]), "yes" if good else "no"))
    return made


def motifs(count: int, seed: int) -> Pairs:
    """DNA in which one motif comes before the other, or after it."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        before = draw.random() < 0.5
        letters = [draw.choice("ACGT") for _ in range(30)]
        one, two = ("TATA", "CGCG") if before else ("CGCG", "TATA")
        at, then = draw.randint(0, 10), draw.randint(15, 26)
        letters[at : at + 4], letters[then : then + 4] = list(one), list(two)
        made.append(("".join(letters), "before" if before else "after"))
    return made


def pulses(count: int, length: int, seed: int) -> Pairs:
    """Numbers whose first, and nothing else, is the answer."""
    draw = np.random.default_rng(seed)
    made: Pairs = []
    for _ in range(count):
        values = 0.3 * draw.standard_normal((length, 1))
        sign = int(draw.integers(0, 2))
        values[0] = 2.0 * sign - 1.0
        made.append((values, "up" if sign else "down"))
    return made


def sums(count: int, length: int, seed: int) -> Pairs:
    """Numbers and their mean: their order does not matter."""
    draw = np.random.default_rng(seed)
    values = [draw.random((length, 1)) for _ in range(count)]
    return [(each, float(each.mean())) for each in values]


def bags(count: int, seed: int) -> Pairs:
    """Texts that are of a class by one word in them, wherever it stands."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        label = draw.choice(["red", "blue"])
        words = [draw.choice(_NAMES) for _ in range(draw.randint(4, 9))]
        words[draw.randrange(len(words))] = "rose" if label == "red" else "sky"
        made.append((" ".join(words), label))
    return made


def previous_word(count: int, seed: int, back: int = 1, length: int = 12) -> Pairs:
    """Words whose tag is the kind of the word so many before."""
    draw = random.Random(seed)
    words = ["cat", "dog", "runs", "sleeps", "old", "grey"]
    kind = dict(zip(words, ["N", "N", "V", "V", "A", "A"], strict=True))
    made = []
    for _ in range(count):
        said = [draw.choice(words) for _ in range(length)]
        tags = ["-" if at < back else kind[said[at - back]] for at in range(length)]
        made.append((said, tags))
    return made


def own_word(count: int, seed: int) -> Pairs:
    """Words whose tag is their own kind."""
    return previous_word(count, seed, back=0)


def repeated_letter(lines: int, seed: int, length: int = 13) -> list[str]:
    """A text whose every line ends in the letter that it begins with."""
    draw = random.Random(seed)
    made = []
    for _ in range(lines):
        letters = [draw.choice(string.ascii_lowercase[:12]) for _ in range(length - 1)]
        made.append("".join([*letters, letters[0], "\n"]))
    return ["".join(made)]


def grammar(lines: int, seed: int) -> list[str]:
    """A text of small sentences, each of which ends in the word it began with."""
    draw = random.Random(seed)
    names = ["anna", "bert", "cleo", "dora"]
    verbs = ["sees", "likes", "finds"]
    made = []
    for _ in range(lines):
        who = draw.choice(names)
        made.append(f"{who} {draw.choice(verbs)} {draw.choice(names)} says {who}.\n")
    return ["".join(made)]


def season(length: int, seed: int) -> pd.DataFrame:
    """A series that repeats every twelve steps, with some noise."""
    draw = np.random.default_rng(seed)
    steps = np.arange(length)
    wave = 10 + 3 * np.sin(2 * np.pi * steps / 12) + np.cos(2 * np.pi * steps / 6)
    return pd.DataFrame({"ds": steps, "y": wave + 0.3 * draw.standard_normal(length)})


def reversed_words(count: int, seed: int) -> Pairs:
    """Letters, and the same letters from the end."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        letters = [draw.choice("abcdef") for _ in range(draw.randint(3, 6))]
        made.append((" ".join(letters), " ".join(reversed(letters))))
    return made


def described(count: int, seed: int) -> Pairs:
    """Two numbers, and whether each is low or high in words."""
    draw = np.random.default_rng(seed)
    made: Pairs = []
    for _ in range(count):
        one, two = draw.random(2)
        said = f"{'high' if one > 0.5 else 'low'} then {'high' if two > 0.5 else 'low'}"
        made.append(([float(one), float(two)], said))
    return made
