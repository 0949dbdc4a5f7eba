"""Clips of shapes that move: made by rule, to see whether a network tells which way."""

from __future__ import annotations

import numpy as np

from unrolled.data.example import Example, Examples, Source
from unrolled.data.generated import COUNT

SIDE = 24
"""Pixels of a frame's sides."""

_MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def moving_shapes(length: int, seed: int) -> Examples:
    """Clips of one shape that moves up, down, left or right, a pixel a frame, and comes back at the other side.

    A square, a disc or a cross of random size, brightness and place, in frames of 24 × 24 noisy grey pixels.
    As the shape comes back, no single frame tells where it goes, nor do the first and the last.

    Args:
        length: frames of a clip.
        seed: decides all that is random.
    """
    generator = np.random.default_rng((seed, length))
    items = []
    for row in range(1, COUNT + 1):
        label = str(generator.choice(list(_MOVES)))
        picture = _picture(generator)
        place = generator.integers(0, SIDE, size=2)
        shifts = place + np.arange(length)[:, None] * np.array(_MOVES[label])
        frames = np.stack([np.roll(picture, shift, axis=(0, 1)) for shift in shifts])
        noisy = frames + generator.normal(scale=10, size=frames.shape)
        clip = noisy.clip(0, 255).astype(np.uint8)[..., None]
        items.append(Example(clip, label, Source("moving-shapes", row, "label")))
    return Examples(tuple(items))


def _picture(generator: np.random.Generator) -> np.ndarray:
    """A shape in the corner of a frame."""
    size = int(generator.integers(5, 10))
    across = np.abs(np.arange(size) - (size - 1) / 2) / (size / 2)
    down = across[:, None]
    shape = {
        "square": np.ones((size, size), dtype=bool),
        "disc": np.hypot(across, down) <= 1,
        "cross": np.minimum(np.broadcast_to(across, (size, size)), down) < 0.4,
    }[str(generator.choice(["square", "disc", "cross"]))]
    ground, brightness = generator.uniform(20, 80), generator.uniform(150, 230)
    picture = np.full((SIDE, SIDE), ground)
    picture[:size, :size][shape] = brightness
    return picture
