"""NumPy's files as columns: every array of an `.npz`, or the one of an `.npy`, with a row for each entry."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.column_names import LABEL_NAMES, PART_NAMES, TEXT_NAMES, VALUE_NAMES
from unrolled.data.compressed import require_modest
from unrolled.errors import DataError

ALONE, SEQUENCES = "value", "x"
"""What the column of an `.npy` is called: one of numbers, and one of sequences."""

_USUAL = frozenset((*VALUE_NAMES, *TEXT_NAMES, *LABEL_NAMES))
_BROKEN = (
    *(OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError),
    *(RuntimeError, UnicodeError),
)


def columns_of_arrays(
    path: Path, content: bytes, part: str = "train"
) -> tuple[dict[str, Sequence[Any]], tuple[str, ...]]:
    """The columns, and sentences on what was left out.

    Args:
        path: the file, for messages.
        content: what it holds.
        part: which of `train`, `dev` and `test`, where the file holds `X_train`, `X_test` and so on. The
            columns are then called `X` and so on.

    Raises:
        DataError: the file is not NumPy's, or holds Python objects or no array of this part.
    """
    arrays = arrays_of(path, content)
    parts = {name: part_of_name(name) for name in arrays}
    if any(found for _, found in parts.values()):
        own = {short: arrays[name] for name, (short, found) in parts.items() if found == part}
        if not own:
            raise DataError(f"expected arrays of the part {part!r}, found {', '.join(arrays)}", path=path)
        arrays = own
    lengths = Counter(len(array) for array in arrays.values() if np.ndim(array))
    # Of sequences and their targets there are as many; names of classes, say, are of another number.
    length = max(lengths, key=lambda each: (lengths[each], each), default=0)
    fitting = {name: array for name, array in arrays.items() if np.ndim(array) and len(array) == length}
    if not length:
        found = ", ".join(f"{name} {np.shape(array)}" for name, array in arrays.items())
        raise DataError(f"expected arrays with an entry a row, found {found or 'none'}", path=path)
    others = ", ".join(name for name in arrays if name not in fitting)
    notes = (f"Arrays of another length are left out: {others}.",) if others else ()
    return {name: _column(path, name, array) for name, array in fitting.items()}, notes


def array_parts(path: Path, content: bytes) -> tuple[str, ...]:
    """The parts into which the names of a file's arrays divide it; none where they do not."""
    found = {part_of_name(name)[1] for name in arrays_of(path, content)}
    return tuple(part for part in PART_NAMES if part in found)


def part_of_name(name: str) -> tuple[str, str | None]:
    """What an array is called without the part in its name, and that part.

    Example:
        >>> part_of_name("X_train"), part_of_name("testY"), part_of_name("value")
        (('X', 'train'), ('Y', 'test'), ('value', None))
    """
    for part, names in PART_NAMES.items():
        for own in names:
            for short, cut in ((name[: -len(own)], name[-len(own) :]), (name[len(own) :], name[: len(own)])):
                bare = short.strip("_-. ")
                if cut.lower() == own and bare and (bare != short or bare.lower() in _USUAL):
                    return bare, part
    return name, None


def array_of_npy(content: bytes) -> np.ndarray:
    """The array of an `.npy` file, of the size that it claims, without Python objects.

    Raises:
        ValueError: it is no such file, or claims another size than it has.
    """
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    read = headers.get(version)
    if read is None:
        raise ValueError(f"the version {version} of the format is not known")
    try:
        shape, _, dtype = read(stream)
    except Exception as error:  # its text is taken for Python, whose readers have errors of their own
        raise ValueError(f"its header is broken: {error}") from error
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    if dtype.fields or dtype.itemsize == 0 or any(size < 0 for size in shape):
        raise ValueError(f"arrays of {dtype} are not read")
    size = math.prod(shape) * dtype.itemsize
    if size != len(content) - stream.tell():
        raise ValueError(f"it claims {size:,} bytes of numbers and holds {len(content) - stream.tell():,}")
    return np.load(io.BytesIO(content), allow_pickle=False)


def arrays_of(path: Path, content: bytes) -> Mapping[str, Any]:
    """The arrays of a file by name.

    Raises:
        DataError: the file is not NumPy's, or holds Python objects.
    """
    try:
        if not zipfile.is_zipfile(io.BytesIO(content)):
            found = array_of_npy(content)
            return {ALONE if found.ndim == 1 else SEQUENCES: found}
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            try:
                require_modest(archive, len(content))
            except ValueError as error:
                raise DataError(f"expected NumPy arrays, but {error}", path=path) from error
            return {
                info.filename.removesuffix(".npy"): array_of_npy(archive.read(info))
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
    except DataError:
        raise
    except _BROKEN as error:
        if "Object arrays" in str(error):
            raise DataError(
                "expected arrays of numbers or strings, got Python objects, whose loading may run code",
                path=path,
                remedy="save it with a dtype such as float32 or str; unequal lengths go into .jsonl",
            ) from error
        raise DataError("expected NumPy arrays, which this file does not hold", path=path) from error


def _column(path: Path, name: str, array: np.ndarray) -> Sequence[Any]:
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind not in "iufbUM":
        raise DataError(f"expected numbers or strings, got {array.dtype}", path=path, column=name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    return array.tolist() if array.ndim == 1 and array.dtype.kind != "M" else list(array)
