"""Music as tones in time, and how it sounds: a preview as a WAV file."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from unrolled.data.rolls import LOWEST_KEY

SAMPLING_RATE = 22_050
_OVERTONES = (1.0, 0.5, 0.25, 0.12, 0.06)
"""Loudness of a tone's partials: each half the one below it, as of a soft string."""
_ATTACK, _RELEASE, _DECAY = 0.01, 0.08, 1.2
"""Seconds in which a tone sets in and dies away, and in which a held one falls to a third."""
_A4, _CONCERT_PITCH = 69, 440.0


class Tone(NamedTuple):
    """A note that sounds: when it begins, how long it lasts, and its MIDI note.

    Attributes:
        start: in seconds.
        seconds: its length.
        pitch: the MIDI note.
    """

    start: float
    seconds: float
    pitch: int


def tones_of_roll(roll: np.ndarray, seconds: float) -> list[Tone]:
    """The tones of a roll `(time, 88)`: a note that goes on over steps is one tone.

    Args:
        roll: zeros and ones.
        seconds: the length of a step.

    Example:
        >>> from unrolled.data.rolls import roll_of_notes
        >>> tones_of_roll(roll_of_notes([[60], [60, 64], [64], [60]]), 0.5)
        [Tone(start=0.0, seconds=1.0, pitch=60), Tone(start=1.5, seconds=0.5, pitch=60), \
Tone(start=0.5, seconds=1.0, pitch=64)]
    """
    silence = np.zeros((1, roll.shape[1]), dtype=np.int8)
    changes = np.diff(np.concatenate([silence, roll.astype(np.int8), silence]), axis=0)
    # Transposed, so that the beginnings and the ends of a key come in the same order.
    keys, begins = np.nonzero(changes.T > 0)
    _, ends = np.nonzero(changes.T < 0)
    return [
        Tone(float(begin * seconds), float((end - begin) * seconds), int(key) + LOWEST_KEY)
        for key, begin, end in zip(keys, begins, ends, strict=True)
    ]


def wav_of_tones(tones: Iterable[Tone]) -> bytes:
    """A WAV file, mono with 16 bits, of tones of a plain synthesiser; of no tones one of silence.

    Example:
        >>> content = wav_of_tones([Tone(0.0, 0.5, 69)])
        >>> content[:4], len(content) > SAMPLING_RATE
        (b'RIFF', True)
    """
    samples = _sound(list(tones))
    loudest = np.abs(samples).max(initial=0.0)
    whole = (samples / loudest * 0.8 * 32767 if loudest else samples).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLING_RATE)
        file.writeframes(whole.tobytes())
    return buffer.getvalue()


def _sound(tones: Sequence[Tone]) -> np.ndarray:
    end = max((tone.start + tone.seconds for tone in tones), default=0.0) + _RELEASE
    samples = np.zeros(int(end * SAMPLING_RATE) + 1, dtype=np.float64)
    for tone in tones:
        first = int(tone.start * SAMPLING_RATE)
        sound = _one(tone)[: len(samples) - first]
        samples[first : first + len(sound)] += sound
    return samples


def _one(tone: Tone) -> np.ndarray:
    time = np.arange(int((tone.seconds + _RELEASE) * SAMPLING_RATE)) / SAMPLING_RATE
    frequency = _CONCERT_PITCH * 2 ** ((tone.pitch - _A4) / 12)
    partials = [
        loudness * np.sin(2 * np.pi * number * frequency * time)
        for number, loudness in enumerate(_OVERTONES, start=1)
        if number * frequency < SAMPLING_RATE / 2
    ]
    envelope = np.minimum(time / _ATTACK, 1) * np.exp(-time / _DECAY)
    envelope *= np.clip((tone.seconds + _RELEASE - time) / _RELEASE, 0, 1)
    return envelope * np.sum(partials, axis=0)
