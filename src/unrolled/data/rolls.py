"""Piano rolls: at each step the set of notes that sound, as a vector of zeros and ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.buckets import Encoded
from unrolled.data.example import Example, Examples, Source
from unrolled.data.text import open_text
from unrolled.errors import DataError

LOWEST_KEY = 21
KEYS = 88
"""A piano's keys, A0 (MIDI note 21) to C8 (108)."""

_NOTES = range(LOWEST_KEY, LOWEST_KEY + KEYS)


def read_rolls(path: str | Path, *, split: str | None = None) -> Examples:
    """Sequences of sets of MIDI notes from JSON.

    The file holds a list of sequences, or an object with such a list for each split (`train`, `valid`,
    `test`, as the files of Boulanger-Lewandowski et al. 2012 are passed on); in `.jsonl` each line is a
    sequence. A sequence is a list of steps, a step the list of the notes that sound, -1 standing for none.

    Args:
        path: `.json` or `.jsonl`.
        split: which list to read from an object; `train` by default.

    Returns:
        Examples with inputs `(time, 88)` uint8 and no target.

    Raises:
        DataError: the file is missing, empty or not of this form, there is no such split, or a note is not
            on the piano.
    """
    with open_text(path) as file:
        if Path(path).suffix.lower() == ".jsonl":
            numbered = [
                (row, _json(path, row, line.strip())) for row, line in enumerate(file, 1) if line.strip()
            ]
        else:
            numbered = list(enumerate(_split(path, _json(path, 1, file.read()), split), start=1))
    items = tuple(
        Example(roll_of_notes(steps, source), None, source)
        for row, steps in numbered
        for source in [Source(path, row)]
    )
    if not items:
        raise DataError("expected sequences of notes, found none", path=path)
    return Examples(items)


def _json(path: str | Path, row: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"expected JSON, but {error.msg}", path=path, row=row + error.lineno - 1) from error


def _split(path: str | Path, content: Any, split: str | None) -> list[Any]:
    if isinstance(content, dict):
        name = split or "train"
        if name not in content:
            raise DataError(f"expected a split {name!r}, the file has {', '.join(content)}", path=path)
        content = content[name]
    if not isinstance(content, list):
        raise DataError("expected a list of sequences, each a list of steps", path=path)
    return content


def roll_of_notes(steps: Any, source: Source | None = None) -> np.ndarray:
    """A sequence of lists of MIDI notes as `(time, 88)` zeros and ones.

    Example:
        >>> roll_of_notes([[21, 108], []]).sum(axis=1)
        array([2, 0], dtype=uint64)
    """
    source = source or Source()
    if not isinstance(steps, list) or not all(isinstance(step, list) for step in steps):
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
