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
from faker import Faker

from benchmarks.quality.claim import chosen, data_folder, fewer, held
from benchmarks.quality.sentences import Sentence, field, names, scored, treebank, written

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
