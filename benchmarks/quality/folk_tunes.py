"""Fiddle tunes as sets of notes, frame by frame: nats a frame, beside a Markov chain for every note.

    python -m benchmarks.quality.folk_tunes [--quick]

Every third of the 1,059 tunes of Ryan's Mammoth Collection (1883), which the package music21 ships in ABC
notation; a frame is a sixteenth. Of each ten one is held out, and one is tested on.
"""

import importlib.util
import json
import tempfile
from pathlib import Path

import symusic

from benchmarks.quality.claim import fewer, held
from unrolled.data.rolls import KEYS, LOWEST_KEY

FRAMES_A_QUARTER = 4


def frames(path: Path) -> list[list[int]]:
    """The notes of every sixteenth."""
    score = symusic.Score(str(path))
    tick = score.ticks_per_quarter / FRAMES_A_QUARTER
    found: list[list[int]] = [[] for _ in range(round(score.end() / tick))]
    for track in score.tracks:
        for note in track.notes:
            if LOWEST_KEY <= note.pitch < LOWEST_KEY + KEYS:
                for frame in found[round(note.start / tick) : round(note.end / tick)]:
                    frame.append(note.pitch)
    return found


package = importlib.util.find_spec("music21")
if package is None or package.origin is None:
    raise SystemExit("expected the package music21, whose tunes this reads: pip install --no-deps music21")
files = sorted((Path(package.origin).parent / "corpus" / "ryansMammoth").glob("*.abc"))[::3]
tunes = [tune for tune in map(frames, fewer(files)) if tune]
parts = {"test": tunes[::10], "valid": tunes[5::10]}
parts["train"] = [tune for place, tune in enumerate(tunes) if place % 5]
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "tunes.json"
    file.write_text(json.dumps(parts))
    command = ["generate", str(file), "--unit", "notes"]
    good = held("nats_per_frame", 2.0, command, better="less", name=f"folk tunes, {len(parts['train'])}")
raise SystemExit(0 if good else 1)
