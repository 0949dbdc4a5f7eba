"""MIDI files and tunes in ABC notation, through the library symusic (extra `music`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.midi_chunks import sequences_of_midi
from unrolled.data.rolls import KEYS, LOWEST_KEY
from unrolled.data.text import existing_file
from unrolled.data.tones import Tone, tones_of_roll
from unrolled.errors import DataError, MissingDependencyError

MIDI_SUFFIXES = (".mid", ".midi")
_TICKS = 480
"""Of a quarter note, in files that are written."""
_VELOCITY = 80


def read_midi(path: str | Path, steps_per_beat: int) -> list[np.ndarray]:
    """The piano rolls of a MIDI file, each from its first note to the end of its last one.

    A file of format 2 holds several sequences, which are not played together; others hold one.

    All instruments together but the drums; notes that a piano does not have are left out. How loud, and
    whether a note is held or struck again, a roll does not tell.

    Args:
        path: `.mid` or `.midi`.
        steps_per_beat: the steps of a quarter note; notes begin and end at the nearest ones.

    Returns:
        `(time, 88)` uint8, for each sequence with notes.

    Raises:
        DataError: the file is missing or broken, or has no notes.
        MissingDependencyError: the extra `music` is not installed.
    """
    symusic = _library()
    try:
        scores = [
            symusic.Score.from_midi(each) for each in sequences_of_midi(existing_file(path).read_bytes())
        ]
    except (RuntimeError, ValueError) as error:
        raise DataError(
            "expected a MIDI file, found one that is broken or cut off, or none",
            path=path,
            remedy="mend it or leave it out",
        ) from error
    found = [roll for score in scores if (roll := _roll_of(score, steps_per_beat)) is not None]
    if not found:
        drums = any(score.tracks for score in scores)
        raise DataError(
            "expected notes, found none but drums" if drums else "expected notes, found none",
            path=path,
            remedy="leave it out",
        )
    return found


def _roll_of(score: Any, steps_per_beat: int) -> np.ndarray | None:
    """The roll of all tracks together; None where a piano has nothing to play."""
    notes = [note for track in score.tracks if not track.is_drum for note in track.notes]
    found = np.array([(note.start, note.end, note.pitch - LOWEST_KEY) for note in notes]).reshape(-1, 3)
    found = found[(found[:, 2] >= 0) & (found[:, 2] < KEYS)]
    if not len(found):
        return None
    steps = np.round(found[:, :2] * steps_per_beat / score.tpq).astype(int)
    begins, ends = steps[:, 0], np.maximum(steps[:, 1], steps[:, 0] + 1)
    roll = np.zeros((ends.max() - begins.min(), KEYS), dtype=np.uint8)
    for begin, end, key in zip(begins - begins.min(), ends - begins.min(), found[:, 2], strict=True):
        roll[begin:end, key] = 1
    return roll


def midi_of_roll(roll: np.ndarray, steps_per_beat: int, tempo: float) -> bytes:
    """A MIDI file of a roll `(time, 88)`; a note that goes on over steps is held.

    Args:
        roll: zeros and ones.
        steps_per_beat: the steps of a quarter note.
        tempo: quarter notes a minute.

    Raises:
        MissingDependencyError: the extra `music` is not installed.
    """
    symusic = _library()
    score, track = symusic.Score(_TICKS), symusic.Track(name="piano")
    step = _TICKS / steps_per_beat
    for tone in sorted(tones_of_roll(roll, 1)):
        start, end = round(tone.start * step), round((tone.start + tone.seconds) * step)
        track.notes.append(symusic.Note(start, end - start, tone.pitch, _VELOCITY))
    score.tracks.append(track)
    score.tempos.append(symusic.Tempo(0, qpm=tempo))
    return score.dumps_midi()


def tones_of_abc(tune: str) -> list[Tone]:
    """The tones of a tune in ABC notation; what cannot be read as a note is passed over.

    Args:
        tune: the header and the notes.

    Raises:
        DataError: there is no note in it.
        MissingDependencyError: the extra `music` is not installed.
    """
    symusic = _library()
    try:
        with _without_output():
            score = symusic.Score.from_abc(tune).to("second")
    except (RuntimeError, ValueError) as error:
        raise DataError(f"expected a tune in ABC notation, got {tune!r:.60}") from error
    tones = [
        Tone(note.start, note.duration, note.pitch)
        for track in score.tracks
        for note in track.notes
        if not track.is_drum
    ]
    if not tones:
        raise DataError(f"expected a tune in ABC notation, found no notes in {tune!r:.60}")
    return tones


def _library() -> Any:
    try:
        import symusic
    except ImportError as error:
        raise MissingDependencyError.of("MIDI and the sound of ABC notation", extra="music") from error
    return symusic


@contextmanager
def _without_output() -> Iterator[None]:
    """Nothing written to this process' standard output inside the `with`, by programs it starts either.

    symusic has ABC notation read by abc2midi, which prints there what it thinks of each line.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
