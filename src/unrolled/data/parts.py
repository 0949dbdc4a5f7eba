"""Data that is divided itself: folders and arrays with parts for training and test.

Readers are imported where they are asked: what is no path at all is answered without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from unrolled.data.column_names import PART_NAMES
from unrolled.data.outside import belongs, require_within
from unrolled.errors import DataError

_PART_OF = {name: part for part, names in PART_NAMES.items() for name in names}
_IN_NAME = re.compile(rf"(?:^|[-_.])({'|'.join(_PART_OF)})(?=[-_.]|$)")
_SHARD = re.compile(r"\d{5}(?=-of-\d{5})")
_TOKENS = (".conll", ".conllu", ".conllx", ".bio", ".iob", ".iob2", ".txt", ".ts", ".pos")


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the parts of some data are; None where it has no such part.

    Attributes:
        train: to train on.
        dev: to choose the best epoch by.
        test: for the final scores.
    """

    train: Path | None
    dev: Path | None
    test: Path | None

    @property
    def later(self) -> Path | None:
        """What a model is scored on: the test part, or else the dev part, or else the one there is."""
        return self.test or self.dev or self.train


def parts_of(path: Path) -> Parts | None:
    r"""The parts into which names divide a folder or a file of arrays; None where they do not.

    A folder is as Hugging Face's data sets come (`train.csv` and `test.csv`, folders `train` and `test`,
    `train-00000-of-00002.parquet`, in it or in its only folder), or a treebank's (`en_ewt-ud-train.conllu`).

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("train.csv", "test.csv"):
        ...         _ = Path(folder, name).write_text("text,label\nfine,good\n")
        ...     found = parts_of(Path(folder))
        >>> found.train.name, found.dev, found.test.name
        ('train.csv', None, 'test.csv')
    """
    if path.is_file():
        if path.suffix.lower() != ".npz":
            return None
        from unrolled.data.arrays import array_parts
        from unrolled.data.compressed import unpacked

        names = array_parts(path, unpacked(path))
        return _parts({name: Path(f"{path}:{name}") for name in names})
    if not path.is_dir():
        return None
    require_within(path)
    found = _parts_in(path)
    for part in (found.train, found.dev, found.test) if found else ():
        if part is not None:
            belongs(part, path)
    return found


def _parts_in(path: Path) -> Parts | None:
    inside = [each for each in sorted(path.iterdir()) if not each.name.startswith((".", "_"))]
    folders = [each for each in inside if each.is_dir()]
    found = _parts(
        {_PART_OF[each.name.lower()]: each for each in reversed(folders) if each.name.lower() in _PART_OF}
    )
    found = found or _parts_of_files(each for each in inside if each.is_file())
    if found is None and len(folders) == 1:
        return _parts_in(folders[0])
    return found


def shards_of(folder: Path) -> Path | None:
    """A folder that holds one table in pieces, as a name with a wildcard; None where it holds none."""
    from unrolled.data.folders import METADATA

    if any((folder / name).is_file() for name in METADATA):
        return None
    for kind in ("*.arrow", "*.parquet"):
        if (found := pieces(folder / kind)) and _parts_of_files(found) is None:
            return folder / kind
    return None


def pieces(path: Path) -> list[Path]:
    """The files that a name with a wildcard stands for, but for hidden ones."""
    return sorted(file for file in path.parent.glob(path.name) if not file.name.startswith("."))


def is_of_several(path: Path) -> bool:
    """Whether a name with a wildcard stands for files that are there, or is a part of a file of arrays."""
    if "*" in path.name:
        return bool(pieces(path))
    name, _, part = path.name.rpartition(":")
    return part in PART_NAMES and name.endswith(".npz") and path.with_name(name).is_file()


def _parts(found: dict[str, Path]) -> Parts | None:
    """The parts, where there is one to train on and another."""
    if "train" not in found or len(found) < 2:
        return None
    return Parts(found.get("train"), found.get("dev"), found.get("test"))


def _parts_of_files(files: Iterable[Path]) -> Parts | None:
    groups: dict[str, set[Path]] = {}
    for file in files:
        match = _IN_NAME.search(file.name.lower())
        if match and _is_data(file):
            whole = file.with_name(_SHARD.sub("*", file.name))
            groups.setdefault(_PART_OF[match[1]], set()).add(whole)
    if any(len(group) > 1 for group in groups.values()):
        return None
    return _parts({part: group.pop() for part, group in groups.items()})


def _is_data(file: Path) -> bool:
    from unrolled.data.tables import TABLE_SUFFIXES, is_table

    try:
        return is_table(file) or file.suffix.lower() in (*TABLE_SUFFIXES, *_TOKENS)
    except DataError:  # an archive of several files
        return False
