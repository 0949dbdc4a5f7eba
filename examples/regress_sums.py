"""Add the two numbers of a sequence that are marked, and forget the others: the adding problem.

    python examples/regress_sums.py

Of Hochreiter & Schmidhuber (1997). Each step holds a number and a mark; without a memory one would guess the
mean of all sums. An array (sequences, time, 2) goes in, a number for each sequence comes out.
"""

import numpy as np

import unrolled


def marked_numbers(count: int = 600, steps: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Sequences ``(count, steps, 2)`` and their sums."""
    draws = np.random.default_rng(0)
    numbers, marks = draws.uniform(0, 1, (count, steps)), np.zeros((count, steps))
    for row in marks:
        row[draws.choice(steps, 2, replace=False)] = 1
    return np.stack([numbers, marks], -1).astype(np.float32), (numbers * marks).sum(1)


def main() -> None:
    """Train, and print the scores beside the baselines."""
    inputs, sums = marked_numbers()
    regressor = unrolled.Regressor(
        cell="gru", hidden_size=32, epochs=20, learning_rate=0.02, dropout=0.0, patience=None
    )
    regressor.fit(inputs[:500], sums[:500])
    print(regressor.evaluate(inputs[500:], sums[500:]))
    print(f"asked for {sums[500]:.2f}, got {float(regressor.predict(inputs[500:501])[0]):.2f}")


if __name__ == "__main__":
    main()
