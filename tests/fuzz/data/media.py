"""Recordings, images and music, written by their specifications, read back."""

import io
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from tests.fuzz.case import program_of
from unrolled.data.example import Source
from unrolled.data.images import PictureForm, read_images
from unrolled.data.midi import read_midi
from unrolled.data.sound import Recording, read_sound, sampling_rates


@dataclass(frozen=True)
class MediaCase:
    """A file by its name and content, and the numbers in it; they may differ by so much."""

    name: str
    content: bytes
    shape: tuple[int, ...]
    numbers: tuple[float, ...]
    apart: float
    rate: int = 0

    def difference(self) -> str | None:
        """The first number that came out as another."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, self.name)
            path.write_bytes(self.content)
            found = _READERS[path.suffix](path, self.rate)
        if isinstance(found, str):
            return found
        true = np.array(self.numbers).reshape(self.shape)
        if found.shape != true.shape:
            return f"got the shape {found.shape}, true {true.shape}"
        apart = np.abs(found.astype(np.float64) - true)
        if apart.size and apart.max() > self.apart:
            place = np.unravel_index(apart.argmax(), apart.shape)
            return f"at {tuple(map(int, place))}: got {found[place]}, true {true[place]}"
        return None

    def program(self) -> str:
        """A program that shows the difference."""
        return program_of(self)


def draw(random: Random) -> MediaCase:
    """A random recording, image or piece of music."""
    return random.choice((_recording, _image, _image, _music))(random)


def _sound_of(path, rate):
    recording = Recording(path, Source(path))
    samples, found = read_sound(recording)
    if not found == rate == next(iter(sampling_rates([recording]))):
        return f"got {found} Hz, true {rate}"
    return samples


def _image_of(path, _):
    return read_images([path], [Source(path)], PictureForm()).arrays[0]


def _music_of(path, steps_per_beat):
    # All sequences one after the other, with an empty step between them.
    rolls = read_midi(path, steps_per_beat)
    return np.concatenate([np.pad(roll, ((0, 1), (0, 0))) for roll in rolls])


_READERS = {
    ".wav": _sound_of,
    **dict.fromkeys((".png", ".tiff", ".jpg", ".bmp"), _image_of),
    ".mid": _music_of,
}


def _chunk(name, body, pad=True):
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2 * pad)


def _recording(random):
    bits, code = random.choice(((8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)))
    rate = random.choice((250, 1000, 8000, 11025, 22050, 44100, 48000, 96000, random.randint(200, 200_000)))
    channels, extensible = random.choice((1, 1, 2, 2, 4, 6)), random.random() < 0.4
    drawn = np.array([[random.uniform(-1, 1) for _ in range(channels)] for _ in range(random.randint(1, 40))])
    if code == 3:
        body = drawn.astype("<f4" if bits == 32 else "<f8").tobytes()
    else:
        whole = np.round(drawn * (2 ** (bits - 1) - 1)).astype(np.int64).ravel()
        offset = 128 if bits == 8 else 0
        body = b"".join(
            int(number + offset).to_bytes(bits // 8, "little", signed=bits > 8) for number in whole
        )
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else code, channels, rate, rate * block, block, bits)
    if extensible:
        mask = (1 << channels) - 1 if random.random() < 0.7 else 0
        form += struct.pack("<HHIH", 22, bits, mask, code) + bytes.fromhex("000000001000800000aa00389b71")
    extra = [_chunk(b"LIST", bytes(random.randint(0, 9))) for _ in range(random.randint(0, 2))]
    random.shuffle(extra)
    chunks = b"".join((_chunk(b"fmt ", form), *extra, _chunk(b"data", body)))
    content = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
    true = drawn.mean(axis=1)
    return MediaCase("a.wav", content, true.shape, tuple(true.tolist()), 2.0 ** (2 - bits) + 1e-6, rate)


_TURNS = {
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: lambda shown: shown[:, ::-1].swapaxes(0, 1),
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: shown[::-1].swapaxes(0, 1),
}
"""What is stored of what is shown, by the number of EXIF."""


def _image(random):
    mode = random.choice(("1", "L", "L16", "LA", "RGB", "RGBA", "P", "I", "F"))
    height, width = random.randint(1, 9), random.randint(1, 9)
    seed = np.random.default_rng(random.getrandbits(32))
    grey = seed.integers(0, 256, (height, width, 1), dtype=np.uint8)
    colour = seed.integers(0, 256, (height, width, 3), dtype=np.uint8)
    clear = seed.choice([0, 255], (height, width, 1)).astype(np.uint8)
    shown, stored = {
        "1": lambda: ((grey > 127) * 255, grey > 127),
        "L": lambda: (grey, grey),
        "L16": lambda: (grey, grey.astype(np.uint16) * 257),
        "LA": lambda: (np.where(clear, grey, 255), np.dstack([grey, clear])),
        "RGB": lambda: (colour, colour),
        "RGBA": lambda: (np.where(clear, colour, 255), np.dstack([colour, clear])),
        "P": lambda: (np.repeat(255 - grey, 3, axis=2), grey),
        "I": lambda: (grey, np.maximum(grey.astype(np.int32) * 257, np.eye(height, width)[:, :, None] * 257)),
        "F": lambda: (grey, grey.astype(np.float32) / 255),
    }[mode]()
    if mode == "I":  # one number beyond a byte, or they would be taken for bytes
        stored = stored.astype(np.int32)
        shown = stored >> 8
    kind = {"I": "tiff", "F": "tiff", "L16": random.choice(("png", "tiff"))}.get(
        mode, random.choice(("png", "png", "tiff"))
    )
    turn = random.choice(tuple(_TURNS))
    turned = np.ascontiguousarray(_TURNS[turn](stored))
    image = Image.fromarray(turned[:, :, 0] if turned.shape[2] == 1 else turned)
    if mode == "P":
        image = Image.frombytes("P", image.size, image.tobytes())
        image.putpalette([value for step in range(256) for value in (255 - step,) * 3])
    options = {}
    if turn > 1 or random.random() < 0.3:
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = turn
    if kind == "tiff" and random.random() < 0.5 and mode != "1":
        options["compression"] = "tiff_deflate"
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return MediaCase(f"a.{kind}", buffer.getvalue(), shown.shape, tuple(shown.ravel().tolist()), 1)


def _music(random):
    steps_per_beat, kind = random.choice((1, 2, 4)), random.choice((0, 1, 2))
    division = random.choice((96, 120, 480, 960))
    tracks = [_notes(random) for _ in range(1 if kind == 0 else random.randint(1, 3))]
    step = division // steps_per_beat
    chunks = [b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), division)]
    chunks += [_track(random, notes, step) for notes in tracks]
    sequences = tracks if kind == 2 else [[note for notes in tracks for note in notes]]
    rolls = []
    for notes in sequences:
        first, last = min(note[0] for note in notes), max(note[1] for note in notes)
        roll = np.zeros((last - first + 1, 88), dtype=int)
        for start, end, pitch in notes:
            roll[start - first : end - first, pitch - 21] = 1
        rolls.append(roll)
    true = np.concatenate(rolls)
    content = b"".join(chunks)
    if random.random() < 0.2:
        inner = b"RMID" + _chunk(b"data", content)
        content = b"RIFF" + struct.pack("<I", len(inner)) + inner
    return MediaCase("a.mid", content, true.shape, tuple(true.ravel().tolist()), 0, steps_per_beat)


def _notes(random):
    """Notes as (start, end, pitch) in steps; none of a pitch while it sounds."""
    notes = []
    for pitch in random.sample(range(21, 109), random.randint(1, 4)):
        now = 0
        for _ in range(random.randint(1, 4)):
            start = now + random.randint(0, 3)
            now = start + random.randint(1, 4)
            notes.append((start, now, pitch))
    return notes


def _track(random, notes, step):
    running = random.random() < 0.3
    events = sorted(
        [(start * step, 1, pitch) for start, _, pitch in notes]
        + [(end * step, 0, pitch) for _, end, pitch in notes]
    )
    channel = random.choice((0, 0, 3, 15))
    body, now, last = b"\0\xff\x03\x01x", 0, None
    for tick, on, pitch in events:
        status = 0x90 | channel if on or running else 0x80 | channel
        wait, now = tick - now, tick
        body += bytes([wait >> 14 | 128, wait >> 7 & 127 | 128, wait & 127])
        body += b"" if running and status == last else bytes([status])
        body += bytes([pitch, 64 * on])
        last = status
    body += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(body)) + body
