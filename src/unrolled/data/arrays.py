"""Sequences of numbers in NumPy's files: `.npz` with inputs and targets by name, `.npy` with inputs alone."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.compressed import unpacked, unpacked_suffix
from unrolled.data.example import Example, Examples, Source
from unrolled.errors import DataError

ARRAYS = (".npz", ".npy")
"""The file endings of arrays."""

INPUT_NAMES = ("x", "data", "inputs", "input", "features", "values", "series", "signals", "sequences", "arr_0")
TARGET_NAMES = ("y", "labels", "label", "targets", "target", "classes", "class", "tags", "arr_1")

_PARTS: Mapping[str, tuple[str, ...]] = {
    "train": ("train", "training", "tr"),
    "dev": ("dev", "valid", "validation", "val"),
    "test": ("test", "testing", "te"),
}
_BROKEN = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError)


def is_array(path: str | Path) -> bool:
    """Whether a file's ending is that of NumPy's arrays."""
    return unpacked_suffix(path) in ARRAYS


def array_parts(path: Path) -> tuple[str, ...]:
    """The parts that a file of arrays is divided into by the names in it, such as `X_train` and `X_test`."""
    if path.suffix.lower() != ".npz":
        return ()
    arrays = _arrays(path)
    return tuple(part for part in _PARTS if _named(arrays, INPUT_NAMES, part) is not None)


def read_arrays(path: str | Path, *, labelled: bool = True, part: str = "train", tags: bool = False) -> Examples:
    r"""Sequences `(time, channel)`, with a target each or one a step.

    Args:
        path: `.npz` with an array of inputs `(sequence, time, channel)` or `(sequence, time)` and one of
            targets, by their usual names, such as `X` and `y`, or by their shapes; `.npy` with inputs alone.
        labelled: False reads the inputs only; the targets are then None.
        part: which of `train`, `dev` and `test`, where the file holds `X_train`, `X_test` and so on.
        tags: whether the targets are `(sequence, time)`, one a step.

    Returns:
        The examples; a target is a number or a string, or a tuple of strings with one a step.

    Raises:
        DataError: the file is not NumPy's, holds Python objects, lacks an array, or arrays do not fit.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "walks.npz")
        ...     np.savez(path, X=np.zeros((2, 5, 3)), y=np.array(["up", "down"]))
        ...     examples = read_arrays(path)
        >>> examples[1].inputs.shape, examples[1].target
        ((5, 3), 'down')
    """
    path = Path(path)
    arrays = _arrays(path)
    inputs_name, targets_name = _which(path, arrays, part, labelled)
    inputs = _numbers(path, inputs_name, arrays[inputs_name])
    targets = None if targets_name is None else _targets(path, targets_name, arrays[targets_name], inputs, tags)
    used = {inputs_name, targets_name}
    others = [name for name in arrays if name not in used and not _is_of_other_part(name)]
    notes = [f"The arrays {', '.join(others)} are left out."] if others else []
    items = tuple(
        Example(steps, None if targets is None else targets[row], Source(path, row + 1, targets_name))
        for row, steps in enumerate(inputs)
    )
    return Examples(items, tuple(notes))


def _arrays(path: Path) -> dict[str, Any]:
    content = unpacked(path)
    try:
        found = np.load(io.BytesIO(content), allow_pickle=False)
        return {"x": found} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except _BROKEN as error:
        if "allow_pickle" in str(error):
            raise DataError(
                "expected arrays of numbers or strings, got one of Python objects, which would run code",
                path=path,
                remedy="save it with a dtype such as float32 or str; sequences of unequal length go into .jsonl",
            ) from error
        raise DataError("expected NumPy arrays, which this file does not hold", path=path) from error


def _named(arrays: Mapping[str, Any], names: tuple[str, ...], part: str) -> str | None:
    """The array with a usual name and a part's, such as `X_train` or `trainX`."""
    lowered = {name.lower().replace("-", "_"): name for name in arrays}
    for own in _PARTS[part]:
        for name in names:
            for wanted in (f"{name}_{own}", f"{own}_{name}", f"{name}{own}", f"{own}{name}"):
                if wanted in lowered:
                    return lowered[wanted]
    return None


def _is_of_other_part(name: str) -> bool:
    return any(own in name.lower() for names in _PARTS.values() for own in names if len(own) > 2)


def _which(path: Path, arrays: Mapping[str, Any], part: str, labelled: bool) -> tuple[str, str | None]:
    """The names of the inputs and of the targets."""
    lowered = {name.lower(): name for name in reversed(arrays)}
    whole = [name for name in arrays if not _is_of_other_part(name)]
    inputs = _named(arrays, INPUT_NAMES, part) or next((lowered[n] for n in INPUT_NAMES if n in lowered), None)
    targets = _named(arrays, TARGET_NAMES, part)
    if targets is None and (inputs is None or inputs in whole):
        targets = next((lowered[name] for name in TARGET_NAMES if name in lowered), None)
    if inputs is None and targets is None and len(whole) == 2:
        # Of two arrays the one with more axes is read.
        targets, inputs = sorted(whole, key=lambda name: np.ndim(arrays[name]))
        if np.ndim(arrays[targets]) == np.ndim(arrays[inputs]):
            inputs = None
    if inputs is None:
        left = [name for name in whole if name != targets]
        inputs = left[0] if len(left) == 1 else None
    if inputs is None or (labelled and targets is None):
        wanted = "X" if inputs is None else "y"
        found = ", ".join(f"{name} {np.shape(array)}" for name, array in arrays.items())
        raise DataError(
            f"expected an array {wanted!r} of {'inputs' if inputs is None else 'targets'}, found {found}",
            path=path,
            remedy=f"call it {wanted} (or {wanted}_{part})",
        )
    return inputs, targets if labelled else None


def _numbers(path: Path, name: str, array: Any) -> np.ndarray:
    if array.dtype.kind not in "iufb" or array.ndim not in (2, 3):
        raise DataError(
            f"expected numbers (sequence, time) or (sequence, time, channel), got {array.dtype} of the shape "
            f"{array.shape}",
            path=path,
            column=name,
        )
    numbers = array.astype(np.float64).reshape(*array.shape[:2], -1 if array.size else max(1, *array.shape[2:], 1))
    wrong = np.argwhere(~np.isfinite(numbers))
    if len(wrong):
        row, step, channel = map(int, wrong[0])
        raise DataError(
            f"expected finite numbers, got {numbers[row, step, channel]} at step {step + 1}",
            path=path,
            row=row + 1,
            column=name,
            remedy="fill the gap",
        )
    return numbers


def _targets(path: Path, name: str, array: Any, inputs: np.ndarray, tags: bool) -> list[Any]:
    """The target of every sequence, as plain Python values."""
    if array.ndim > 1 and array.shape[-1] == 1:
        array = array[..., 0]
    axes = 2 if tags else 1
    one_hot = (
        array.ndim == axes + 1
        and array.dtype.kind in "iufb"
        and bool(np.isin(array, (0, 1)).all())
        and bool((array.sum(-1) == 1).all())
    )
    if one_hot:
        array = array.argmax(-1)
    if array.ndim != axes or array.shape != inputs.shape[:axes]:
        raise DataError(
            f"expected targets of the shape {inputs.shape[:axes]} as the inputs, got {array.shape}",
            path=path,
            column=name,
        )
    if array.dtype.kind not in "iufbUS":
        raise DataError(f"expected numbers or strings, got {array.dtype}", path=path, column=name)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if not tags:
        return array.tolist()
    return [tuple(_tag(each) for each in row) for row in array.tolist()]


def _tag(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
