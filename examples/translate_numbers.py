"""Translate numerals into figures: a sequence for a sequence, of another length.

    python examples/translate_numbers.py

The decoder writes a character at a time and looks with attention at what it writes it from.
"""

import unrolled

ONES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def numerals() -> list[tuple[str, str]]:
    """From "two hundred twenty one" to "221"."""
    made = []
    for number in range(200, 1000):
        hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
        if tens != 1:
            words = [ONES[hundreds], "hundred", TENS[tens], ONES[ones]]
            made.append((" ".join(filter(None, words)), str(number)))
    return made


def main() -> None:
    """Train on most of them, print the scores beside the baselines, and translate what was held out."""
    pairs = numerals()
    train, held_out = [pair for place, pair in enumerate(pairs) if place % 7], pairs[::7]
    translator = unrolled.Translator(
        unit="word",
        target_unit="character",
        hidden_size=32,
        embedding_size=16,
        epochs=12,
        learning_rate=0.02,
        dropout=0.0,
    ).fit(train, dev=held_out)
    print(translator.dev_evaluation)
    for words, figures in held_out[:3]:
        print(f"{words}: {translator.predict([words])[0]} (right: {figures})")


if __name__ == "__main__":
    main()
