"""A small training of every task, and its data in files."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

WORDS = ("good", "bad", "film", "dull", "fine", "the", "a", "very", "quite", "plot")
SMALL = ("--hidden-size", "4", "--epochs", "3", "--device", "cpu", "--save-every", "0.000001")
"""A checkpoint after every batch: a random moment then often falls into one."""


@dataclass(frozen=True)
class Subject:
    """A training.

    Attributes:
        task: which one.
        data: its file.
        options: its flags.
    """

    task: str
    data: Path
    options: tuple[str, ...] = ()

    def words(self, folder: Path, *more: str) -> tuple[str | Path, ...]:
        """The command line that trains it into a folder."""
        return "train", self.task, self.data, "-o", folder, *SMALL, *self.options, *more


def subjects(folder: Path) -> list[Subject]:
    """One for every task; the files go to ``folder``."""
    draws = random.Random(3)

    def sentence(least: int = 1, most: int = 8) -> str:
        return " ".join(draws.choice(WORDS) for _ in range(draws.randint(least, most)))

    def lines(name: str, entries: list[dict[str, object]]) -> Path:
        path = folder / name
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        return path

    texts = [sentence() for _ in range(40)]
    series = "".join(f"{step},{10 + step % 7 + draws.random():.3f}\n" for step in range(150))
    (folder / "series.csv").write_text(f"ds,y\n{series}")
    (folder / "book.txt").write_text("\n".join(sentence(20, 60) for _ in range(30)))
    few = ("--batch-size", "8")
    return [
        Subject(
            "classify", lines("classes.jsonl", [{"text": each, "label": each[0]} for each in texts]), few
        ),
        Subject(
            "regress", lines("lengths.jsonl", [{"text": each, "label": len(each)} for each in texts]), few
        ),
        Subject(
            "tag",
            lines(
                "tags.jsonl",
                [{"tokens": each.split(), "tags": [word[0] for word in each.split()]} for each in texts],
            ),
            few,
        ),
        Subject("generate", folder / "book.txt", ("--batch-size", "4", "--window", "64")),
        Subject("forecast", folder / "series.csv", ("--horizon", "3")),
        Subject(
            "translate",
            lines(
                "pairs.jsonl",
                [{"source": each, "target": " ".join(reversed(each.split()))} for each in texts],
            ),
            few,
        ),
        Subject(
            "caption",
            lines("captions.jsonl", [{"kind": draws.choice(("cat", "dog")), "text": each} for each in texts]),
            few,
        ),
    ]
