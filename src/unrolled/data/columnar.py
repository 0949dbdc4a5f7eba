"""Columns of Parquet and Arrow files, classes by the names that Hugging Face stores beside their numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from unrolled.errors import DataError


def columns_of_parquet(path: Path, content: bytes) -> dict[str, Sequence[Any]]:
    """The columns of a Parquet file.

    Raises:
        DataError: it is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    return _columns(path, "a Parquet file", lambda: pq.read_table(pa.BufferReader(content)))


def columns_of_arrow(path: Path, content: bytes) -> dict[str, Sequence[Any]]:
    """The columns of an Arrow file, a stream of record batches (as `datasets` saves them) or a file.

    Raises:
        DataError: it is none.
    """
    import pyarrow as pa

    def read() -> Any:
        opened = pa.ipc.open_file if content.startswith(b"ARROW1") else pa.ipc.open_stream
        return opened(pa.BufferReader(content)).read_all()

    return _columns(path, "an Arrow file", read)


def _columns(path: Path, what: str, read: Callable[[], Any]) -> dict[str, Sequence[Any]]:
    import pyarrow as pa

    try:
        frame = read()
        # Offsets that a file claims are believed from here on, by what reads them in native code.
        frame.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"expected {what}, but {said if len(said) <= 60 else said[:57] + '...'}", path=path
        ) from error
    columns = {name: frame.column(name).to_pylist() for name in frame.column_names}
    for name, feature in _features(frame.schema.metadata or {}).items():
        names = _class_names(feature)
        if names and name in columns:
            columns[name] = [_named(cell, names) for cell in columns[name]]
    return columns


def _features(metadata: Mapping[bytes, bytes]) -> Mapping[str, Any]:
    """What `datasets` says of the columns."""
    try:
        return dict(json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _class_names(feature: Any) -> Sequence[str]:
    """The names of the classes of a column, or of the entries of its lists; none where it has no classes."""
    if isinstance(feature, list) and len(feature) == 1:
        return _class_names(feature[0])
    if not isinstance(feature, Mapping):
        return ()
    if feature.get("_type") == "ClassLabel":
        return tuple(feature.get("names") or ())
    return _class_names(feature.get("feature"))


def _named(cell: Any, names: Sequence[str]) -> Any:
    if isinstance(cell, list):
        return [_named(each, names) for each in cell]
    # -1 stands for no label in parts without labels.
    return names[cell] if isinstance(cell, int) and 0 <= cell < len(names) else None
