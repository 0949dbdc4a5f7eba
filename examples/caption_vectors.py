"""Describe points in a text: one vector in, a sequence out.

    python examples/caption_vectors.py

A vector holds a size and a place; the text names both.
"""

import numpy as np

import unrolled


def points(count: int = 300) -> list[tuple[np.ndarray, str]]:
    """Vectors with what is said of them."""
    draws = np.random.default_rng(0)
    made = []
    for size, across, up in draws.uniform(-1, 1, (count, 3)):
        words = ["a", "large" if size > 0 else "small", "point", "on the", "right" if across > 0 else "left"]
        made.append(
            (
                np.array([size, across, up], dtype=np.float32),
                " ".join([*words, "above" if up > 0 else "below"]),
            )
        )
    return made


def main() -> None:
    """Train, print the scores beside the baselines, and describe a point."""
    captioner = unrolled.Captioner(
        hidden_size=32, embedding_size=16, epochs=15, learning_rate=0.02, dropout=0.0, patience=None
    ).fit(points())
    print(captioner.dev_evaluation)
    print(captioner.predict([np.array([0.8, -0.7, 0.6], dtype=np.float32)])[0])


if __name__ == "__main__":
    main()
