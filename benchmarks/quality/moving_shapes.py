"""Which way a shape moves in a clip, read from folders of frames; the classes tell nothing frame by frame.

    python -m benchmarks.quality.moving_shapes [FOLDER]

The clips are made here; FOLDER is where they are written and kept, by default a temporary one.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.quality.claim import claim
from unrolled.data.loading import load_labelled


def write_frames(name: str, folder: Path) -> Path:
    """Write a built-in set of clips as ``folder/class/clip/frame.png``."""
    for clip, example in enumerate(load_labelled(name)):
        frames = folder / str(example.target) / f"{clip:04}"
        frames.mkdir(parents=True, exist_ok=True)
        for number, frame in enumerate(example.inputs):
            Image.fromarray(frame[:, :, 0]).save(frames / f"{number}.png")
    return folder


with tempfile.TemporaryDirectory() as temporary:
    home = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
    train = write_frames("moving-shapes", home / "train")
    test = write_frames("moving-shapes:12@1", home / "test")
    claim("accuracy", 0.95, ["classify", str(train), "--test", str(test)], better="more")
