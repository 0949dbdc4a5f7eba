"""Surnames of 18 languages, those of the package Faker: beside a linear model of their characters.

Of each language that is written in Latin letters up to 1,000 names, without their accents; the last fifth of
a shuffled order is the test part.
"""

import csv
import importlib
import pkgutil
import tempfile
import unicodedata
from pathlib import Path

import faker.providers.person
import numpy as np

from benchmarks.quality.claim import claim, fewer

LANGUAGES = 18
MOST = 1000


def surnames() -> list[tuple[str, str]]:
    """Pairs of a name and its language, of the languages that have most."""
    names: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(faker.providers.person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        own = (getattr(provider, name) for name in dir(provider) if name.startswith("last_names"))
        found = {str(surname) for each in own for surname in each}
        plain = {"".join(c for c in unicodedata.normalize("NFD", each) if c.isascii()) for each in found}
        if found and sum(map(len, plain)) > 0.8 * sum(map(len, found)):  # else in another script
            names.setdefault(module.name[:2], set()).update(each for each in plain if len(each) > 1)
    most = sorted(names, key=lambda language: (-len(names[language]), language))[:LANGUAGES]
    order = np.random.default_rng(0)
    return [
        (name, language)
        for language in sorted(most)
        for name in order.permutation(sorted(names[language]))[:MOST].tolist()
    ]


pairs = fewer(surnames(), 2)
shuffled = [pairs[row] for row in np.random.default_rng(0).permutation(len(pairs))]
cut = len(shuffled) * 4 // 5
with tempfile.TemporaryDirectory() as folder:
    tables = {split: Path(folder) / f"{split}.csv" for split in ("train", "test")}
    for table, rows in zip(tables.values(), (shuffled[:cut], shuffled[cut:]), strict=True):
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([("surname", "language"), *rows])
    claim("accuracy", 0.5, ["classify", str(tables["train"]), "--test", str(tables["test"])], better="more")
