"""Where a stream is: arrays and values that go from step to step, through anybody's hands between them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrolled.errors import DataError, ModelFolderError
from unrolled.saving.schema import conforming

_TYPES = re.compile(r"[<>|=]?(\?|b1|[iuf][1248])")
"""The types of numbers that arrays are of."""
_NOT_A_STATE = "expected the state that a step of this stream gave, got something else"


@dataclass(frozen=True, slots=True, eq=False)
class StreamState:
    """All that a stream's next step has to know of the steps before.

    Attributes:
        arrays: by name, such as the network's state.
        values: plain JSON values.

    Example:
        >>> state = StreamState({"h": np.ones((1, 1, 2), dtype=np.float32)}, {"made": 3})
        >>> again = StreamState.from_json(state.to_json())
        >>> again.arrays["h"].tolist(), again.values
        ([[[1.0, 1.0]]], {'made': 3})
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether it is that before the first step, of any stream."""
        return not (self.arrays or self.values)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; arrays to the bit, their bytes in base64."""
        arrays = {
            name: {
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "data": base64.b64encode(array.tobytes()).decode(),
            }
            for name, array in self.arrays.items()
        }
        return {"arrays": arrays, "values": dict(self.values)}

    @classmethod
    def from_json(cls, value: Any) -> StreamState:
        """The inverse of `to_json`.

        Raises:
            DataError: it is not what `to_json` gave.
        """
        try:
            if value.keys() != {"arrays", "values"}:
                raise DataError(_NOT_A_STATE)
            return cls(
                {str(name): _array(each) for name, each in value["arrays"].items()}, dict(value["values"])
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise DataError(_NOT_A_STATE) from None


@dataclass(frozen=True, slots=True)
class ArrayForm:
    """What an array of a state has to be.

    Attributes:
        kind: of its type, as NumPy's ``dtype.kind``: ``f``, ``i``, ``u`` or ``b``.
        shape: its sizes; a name stands for one that may be any, the same wherever the name is.
        below: numbers are from 0 up to, and without, this; None for any that are finite.
    """

    kind: str
    shape: tuple[int | str, ...]
    below: int | None = None

    def require(self, name: str, array: np.ndarray, sizes: dict[str, int]) -> None:
        """Hold an array to it.

        Args:
            name: of the array, for messages.
            array: what came.
            sizes: those that names have stood for so far; new ones are added.

        Raises:
            DataError: its type, its shape or one of its numbers is another.
        """
        fits = array.ndim == len(self.shape) and all(
            found == (sizes.setdefault(size, found) if isinstance(size, str) else size)
            for found, size in zip(array.shape, self.shape, strict=True)
        )
        if array.dtype.kind != self.kind or not fits:
            raise DataError(
                f"expected a state of this model, with an array {name!r} of shape {_shown(self.shape)} and "
                f"type {self.kind!r}, got {_shown(array.shape)} and {array.dtype.kind!r}"
            )
        if self.kind == "f" and not np.isfinite(array).all():
            raise DataError(f"expected finite numbers in the state's array {name!r}, got NaN or infinity")
        if self.below is not None and array.size and not (array.min() >= 0 and array.max() < self.below):
            raise DataError(f"expected numbers from 0 to {self.below - 1} in the state's array {name!r}")


@dataclass(frozen=True, slots=True)
class StateForm:
    """What a state has to hold to be one of a stream's.

    Attributes:
        arrays: by name; all of them must be there, and no others.
        values: the schema of the values, as `unrolled.saving.schema.conforming` takes it.
    """

    arrays: Mapping[str, ArrayForm]
    values: Any

    def require(self, state: StreamState) -> None:
        """Hold a state to it, unless it is empty.

        Raises:
            DataError: an array or a value is missing, unknown, or another.
        """
        if state.empty:
            return
        missing = [name for name in self.arrays if name not in state.arrays]
        unknown = [name for name in state.arrays if name not in self.arrays]
        if missing or unknown:
            got = f"none of this name: {missing[0]!r}" if missing else f"one more, {unknown[0]!r:.60}"
            raise DataError(f"expected a state of this model, with its arrays, got {got}")
        sizes: dict[str, int] = {}
        for name, array in state.arrays.items():
            self.arrays[name].require(name, array, sizes)
        try:
            conforming("state", dict(state.values), self.values)
        except ModelFolderError as error:
            said = str(error).partition(": ")[2].rpartition("; ")[0]
            raise DataError(f"{_NOT_A_STATE}: {said}") from None


@contextmanager
def state_fits() -> Iterator[None]:
    """Inside the `with` a step reads a state that was handed over: whole, but not of this stream after all.

    Raises:
        DataError: instead of what reading it raised.
    """
    try:
        yield
    except DataError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RuntimeError):
        raise DataError(_NOT_A_STATE) from None


def _array(value: Mapping[str, Any]) -> np.ndarray:
    shape, dtype = value["shape"], value["dtype"]
    if not _TYPES.fullmatch(dtype) or not all(type(size) is int and size >= 0 for size in shape):
        raise DataError(_NOT_A_STATE)
    data = base64.b64decode(value["data"], validate=True)
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape).copy()


def _shown(shape: tuple[int | str, ...]) -> str:
    return " × ".join(map(str, shape)) or "one number"
