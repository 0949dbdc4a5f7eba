"""Make up names of places like those that there are, a character at a time.

    python examples/generate_names.py

Each name is a document of its own: the network learns where they begin and end too.
"""

import unrolled

FIRST = ("Nor", "Sut", "Wes", "Eas", "Ash", "Oak", "Har", "Bram", "Led", "King", "Thorn", "Red")
LAST = ("ton", "ham", "ley", "bury", "ford", "wick", "worth", "by")


def main() -> None:
    """Train on some of the names, print the scores beside the baseline, and write."""
    names = [first + last for first in FIRST for last in LAST]
    generator = unrolled.Generator(
        hidden_size=32,
        embedding_size=16,
        epochs=30,
        batch_size=8,
        window=12,
        learning_rate=0.01,
        patience=None,
    ).fit(names, dev=names[::5])
    print(generator.dev_evaluation)
    for seed in range(4):
        # A text ends where the network says so, or at this length.
        print("".join(generator.generate(length=12, temperature=0.7, seed=seed)))


if __name__ == "__main__":
    main()
