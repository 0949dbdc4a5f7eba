"""Tags of short sentences: beside a conditional random field on words, endings and neighbours.

    python -m benchmarks.quality.tagging DATA_FOLDER [--quick] [slots | names | upos ...]

The slots are those of generated requests for flights (names of places and people by the package Faker,
words left out and letters exchanged), the names are runs of proper nouns in English from the web (UD EWT),
most of which occur in one sentence alone, and the parts of speech are learned from 1,800 of its sentences.
The peer is CRFsuite, by the package python-crfsuite.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pycrfsuite
from faker import Faker

from benchmarks.quality.claim import chosen, data_folder, fewer, held
from unrolled.tasks.spans import span_scores

Sentence = list[tuple[str, str]]
"""Pairs of a word and its tag."""

REQUESTS = (
    "show me {cost} flights from {city:from} to {city:to} on {day:date}",
    "i need a flight from {city:from} to {city:to} leaving {part} with {airline:airline}",
    "what is the {cost} fare from {city:from} to {city:to} {day:date}",
    "which {airline:airline} flights arrive in {city:to} before {clock:before}",
    "book {person:passenger} on a flight to {city:to} departing after {clock:after} on {day:date}",
    "list flights between {city:from} and {city:to} with a stop in {city:stop}",
    "does {airline:airline} fly from {city:from} to {city:to} via {city:stop} {part}",
    "i want to fly {city:from} {city:to} {day:date} return {day:return}",
    "is there ground transportation in {city:place} for {person:passenger}",
    "cancel the {clock:departure} flight to {city:to} and take the one {part}",
    "how far is the airport of {city:place} from {city:place}",
    "{city:from} to {city:to} please {day:date} not before {clock:after}",
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "tomorrow", "next week")
COSTS = ("cheapest", "first class", "round trip", "nonstop", "lowest", "one way")
PARTS = ("in the morning", "late at night", "in the early afternoon", "this evening")


LEFT_OUT, MISTYPED = 0.3, 0.05
"""The share of words outside slots that are left out, and of all words two of whose letters change places."""


def slots(count: int, seed: int) -> Iterator[Sentence]:
    """Requests as people type them, every slot of which stands as B-, I- before its name."""
    draw, fake = np.random.default_rng(seed), Faker("en_US")
    fake.seed_instance(seed)
    kinds = {
        "city": fake.city,
        "person": fake.name,
        "airline": lambda: f"{fake.last_name()} {draw.choice(['air', 'airlines', 'airways', ''])}".strip(),
        "clock": lambda: f"{draw.integers(1, 13)} {draw.choice(['am', 'pm', 'oclock', 'thirty'])}",
        "day": lambda: f"{draw.choice(DAYS)} {draw.choice(['', 'the ' + str(draw.integers(1, 31))])}".strip(),
        "cost": lambda: str(draw.choice(COSTS)),
        "part": lambda: str(draw.choice(PARTS)),
    }

    def mistyped(word: str) -> str:
        at = int(draw.integers(max(1, len(word) - 1)))
        return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]

    for _ in range(count):
        sentence: Sentence = []
        for piece in str(draw.choice(REQUESTS)).replace("{", "\n{").replace("}", "}\n").split("\n"):
            kind, _, slot = piece.strip("{}").partition(":")
            filled = piece.startswith("{")
            words = (kinds[kind]() if filled else piece).lower().split()
            words = [word for word in words if filled or draw.random() >= LEFT_OUT]
            name = slot or kind
            sentence += [
                (
                    mistyped(word) if draw.random() < MISTYPED else word,
                    f"{'I' if place else 'B'}-{name}" if filled else "O",
                )
                for place, word in enumerate(words)
            ]
        yield sentence


def treebank(folder: Path, part: str) -> Iterator[Sentence]:
    """The words of UD EWT with their parts of speech."""
    text = (folder / "ud_english_ewt" / f"en_ewt-ud-{part}.conllu").read_text()
    for block in text.strip().split("\n\n"):
        rows = [line.split("\t") for line in block.split("\n") if line[0] != "#"]
        yield [(row[1], row[3]) for row in rows if row[0].isdigit()]


def names(sentence: Sentence) -> Sentence:
    """Runs of proper nouns as spans."""
    tags, before = [], ""
    for _, kind in sentence:
        proper = kind == "PROPN"
        tags.append(("I-name" if before == "PROPN" else "B-name") if proper else "O")
        before = kind
    return [(word, tag) for (word, _), tag in zip(sentence, tags, strict=True)]


def features(words: list[str], at: int) -> dict[str, float | str]:
    """What the conditional random field sees of a word."""
    found: dict[str, float | str] = {"bias": 1.0}
    for away in (-2, -1, 0, 1, 2):
        word = words[at + away] if 0 <= at + away < len(words) else "<none>"
        shape = "".join(
            "X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word
        )
        found |= {f"{away} word": word.lower(), f"{away} shape": shape[:8]}
        if not away:
            found |= {f"ending {size}": word[-size:].lower() for size in (1, 2, 3, 4)}
            found |= {f"beginning {size}": word[:size].lower() for size in (1, 2, 3)}
    return found


def field(train: list[Sentence], test: list[Sentence]) -> list[list[str]]:
    """The tags by a conditional random field, with CRFsuite's usual penalties."""
    seen = lambda sentence: [features([w for w, _ in sentence], at) for at in range(len(sentence))]  # noqa: E731
    trainer = pycrfsuite.Trainer(verbose=False)
    for sentence in train:
        trainer.append(seen(sentence), [tag for _, tag in sentence])
    trainer.set_params({"c1": 0.1, "c2": 0.1, "max_iterations": 100, "feature.possible_transitions": True})
    with tempfile.TemporaryDirectory() as folder:
        trainer.train(f"{folder}/crf")
        tagger = pycrfsuite.Tagger()
        tagger.open(f"{folder}/crf")
        return [tagger.tag(seen(sentence)) for sentence in test]


