"""A folder of texts, one a file: a folder for every class, as IMDB and 20 Newsgroups come, or files alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unrolled.data.encodings import decoded_text
from unrolled.data.example import Example, Examples, Source
from unrolled.data.folders import subfolders
from unrolled.errors import DataError

_ENDINGS = frozenset({".txt", ".text", ".md", ""})
_UNLABELLED = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled"})


def is_text_folder(folder: Path) -> bool:
    """Whether a folder holds texts, itself or in a folder for every class, and no files of another kind.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(folder, "pos").mkdir()
        ...     _ = Path(folder, "pos", "1.txt").write_text("a fine film")
        ...     is_text_folder(Path(folder))
        True
    """
    within = [each for folder in subfolders(folder) for each in _files(folder)]
    found = within or _files(folder)
    return bool(found) and all(map(_is_text, found))


def read_text_folder(folder: Path, *, labelled: bool = True, encoding: str | None = None) -> Examples:
    """The texts of a folder, with the names of the folders they are in as labels.

    Args:
        folder: the folder.
        labelled: False reads the files themselves where there are no folders in it, and no targets.
        encoding: of the files; None finds out for each.

    Raises:
        DataError: there are no folders where labels are needed, or a file is not text.
    """
    classes = [each for each in subfolders(folder) if any(map(_is_text, _files(each)))]
    notes: list[str] = []
    if labelled:
        without = [each for each in classes if each.name.lower() in _UNLABELLED]
        classes = [each for each in classes if each not in without]
        notes += [f"The folder {each.name!r} holds texts without labels and is left out." for each in without]
    if labelled and not classes:
        raise DataError("expected a folder of texts for every class, found texts alone", path=folder)
    places: Sequence[tuple[Path, str | None]] = [
        (file, each.name) for each in classes for file in _files(each) if _is_text(file)
    ] or [(file, None) for file in _files(folder) if _is_text(file)]
    items = []
    for file, label in places:
        content = file.read_bytes()
        text, note = decoded_text(content, file, encoding) if content else ("", None)
        if note and note not in notes:
            notes.append(note)
        items.append(Example(text, label if labelled else None, Source(file)))
    return Examples(tuple(items), tuple(notes))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _is_text(path: Path) -> bool:
    # 20 Newsgroups' files are numbers, some of them with a point in it.
    return path.suffix.lower() in _ENDINGS or path.suffix[1:].isdigit()
