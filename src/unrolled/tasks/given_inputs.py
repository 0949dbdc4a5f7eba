"""The inputs of `fit(X, y)` and of `predict(X)`, one for each sequence, from what people keep them in."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.errors import DataError
from unrolled.saving.schema import ENTRIES, Size


@with_config(ENTRIES)
class SavedGivenForm(TypedDict):
    """A `GivenForm` in a model folder."""

    width: Size | None
    channels: Size | None
    names: list[str] | None


@dataclass(frozen=True, slots=True)
class GivenForm:
    """How the inputs of `fit(X, y)` came, which settles how later ones are read.

    Attributes:
        width: the columns of a two-dimensional array or a frame of numbers, each row of which is a sequence
            of single numbers; None where sequences came in another form.
        channels: the numbers of a step; None where sequences are not of numbers.
        names: the names of a frame's columns, where they are texts.

    Example:
        >>> sequences_of(np.zeros((5, 3)))[1]
        GivenForm(width=3, channels=1, names=None)
    """

    width: int | None = None
    channels: int | None = None
    names: tuple[str, ...] | None = None

    @property
    def features(self) -> int | None:
        """What scikit-learn calls the number of features: columns, or numbers of a step."""
        return self.channels if self.width is None else self.width

    def require_as(self, before: GivenForm, estimator: str) -> None:
        """Require a table's columns to be those of the table that training had.

        Raises:
            DataError: there are more or fewer, or others.
        """
        if self.width is None or before.width is None:
            return
        if self.names is not None and before.names is not None and self.names != before.names:
            raise DataError(_other_names(self.names, before.names))
        if self.width != before.width:
            raise DataError(
                f"X has {self.width} features, but {estimator} is expecting {before.width} features as input",
                remedy="give sequences of other lengths as a list, list(X)",
            )

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        names = value["names"]
        return cls(value["width"], value["channels"], None if names is None else tuple(names))


def plain(data: Any) -> Any:
    """A frame or a column of Polars or Arrow as one of pandas; anything else as it is."""
    import pandas as pd

    if isinstance(data, pd.DataFrame | pd.Series) or not hasattr(data, "__arrow_c_stream__"):
        return data
    import pyarrow as pa

    if hasattr(data, "columns"):
        return pa.table(data).to_pandas()
    return pa.chunked_array(data).to_pandas()


def sequences_of(X: Any) -> tuple[list[Any], GivenForm]:
    """The sequences in ``X``, and how they came.

    Args:
        X: a list of sequences; an array ``(sequences, time)``, ``(sequences, time, channels)`` or of objects;
            a Series of sequences; a frame with a row of numbers, or cells of sequences, for each, or with a
            further level of the index for the steps of each.

    Raises:
        DataError: it is none of these.

    Example:
        >>> sequences_of([[1.0], [2.0, 3.0]])
        ([[1.0], [2.0, 3.0]], GivenForm(width=None, channels=1, names=None))
    """
    import pandas as pd
    from scipy.sparse import issparse

    if isinstance(X, str | bytes | Path | Mapping):
        raise DataError(f"expected a list, an array or a frame of sequences, got {X!r:.60}")
    if issparse(X):
        raise DataError("expected sequences, got a sparse matrix", remedy="make it dense, X.toarray()")
    if isinstance(X, pd.DataFrame):
        return _of_frame(X)
    if isinstance(X, pd.Series | pd.Index):
        return _of_list(X.tolist())
    if isinstance(X, list | tuple):
        return _of_list(list(X))
    if hasattr(X, "__array__"):
        return _of_array(np.asarray(X))
    return _of_list(list(X))


def _of_array(array: np.ndarray, names: tuple[str, ...] | None = None) -> tuple[list[Any], GivenForm]:
    if array.dtype.kind == "c":
        raise DataError("Complex data not supported: expected real numbers, got complex ones")
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind in "OUT" and _is_text(array[:, 0]):
        return array[:, 0].tolist(), GivenForm()  # a column of texts
    if array.ndim == 1 and array.dtype.kind in "OUT":
        return _of_list(array.tolist())
    if array.ndim < 2:
        raise DataError(
            f"expected an array (sequences, time) or (sequences, time, channels), got one of shape "
            f"{array.shape}",
            remedy="Reshape your data, for one sequence by X.reshape(1, -1)",
        )
    if array.shape[1] == 0:
        raise DataError(
            f"expected steps in every sequence, got 0 feature(s) (shape={array.shape}) while a minimum of 1 "
            "is required"
        )
    if array.ndim == 2:
        return list(_numeric(array)), GivenForm(array.shape[1], 1, names)
    channels = array.shape[2] if array.ndim == 3 else None
    return list(_numeric(array)), GivenForm(channels=channels)


def _numeric(array: np.ndarray) -> np.ndarray:
    """The numbers of an array of objects; another array as it is."""
    if array.dtype.kind in "iufb":
        return array
    for place, row in enumerate(array, start=1):
        try:
            np.asarray(row, dtype=float)
        except (TypeError, ValueError):
            wrong = next(cell for cell in row.flat if not _is_number(cell))
            raise DataError(f"expected numbers, got {wrong!r:.60}", row=place) from None
    return array.astype(float)


def _of_list(items: list[Any]) -> tuple[list[Any], GivenForm]:
    first = items[0] if items else None
    if _is_number(first):
        raise DataError(
            f"expected a list of sequences, got a list of numbers, {items!r:.60}",
            remedy="Reshape your data, for one sequence by [X]",
        )
    if isinstance(first, list | tuple) and first and all(map(_is_number, first)):
        lengths = {len(item) for item in items if isinstance(item, list | tuple)}
        return items, GivenForm(len(first) if len(lengths) == 1 else None, 1)
    dimensions = getattr(first, "ndim", 0)
    if dimensions == 1 and first.dtype.kind in "iufb":  # type: ignore[union-attr]
        return items, GivenForm(channels=1)
    if dimensions == 2:
        return items, GivenForm(channels=first.shape[1])  # type: ignore[union-attr]
    return items, GivenForm()


def _of_frame(frame: Any) -> tuple[list[Any], GivenForm]:
    from pandas.api.types import is_numeric_dtype

    if not len(frame.columns):
        return _of_array(np.empty((len(frame), 0)))
    cells = [frame[name].iloc[0] if len(frame) else None for name in frame.columns]
    if all(isinstance(cell, Sequence | np.ndarray) and not isinstance(cell, str) for cell in cells) or all(
        hasattr(cell, "index") and hasattr(cell, "dtype") for cell in cells
    ):
        return _of_nested(frame)
    if len(frame.columns) == 1 and isinstance(cells[0], str):
        return frame.iloc[:, 0].tolist(), GivenForm()
    if len(frame.columns) == 2 and all(isinstance(cell, str) for cell in cells):
        return list(frame.itertuples(index=False, name=None)), GivenForm()  # two texts read together
    named = zip(frame.columns, frame.dtypes, cells, strict=True)
    others = [str(name) for name, kind, cell in named if not is_numeric_dtype(kind) and not _is_number(cell)]
    if others:
        raise DataError(
            f"expected columns of numbers, one of texts, or some of sequences, got {', '.join(others[:5])} "
            "beside others",
            remedy=f"give the column of the inputs, such as X[{others[0]!r}]",
        )
    if frame.index.nlevels > 1:
        groups = frame.groupby(level=list(range(frame.index.nlevels - 1)), sort=False)
        return [part.to_numpy() for _, part in groups], GivenForm(channels=len(frame.columns))
    are_texts = all(isinstance(name, str) for name in frame.columns)
    return _of_array(frame.to_numpy(), tuple(frame.columns) if are_texts else None)


def _of_nested(frame: Any) -> tuple[list[Any], GivenForm]:
    """A column for each channel, with the sequence of its numbers in every cell."""
    if len(frame.columns) == 1:
        return _of_list(
            [
                np.asarray(cell) if hasattr(cell, "index") and hasattr(cell, "dtype") else cell
                for cell in frame.iloc[:, 0]
            ]
        )
    rows = []
    for place, cells in enumerate(frame.itertuples(index=False), start=1):
        lengths = {len(cell) for cell in cells}
        if len(lengths) > 1:
            raise DataError(
                f"expected as many steps in every column, got {', '.join(map(str, map(len, cells)))}",
                row=place,
            )
        rows.append(np.stack([np.asarray(cell) for cell in cells], axis=1))
    return rows, GivenForm(channels=len(frame.columns))


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real | np.bool_)


def _is_text(column: np.ndarray) -> bool:
    return bool(len(column)) and all(isinstance(cell, str) for cell in column)


def _other_names(got: tuple[str, ...], expected: tuple[str, ...]) -> str:
    """That the columns are others, in scikit-learn's words."""
    lines = ["The feature names should match those that were passed during fit"]
    unseen = [name for name in got if name not in expected]
    missing = [name for name in expected if name not in got]
    if unseen:
        lines.append(f"feature names unseen at fit time: {', '.join(unseen[:5])}")
    if missing:
        lines.append(f"feature names seen at fit time, yet now missing: {', '.join(missing[:5])}")
    if not unseen and not missing:
        lines.append("feature names must be in the same order as they were in fit")
    return "; ".join(lines)
