"""Tell good reviews from bad ones where the order of the words decides.

    python examples/classify_reviews.py

"not good but fine" and "good but not fine" hold the same words, so what only counts words cannot tell them
apart; a recurrent network reads them in their order.
"""

import random

import unrolled

GOOD, BAD = ("fine", "funny", "moving"), ("dull", "long", "empty")


def reviews(count: int = 300) -> list[tuple[str, str]]:
    """Texts with their labels: what comes after "but" is what counts, and "not" turns it round."""
    draws = random.Random(0)
    made = []
    for _ in range(count):
        words, last = [], False
        for _ in range(2):
            good, turned = draws.random() < 0.5, draws.random() < 0.5
            words += ["but"] * bool(words) + ["not"] * turned + [draws.choice(GOOD if good else BAD)]
            last = good != turned
        made.append((" ".join(words), "good" if last else "bad"))
    return made


def main() -> None:
    """Train, print the scores beside the baselines, and ask for two texts."""
    classifier = unrolled.Classifier(
        hidden_size=16, embedding_size=8, dropout=0.0, epochs=24, learning_rate=0.02, patience=None
    )
    classifier.fit(reviews())
    print(classifier.dev_evaluation)
    for text in ("dull but not empty", "not dull but empty"):
        print(f"{text}: {classifier.predict([text])[0]}")


if __name__ == "__main__":
    main()