def written(path: Path, sentences: list[Sentence]) -> str:
    """Two columns, a word and its tag, an empty line after each sentence."""
    path.write_text("\n".join("".join(f"{word}\t{tag}\n" for word, tag in each) for each in sentences))
    return str(path)


def scored(expected: list[list[str]], predicted: list[list[str]], score: str) -> float:
    """The F1 of spans, or the share of tags that are right."""
    if score == "span F1":
        return span_scores(expected, predicted).f1
    pairs = [pair for each in zip(expected, predicted, strict=True) for pair in zip(*each, strict=True)]
    return float(np.mean([one == other for one, other in pairs]))


def sets(folder: Path) -> dict[str, tuple[list[Sentence], list[Sentence], str, float]]:
    """By name the training part, the test part, the score and its bar."""
    train, test = (list(treebank(folder, part)) for part in ("train", "test"))
    # From all over the training part, whose sentences stand by genre and document.
    spread = [train[at] for at in np.linspace(0, len(train) - 1, 5_200).astype(int)]
    return {
        "slots": (list(slots(4_500, 0)), list(slots(900, 1)), "span F1", 0.955),
        "names": (list(map(names, spread[:3_400])), list(map(names, test)), "span F1", 0.0),
        "upos": (spread[3_400:], test, "accuracy", 0.95),
    }


data = sets(data_folder())
good = []
for name in chosen(data):
    train, test, score, bar = data[name]
    train, test = fewer(train), fewer(test)
    expected = [[tag for _, tag in sentence] for sentence in test]
    peer = scored(expected, field(train, test), score)
    with tempfile.TemporaryDirectory() as folder:
        files = [
            written(Path(folder) / f"{part}.conll", rows) for part, rows in (("train", train), ("test", test))
        ]
        good.append(
            held(
                score,
                bar or peer,
                ["tag", files[0], "--test", files[1]],
                better="more",
                name=f"{name}, {len(train):,} sentences",
                peers={"conditional random field": peer},
            )
        )
raise SystemExit(0 if all(good) else 1)
