"""Piano rolls as users have them: JSON, MATLAB and NumPy files, MIDI files, and folders of those."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.arrays import arrays_of
from unrolled.data.example import Example, Examples, Source
from unrolled.data.json_tables import parsed_json
from unrolled.data.matlab import NoMatlabError, arrays_of_matlab
from unrolled.data.midi import MIDI_SUFFIXES, read_midi
from unrolled.data.outside import files_below, require_within
from unrolled.data.rolls import KEYS, roll_of_notes
from unrolled.data.text import existing_file, open_text
from unrolled.errors import DataError

_PICKLES = (".pickle", ".pkl")
ROLL_SUFFIXES = (".mat", *_PICKLES, *MIDI_SUFFIXES)
"""File endings that stand for music here; JSON may hold other things."""

_WHOLE = "all"
_NAMES = {
    "train": ("train", "traindata", "training"),
    "valid": ("valid", "validdata", "validation", "dev"),
    "test": ("test", "testdata", "testing"),
}

Numbered = Iterable[tuple[int, Any]]
"""Sequences, each with the row of the file where it begins, or with its number."""


@dataclass(frozen=True, slots=True)
class Rolls:
    """Sequences of sets of notes, divided as their file divides them.

    Attributes:
        parts: by name, those of `train`, `valid` and `test` that there are, or `all` where nothing is
            divided. The examples' inputs are `(time, 88)` uint8; they have no targets.
    """

    parts: Mapping[str, Examples]

    def part(self, name: str) -> Examples:
        """The sequences for a use; undivided ones are for any.

        Raises:
            DataError: the file is divided and has no such part.
        """
        if name in self.parts or _WHOLE in self.parts:
            return self.parts.get(name) or self.parts[_WHOLE]
        path = next(iter(self.parts.values()))[0].source.path
        raise DataError(f"expected a split {name!r}, the file has {', '.join(self.parts)}", path=path)


def read_rolls(path: str | Path, steps_per_beat: int = 4) -> Rolls:
    """Read piano rolls.

    - `.json`: a list of sequences, each a list of steps, a step the list of the MIDI notes that sound, -1
      standing for none; or an object with such a list for each of `train`, `valid` and `test`. In `.jsonl`
      each line is a sequence.
    - `.mat`: MATLAB cells `traindata`, `validdata` and `testdata` of matrices `(time, 88)`, version 5.
    - `.npz`: matrices `(time, 88)`, in the parts that their names begin with, such as `train_0`.
    - `.mid`, `.midi`: one sequence, or of format 2 one a track.
    - a folder: of MIDI files, or with folders `train`, `valid` and `test` of them.

    Args:
        path: a file or a folder.
        steps_per_beat: the steps of a quarter note of MIDI files.

    Raises:
        DataError: something is missing, broken, empty or not of its form, or a note is not on the piano.
        MissingDependencyError: the extra `music` is not installed, which MIDI files need.
    """
    path = Path(path)
    if path.is_dir():
        require_within(path)
    if path.is_dir() or path.suffix.lower() in MIDI_SUFFIXES:
        return Rolls(_of_midi(path, steps_per_beat))
    read = _READERS.get(path.suffix.lower())
    if read is None:
        known = ", ".join((*_READERS, *MIDI_SUFFIXES))
        raise DataError(f"expected music in {known}, got {path.suffix or 'no ending'!r}", path=path)
    found = {
        name: Examples(tuple(_example(each, Source(path, row)) for row, each in sequences))
        for name, sequences in _divided(path, read(existing_file(path))).items()
    }
    if not any(found.values()):
        raise DataError("expected sequences of notes, found none", path=path)
    return Rolls({name: examples for name, examples in found.items() if examples})


def are_rolls(path: Path) -> bool:
    """Whether a path is of music rather than of text: by its ending, or as a folder of MIDI files."""
    if path.is_dir():
        require_within(path)
        return bool(_midi_files(path))
    return path.suffix.lower() in ROLL_SUFFIXES


def _example(sequence: Any, source: Source) -> Example:
    if not isinstance(sequence, np.ndarray):
        return Example(roll_of_notes(sequence, source), None, source)
    if sequence.ndim != 2 or sequence.shape[1] != KEYS or not np.isin(sequence, (0, 1)).all():
        raise source.error(f"expected a matrix (time, {KEYS}) of zeros and ones, got one of {sequence.shape}")
    return Example(sequence.astype(np.uint8), None, source)


def _divided(path: Path, content: Any) -> Mapping[str, Numbered]:
    """The sequences by part, from a list of them or from lists by name."""
    if not isinstance(content, Mapping):
        return {_WHOLE: _numbered(path, content)}
    found = {
        part: content[name]
        for part, names in _NAMES.items()
        for name in names
        if content.get(name) is not None
    }
    if not found:
        raise DataError(
            f"expected splits train, valid and test, the file has {', '.join(map(str, content)) or 'none'}",
            path=path,
        )
    return {part: _numbered(path, sequences) for part, sequences in found.items()}


def _numbered(path: Path, sequences: Any) -> Numbered:
    if isinstance(sequences, enumerate | zip):
        return sequences
    if not isinstance(sequences, list | tuple):
        raise DataError("expected a list of sequences, each a list of steps", path=path)
    return enumerate(sequences, start=1)


def _json(path: Path) -> Any:
    with open_text(path) as file:
        return parsed_json(path, 1, file.read())


def _json_lines(path: Path) -> Numbered:
    with open_text(path) as file:
        lines = [(row, line.strip()) for row, line in enumerate(file, start=1) if line.strip()]
    return zip((row for row, _ in lines), (parsed_json(path, *line) for line in lines), strict=True)


def _matlab(path: Path) -> Any:
    try:
        content = arrays_of_matlab(path.read_bytes())
    except NoMatlabError as error:
        raise DataError(
            f"expected a MATLAB file of version 5, but {error}", path=path, remedy="save it with -v7 or -v6"
        ) from error
    return {name: cells if isinstance(cells, list) else [cells] for name, cells in content.items()}


def _numpy(path: Path) -> Any:
    found: dict[str, list[Any]] = {}
    for name, array in arrays_of(path, path.read_bytes()).items():
        part = next((part for part in _NAMES if name.lower().startswith(_NAMES[part])), "")
        found.setdefault(part, []).append(array)
    return found[""] if set(found) == {""} else found


def _pickle(path: Path) -> Any:
    raise DataError(
        "expected notes that can be read without running code, which a pickle is",
        path=path,
        remedy="save the lists as JSON with the program that you trust the file to: "
        "json.dump(pickle.load(open(FILE, 'rb')), open('rolls.json', 'w'))",
    )


_READERS: dict[str, Callable[[Path], Any]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".mat": _matlab,
    ".npz": _numpy,
    **dict.fromkeys(_PICKLES, _pickle),
}


def _of_midi(path: Path, steps_per_beat: int) -> dict[str, Examples]:
    if not path.is_dir():
        files = {_WHOLE: [path]}
    else:
        inside = {folder.name.lower(): folder for folder in path.iterdir() if folder.is_dir()}
        parts = {part: inside[name] for part, names in _NAMES.items() for name in names if name in inside}
        files = {part: _midi_files(folder) for part, folder in (parts or {_WHOLE: path}).items()}
    if not any(files.values()):
        raise DataError(f"expected files ending in {' or '.join(MIDI_SUFFIXES)}, found none", path=path)
    return {
        part: Examples(
            tuple(
                Example(roll, None, Source(file)) for file in each for roll in read_midi(file, steps_per_beat)
            )
        )
        for part, each in files.items()
        if each
    }


def _midi_files(folder: Path) -> list[Path]:
    return [file for file in files_below(folder) if file.suffix.lower() in MIDI_SUFFIXES]
