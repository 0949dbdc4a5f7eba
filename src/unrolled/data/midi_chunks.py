"""The chunks of a Standard MIDI File: what a library reads of it, one sequence each."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_HEADER, _TRACK = b"MThd", b"MTrk"
_USUAL = struct.Struct(">HHH")
"""A header's format, number of tracks and division."""
_INDEPENDENT = 2
"""The format whose tracks are sequences that are not played together."""
_BEATS_A_SECOND = 2
"""Where a file counts seconds: of the tempo that holds where none is set, 120 quarter notes a minute."""


def sequences_of_midi(content: bytes) -> list[bytes]:
    """The sequences of a MIDI file, each as a file of its own that counts ticks of a quarter note.

    Of format 2 every track is a sequence; of the others all tracks are one. A file inside a RIFF file is
    taken out, a header longer than usual is cut, and what counts frames of seconds (SMPTE) is counted in
    quarter notes at 120 a minute. What is no MIDI file, or is broken, comes back as it is.

    Example:
        >>> track = b"MTrk" + bytes([0, 0, 0, 4, 0, 255, 47, 0])
        >>> two = b"MThd" + bytes([0, 0, 0, 6, 0, 2, 0, 2, 1, 224]) + track + track
        >>> [each[8:14].hex() for each in sequences_of_midi(two)]
        ['0000000101e0', '0000000101e0']
    """
    inner = content
    if content[:4] == b"RIFF" and content[8:12] == b"RMID":
        inner = next((body for name, body, _ in _chunks(content[12:], "<") if name == b"data"), content)
    chunks = list(_chunks(inner, ">"))
    whole = bool(chunks) and len(chunks[-1][1]) == chunks[-1][2]
    if not whole or chunks[0][0] != _HEADER or len(chunks[0][1]) < _USUAL.size:
        return [content]
    kind, _, division = _USUAL.unpack(chunks[0][1][: _USUAL.size])
    if division >> 15:
        frames, ticks = 256 - (division >> 8), division & 0xFF
        division = max(1, round(frames * ticks / _BEATS_A_SECOND))
    tracks = [_chunk(name, body) for name, body, _ in chunks[1:] if name == _TRACK]
    if kind == _INDEPENDENT:
        return [_file(0, [track], division) for track in tracks] or [content]
    return [_file(kind, tracks, division)]


def _chunks(content: bytes, order: str) -> Iterator[tuple[bytes, bytes, int]]:
    """The names, bodies and sizes of chunks; the body of one that is cut off is shorter than its size."""
    at = 0
    while at + 8 <= len(content):
        (size,) = struct.unpack(f"{order}I", content[at + 4 : at + 8])
        yield content[at : at + 4], content[at + 8 : at + 8 + size], size
        at += 8 + size + (size % 2 if order == "<" else 0)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack(">I", len(body)) + body


def _file(kind: int, tracks: list[bytes], division: int) -> bytes:
    return _chunk(_HEADER, _USUAL.pack(kind, len(tracks), division)) + b"".join(tracks)
