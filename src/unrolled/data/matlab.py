"""Arrays of numbers, and cells of such, in MATLAB files of version 5 (MathWorks, MAT-File Format, 2023).

Every size that a file claims is checked against what is there before anything is made of it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

_HEADER = 128
_COMPRESSED, _MATRIX = 15, 14
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of numbers as they lie in the file."""
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Types of the numbers of an array, by its class."""
_CELL = 1
_COMPLEX = 0x0800
_NAMES = {2: "a struct", 3: "an object", 4: "text", 5: "a sparse matrix"}
_LARGEST = 2**28
"""Bytes that a compressed element may have unpacked, unless it is that large packed as well."""
_USUAL_RATIO = 100
_DEEPEST = 4
_MOST_AXES = 32


class NoMatlabError(ValueError):
    """Bytes are no MATLAB file of version 5, or claim what they do not hold."""


@dataclass(frozen=True, slots=True)
class _Element:
    kind: int
    body: memoryview


def arrays_of_matlab(content: bytes) -> dict[str, Any]:
    """The arrays of a file by name; a cell array is a list, column by column.

    What holds anything else than numbers, as texts and structs do, is passed over.

    Raises:
        NoMatlabError: it is no such file, or is broken.

    Example:
        >>> import io, scipy.io
        >>> file = io.BytesIO()
        >>> scipy.io.savemat(file, {"a": [[1.0, 2.0]]})
        >>> arrays_of_matlab(file.getvalue())
        {'a': array([[1., 2.]])}
    """
    if len(content) < _HEADER:
        raise NoMatlabError("it ends within its header")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise NoMatlabError("its header is none of version 5")
    (version,) = struct.unpack(f"{order}H", content[124:126])
    if version != 0x0100:
        raise NoMatlabError(
            "it is of version 7.3, which is HDF5" if version == 0x0200 else "it is of no known version"
        )
    found: dict[str, Any] = {}
    for element in _elements(memoryview(content)[_HEADER:], order):
        if element.kind == _COMPRESSED:
            unpacked = list(_elements(memoryview(_unpacked(element.body)), order))
            if len(unpacked) != 1:
                raise NoMatlabError("a compressed element holds more than one, or none")
            element = unpacked[0]
        if element.kind != _MATRIX:
            continue
        name, array = _matrix(element.body, order, 0)
        if array is not None:
            found[name] = array
    return found


def _unpacked(body: memoryview) -> bytes:
    most = max(_LARGEST, _USUAL_RATIO * len(body))
    stream = zlib.decompressobj()
    try:
        content = stream.decompress(body, most)
    except zlib.error as error:
        raise NoMatlabError(f"a compressed element is broken: {error}") from error
    if stream.unconsumed_tail:
        raise NoMatlabError(f"a compressed element unpacks to more than {most:,} bytes")
    return content


def _elements(content: memoryview, order: str) -> list[_Element]:
    """The elements that follow one another; each begins at a multiple of 8 bytes."""
    found, at = [], 0
    while at < len(content):
        if len(content) - at < 8:
            raise NoMatlabError("it ends within an element's tag")
        kind, size = struct.unpack(f"{order}II", content[at : at + 8])
        start = at + 8
        if kind >> 16:  # so small that it lies in the tag
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise NoMatlabError(f"a small element claims {size:,} bytes")
        if size > len(content) - start:
            raise NoMatlabError(f"an element claims {size:,} bytes of {len(content) - start:,} that are left")
        found.append(_Element(kind, content[start : start + size]))
        if start == at + 4:
            at += 8
        else:
            at = start + size if kind == _COMPRESSED else start + -(-size // 8) * 8
    return found


def _matrix(body: memoryview, order: str, depth: int) -> tuple[str, Any]:
    """An array's name, and the array; None where it is not of numbers."""
    if depth > _DEEPEST:
        raise NoMatlabError(f"cells are nested more than {_DEEPEST} times")
    parts = _elements(body, order)
    if not parts and depth:
        return "", np.zeros((0, 0))  # an empty cell may be nothing at all
    if len(parts) < 3 or parts[0].kind != 6 or len(parts[0].body) != 8 or parts[1].kind != 5:
        raise NoMatlabError("an array lacks its flags, its size or its name")
    (flags,) = struct.unpack(f"{order}I", parts[0].body[:4])
    kind = flags & 0xFF
    if len(parts[1].body) % 4 or not 8 <= len(parts[1].body) <= 4 * _MOST_AXES:
        raise NoMatlabError("an array's size is none")
    shape = struct.unpack(f"{order}{len(parts[1].body) // 4}i", parts[1].body)
    if min(shape) < 0:
        raise NoMatlabError(f"an array has the size {shape}")
    count = 1
    for size in shape:
        count *= size
    name = bytes(parts[2].body).decode("utf-8", "replace")
    if kind == _CELL:
        if len(parts) - 3 != count or any(part.kind != _MATRIX for part in parts[3:]):
            raise NoMatlabError(f"a cell array of {count:,} holds {len(parts) - 3:,}")
        cells = [_matrix(part.body, order, depth + 1)[1] for part in parts[3:]]
        return name, None if any(cell is None for cell in cells) else cells
    if kind not in _CLASSES:
        if kind not in _NAMES and not 15 < kind < 20:
            raise NoMatlabError(f"an array is of the unknown class {kind}")
        return name, None
    if flags & _COMPLEX:
        return name, None
    if len(parts) != 4 or parts[3].kind not in _STORED:
        raise NoMatlabError(f"an array of {count:,} numbers lacks them")
    stored = np.dtype(order + _STORED[parts[3].kind])
    if len(parts[3].body) != count * stored.itemsize:
        raise NoMatlabError(f"an array of {count:,} numbers holds {len(parts[3].body):,} bytes")
    numbers = np.frombuffer(parts[3].body, dtype=stored)
    with np.errstate(invalid="ignore"):
        return name, numbers.astype(_CLASSES[kind]).reshape(shape, order="F")
