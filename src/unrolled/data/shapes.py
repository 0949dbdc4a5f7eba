"""Pictures made by rule: clips of shapes that move, and images of shapes with a description."""

from __future__ import annotations

import numpy as np

from unrolled.data.example import Example, Examples, Source
from unrolled.data.generated import COUNT

SIDE = 24
"""Pixels of a frame's sides."""

_MOVES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def moving_shapes(length: int, seed: int) -> Examples:
    """Clips of one shape that moves up, down, left or right and comes back at the other side.

    It goes a pixel a frame. It is a square, a disc or a cross of random size, brightness and place, in frames
    of 24 × 24 noisy grey pixels. As it comes back, no single frame tells where it goes, nor do the first and
    the last together.

    Args:
        length: frames of a clip.
        seed: decides all that is random.
    """
    generator = np.random.default_rng((seed, length))
    items = []
    for row in range(1, COUNT + 1):
        label = str(generator.choice(list(_MOVES)))
        picture = _picture(
            str(generator.choice(_KINDS)),
            int(generator.integers(5, 10)),
            ground=generator.uniform(20, 80),
            brightness=generator.uniform(150, 230),
        )
        place = generator.integers(0, SIDE, size=2)
        shifts = place + np.arange(length)[:, None] * np.array(_MOVES[label])
        frames = np.stack([np.roll(picture, shift, axis=(0, 1)) for shift in shifts])
        noisy = frames + generator.normal(scale=10, size=frames.shape)
        clip = noisy.clip(0, 255).astype(np.uint8)[..., None]
        items.append(Example(clip, label, Source("moving-shapes", row, "label")))
    return Examples(tuple(items))


def described_shapes() -> Examples:
    """Images of one shape, each with a text such as "a large white cross at the top right".

    Images of 24 × 24 noisy grey pixels; two sizes, two shades, three kinds and four corners.
    """
    generator = np.random.default_rng(0)
    items = []
    for row in range(1, COUNT + 1):
        size, shade, kind, down, across = (str(generator.choice(names)) for names in _WORDS)
        pixels = int(generator.integers(4, 6) if size == "small" else generator.integers(9, 11))
        brightness = generator.uniform(*((90, 130) if shade == "grey" else (200, 240)))
        corner = np.array([down == "bottom", across == "right"]) * SIDE // 2
        shift = corner + generator.integers(0, SIDE // 2 - pixels + 1, size=2)
        picture = np.roll(_picture(kind, pixels, ground=30, brightness=brightness), shift, axis=(0, 1))
        noisy = picture + generator.normal(scale=8, size=picture.shape)
        image = noisy.clip(0, 255).astype(np.uint8)[..., None]
        text = f"a {size} {shade} {kind} at the {down} {across}"
        items.append(Example(image, text, Source("described-shapes", row, "text")))
    return Examples(tuple(items))


_KINDS = ("square", "disc", "cross")
_WORDS = (("small", "large"), ("grey", "white"), _KINDS, ("top", "bottom"), ("left", "right"))


def _picture(kind: str, size: int, *, ground: float, brightness: float) -> np.ndarray:
    """A shape in the corner of a frame."""
    across = np.abs(np.arange(size) - (size - 1) / 2) / (size / 2)
    down = across[:, None]
    shape = {
        "square": np.ones((size, size), dtype=bool),
        "disc": np.hypot(across, down) <= 1,
        "cross": np.minimum(np.broadcast_to(across, (size, size)), down) < 0.4,
    }[kind]
    picture = np.full((SIDE, SIDE), ground)
    picture[:size, :size][shape] = brightness
    return picture
