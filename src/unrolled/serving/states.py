"""The state of a stream as bytes: JSON, or safetensors; never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from pydantic_core import from_json

from unrolled.errors import DataError
from unrolled.serving.answers import JSON_TYPE
from unrolled.serving.refusal import RefusedError
from unrolled.tasks.stream_state import StreamState

SAFETENSORS_TYPE = "application/octet-stream"
_VALUES = "values.json"
"""The tensor of bytes in which the values stand, as JSON."""


def size_of(state: StreamState | None) -> int:
    """The bytes that a state takes."""
    if state is None:
        return 0
    return sum(array.nbytes for array in state.arrays.values()) + len(json.dumps(dict(state.values)))


def state_bytes(state: StreamState) -> bytes:
    """A state as safetensors.

    Example:
        >>> state = StreamState({"h": np.ones((1, 2), dtype=np.float32)}, {"made": 3})
        >>> again = state_of(state_bytes(state), SAFETENSORS_TYPE)
        >>> again.arrays["h"].tolist(), again.values
        ([[1.0, 1.0]], {'made': 3})
    """
    values = np.frombuffer(json.dumps(dict(state.values)).encode(), dtype=np.uint8)
    arrays = {name: np.ascontiguousarray(array) for name, array in state.arrays.items()}
    return safetensors.numpy.save({**arrays, _VALUES: values})


def state_of(data: bytes, kind: str) -> StreamState:
    """The state in a body of a type.

    Raises:
        DataError: it holds none.
        RefusedError: there is no such type of states.
    """
    if kind == JSON_TYPE:
        return StreamState.from_json(_json(data))
    if kind != SAFETENSORS_TYPE:
        raise RefusedError(
            415, f"expected a state as {JSON_TYPE} or {SAFETENSORS_TYPE}, got {kind or 'none'!r:.60}."
        )
    try:
        arrays = dict(safetensors.numpy.load(data))
        values = _json(bytes(arrays.pop(_VALUES)))
    except (safetensors.SafetensorError, LookupError, TypeError, ValueError, AttributeError):
        raise DataError("expected the state that a step of this stream gave, as safetensors") from None
    if not isinstance(values, Mapping):
        raise DataError("expected the state that a step of this stream gave, with its values")
    return StreamState(arrays, dict(values))


def _json(data: bytes) -> Any:
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise RefusedError(400, f"expected JSON, got something else: {error}.") from None
