"""Series that are handed over in Python in another form than a table with a row a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.example import Series

_OF_LONG_FORM = frozenset({"unique_id", "ds", "y"})


def long_frame(data: Any) -> Any:
    """Series as one frame in long format; what is in it already, or is no such data, stays as it is.

    Args:
        data: a frame with a column for each series, as a pivot makes it (its columns then have a name, or
            several levels); a mapping of names to series; a list of several series; one series of numbers.
            A series is a pandas Series, an array or a list.

    Example:
        >>> long_frame({"a": [1.0, 2.0], "b": [3.0]})["y"].tolist()
        [1.0, 2.0, 3.0]
        >>> long_frame([1.0, 2.0]).columns.tolist()
        ['y']
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return _of_columns(data) if _has_a_series_a_column(data) else data
    if isinstance(data, Mapping):
        return _joined([(str(name), one) for name, one in data.items()])
    if isinstance(data, np.ndarray) and data.ndim == 1:
        return pd.DataFrame({"y": data})
    if (
        not isinstance(data, Sequence)
        or isinstance(data, str)
        or not len(data)
        or isinstance(data[0], Series)
    ):
        return data
    if isinstance(data[0], str | Path | pd.DataFrame) or (len(data) == 1 and isinstance(data[0], pd.Series)):
        return data
    if np.isscalar(data[0]) or data[0] is None:
        return pd.DataFrame({"y": pd.to_numeric(pd.Series(data))})
    names = [getattr(one, "name", None) for one in data]
    return _joined(
        [
            (f"series {place}" if name is None else str(name), one)
            for place, (name, one) in enumerate(zip(names, data, strict=True), start=1)
        ]
    )


def _has_a_series_a_column(frame: Any) -> bool:
    from pandas.api.types import is_numeric_dtype

    named = frame.columns.name is not None or frame.columns.nlevels > 1
    return named and not _OF_LONG_FORM & set(frame.columns) and all(map(is_numeric_dtype, frame.dtypes))


def _of_columns(frame: Any) -> Any:
    names = ["/".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    return _joined(list(zip(names, (frame.iloc[:, place] for place in range(len(names))), strict=True)))


def _joined(named: list[tuple[str, Any]]) -> Any:
    """Series one below the other, each from its first number to its last."""
    import pandas as pd

    parts = []
    for name, one in named:
        series = one if isinstance(one, pd.Series) else pd.Series(np.asarray(one, dtype=float))
        first, last = series.first_valid_index(), series.last_valid_index()
        part = pd.DataFrame({"unique_id": name, "y": series.loc[first:last] if first is not None else series})
        index = series.index
        if not isinstance(index, pd.RangeIndex):
            part["ds"] = part.index
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
