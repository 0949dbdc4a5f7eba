"""Music that was generated, as files: one for each piece, and how it sounds beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.output import note

if TYPE_CHECKING:
    from unrolled.tasks.base import Estimator

_SUFFIXES = (".mid", ".midi", ".abc", ".wav")


def is_music(path: Path) -> bool:
    """Whether a file holds music, by its ending."""
    return path.suffix.lower() in _SUFFIXES


def save_music(
    estimator: Estimator, path: Path, pieces: Iterable[Any], options: Mapping[str, Any], *, preview: bool
) -> None:
    """Write pieces to files; of several each gets its number.

    Args:
        estimator: that made them.
        path: whose ending says what is written.
        pieces: what was made.
        options: those of the writing, among them the tempo.
        preview: whether to write a WAV file of how each sounds beside it.

    Raises:
        ConfigError: the model writes no music.
    """
    from unrolled.saving.files import write_file

    made = list(pieces)
    for number, piece in enumerate(made, start=1):
        target = path if len(made) == 1 else path.with_stem(f"{path.stem}-{number}")
        files = dict.fromkeys([target, target.with_suffix(".wav")] if preview else [target])
        for file in files:
            write_file(file, estimator.written_as(piece, file.suffix.lower(), options))
        note("Music   " + ", ".join(map(str, files)))
