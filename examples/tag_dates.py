"""Find the dates in sentences: a tag for every word, whose meaning depends on its neighbours.

    python examples/tag_dates.py

"may" is a month after a number and a verb elsewhere, "march" likewise; B-DATE begins a date, I-DATE goes on.
"""

import random

import unrolled

MONTHS = ("may", "march", "june")
PLAIN = ("we", "may", "march", "home", "rest", "they", "8", "men", "often", "meet")


def sentences(count: int = 200) -> list[tuple[list[str], list[str]]]:
    """Words with their tags."""
    draws = random.Random(0)
    made = []
    for _ in range(count):
        before, after = (draws.choices(PLAIN, k=draws.randint(1, 4)) for _ in range(2))
        date = ["on", str(draws.randint(1, 28)), draws.choice(MONTHS)]
        tags = ["O"] * (len(before) + 1) + ["B-DATE", "I-DATE"] + ["O"] * len(after)
        made.append((before + date + after, tags))
    return made


def main() -> None:
    """Train, print the scores beside the baselines, and tag two sentences."""
    tagger = unrolled.Tagger(
        hidden_size=16, embedding_size=8, epochs=12, learning_rate=0.02, dropout=0.0, patience=None
    ).fit(sentences())
    print(tagger.dev_evaluation)
    for sentence in ("we meet on 3 may", "8 men may march home"):
        words = sentence.split()
        tags = tagger.predict([words])[0]
        print(" ".join(f"{word}/{tag}" for word, tag in zip(words, tags, strict=True)))


if __name__ == "__main__":
    main()
