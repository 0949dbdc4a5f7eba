"""Files of tunes in ABC notation: each tune is a text of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unrolled.data.outside import files_below
from unrolled.data.text import open_text
from unrolled.errors import DataError

ABC_SUFFIX = ".abc"


class AbcFiles:
    r"""The tunes of some files, each with its header and notes, read anew each time they are gone through.

    A tune begins with a line `X:` and ends at the next empty line or the next tune; what stands outside of
    tunes is left out.

    Args:
        paths: the files.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "tunes.abc")
        ...     _ = path.write_text("% two tunes\nX:1\nK:C\nCDE|\n\nX:2\nK:G\nGAB|\n")
        ...     [["".join(tune) for tune in AbcFiles([path])]]
        [['X:1\nK:C\nCDE|\n', 'X:2\nK:G\nGAB|\n']]
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self.paths = [Path(path) for path in paths]

    def __iter__(self) -> Iterator[Iterator[str]]:
        for path in self.paths:
            found = False
            for tune in _tunes(path):
                found = True
                yield iter([tune])
            if not found:
                raise DataError(
                    "expected tunes in ABC notation, found no line that begins with X:",
                    path=path,
                    remedy="begin each tune with X: and its number",
                )


def holds_tunes(path: Path) -> bool:
    """Whether a path is a file of tunes, or a folder with such files, by their ending."""
    if path.is_dir():
        return bool(tune_files(path))
    return path.suffix.lower() == ABC_SUFFIX


def tune_files(folder: Path) -> list[Path]:
    """The files of tunes in a folder and in the folders in it."""
    return [file for file in files_below(folder) if file.suffix.lower() == ABC_SUFFIX]


def _tunes(path: Path) -> Iterator[str]:
    tune: list[str] = []
    with open_text(path) as file:
        for line in file:
            text = line.rstrip("\r\n")
            begins = text.startswith("X:")
            if tune and (begins or not text.strip()):
                yield "".join(tune)
                tune = []
            if tune or begins:
                tune.append(f"{text}\n")
    if tune:
        yield "".join(tune)
