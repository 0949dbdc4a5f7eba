"""Numbers as C99 writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError


def literal(number: float) -> str:
    """A float32, to its last bit.

    Example:
        >>> literal(0.1), literal(2), literal(float("nan")), literal(-float("inf"))
        ('0.1f', '2.0f', 'NAN', '-INFINITY')
    """
    value = float(np.float32(number))
    if math.isnan(value):
        return "NAN"
    if math.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    shortest = str(np.float32(number))
    return f"{shortest}f" if "." in shortest or "e" in shortest else f"{shortest}.0f"


def listed(items: Iterable[str]) -> str:
    """What stands between the braces of an array, in lines of the usual length."""
    return "\n".join(wrap(", ".join(items), 100, initial_indent="    ", subsequent_indent="    "))


def float_array(name: str, values: NDArray[np.floating]) -> str:
    """The definition of a constant array of floats."""
    flat = [literal(float(value)) for value in values.ravel()]
    return f"static const float {name}[{len(flat)}] = {{\n{listed(flat)}\n}};"


def int8_array(name: str, values: NDArray[np.int8]) -> str:
    """The definition of a constant array of bytes."""
    flat = [str(int(value)) for value in values.ravel()]
    return f"static const int8_t {name}[{len(flat)}] = {{\n{listed(flat)}\n}};"


def in_comment(text: str) -> list[str]:
    """The lines of a text in a comment, which none of it ends or begins.

    Example:
        >>> in_comment("the tags */ and /* of a step")
        ['the tags * / and / * of a step']
    """
    return wrap(text.replace("*/", "* /").replace("/*", "/ *"), 100)


def int_array(name: str, values: NDArray[np.integer]) -> str:
    """The definition of a constant array of whole numbers."""
    return f"static const int {name}[{values.size}] = {{\n{listed(map(str, values.ravel().tolist()))}\n}};"


def in_bytes(matrix: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix as bytes and a scale for each of its rows: ``scale * byte`` is nearest to what it was.

    Example:
        >>> numbers, scale = in_bytes(np.array([[127.0, -63.5], [0.0, 0.0]]))
        >>> numbers.tolist(), scale.tolist()
        ([[127, -64], [0, 0]], [1.0, 1.0])
    """
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
    return np.rint(matrix / scale[:, None]).clip(-127, 127).astype(np.int8), scale


def identifier(name: str) -> str:
    """A name that C takes, of a file's or a model's.

    Raises:
        ConfigError: nothing is left of it.

    Example:
        >>> identifier("my model-2"), identifier("2nd")
        ('my_model_2', 'm2nd')
    """
    kept = "".join(each if each.isascii() and each.isalnum() else "_" for each in name).strip("_").lower()
    if not kept:
        raise ConfigError(f"expected a name of letters and digits for the C files, got {name!r}.")
    return f"m{kept}" if kept[0].isdigit() else kept
