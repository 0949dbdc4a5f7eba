"""Piano rolls: at each step the set of notes that sound, as a vector of zeros and ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.data.buckets import Encoded
from unrolled.data.example import Source

LOWEST_KEY = 21
KEYS = 88
"""A piano's keys, A0 (MIDI note 21) to C8 (108)."""

_NOTES = range(LOWEST_KEY, LOWEST_KEY + KEYS)


def roll_of_notes(steps: Any, source: Source | None = None) -> np.ndarray:
    """A sequence of lists of MIDI notes as `(time, 88)` zeros and ones.

    Example:
        >>> roll_of_notes([[21, 108], []]).sum(axis=1)
        array([2, 0], dtype=uint64)
    """
    source = source or Source()
    if not isinstance(steps, list | tuple) or not all(isinstance(step, list | tuple) for step in steps):
        raise source.error("expected a list of steps, each a list of notes")
    roll = np.zeros((len(steps), KEYS), dtype=np.uint8)
    for step, notes in enumerate(steps):
        for note in notes:
            if note == -1:
                continue
            if note not in _NOTES:
                raise source.error(f"expected MIDI notes from 21 to 108, got {note!r:.60} at step {step + 1}")
            roll[step, int(note) - LOWEST_KEY] = 1
    return roll


def notes_of_roll(roll: np.ndarray) -> list[list[int]]:
    """The MIDI notes of every step of a roll `(time, 88)`.

    Example:
        >>> notes_of_roll(roll_of_notes([[60, 64], []]))
        [[60, 64], []]
    """
    return [(np.flatnonzero(step) + LOWEST_KEY).tolist() for step in roll]


def predict_next(roll: np.ndarray) -> Encoded:
    """A roll `(time, feature)` to be predicted step by step, the first step from silence.

    Example:
        >>> item = predict_next(np.array([[1, 0], [0, 1]], dtype=np.uint8))
        >>> item.inputs["values"].tolist(), item.target.tolist()
        ([[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    """
    values = roll.astype(np.float32)
    return Encoded({"values": np.concatenate([np.zeros_like(values[:1]), values[:-1]])}, values)
