"""Labels as they came, beside the texts that stand for them in vocabularies, reports and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.data.example import Source
from unrolled.data.targets import label_text
from unrolled.errors import DataError
from unrolled.saving.schema import ENTRIES

_DTYPE = r"^[<>|=]?(\?|b1|[iuf][1248]|U\d{1,4}|O|[mM]8(\[[A-Za-z]{1,2}\])?)$"
"""The types of arrays that labels come in."""


@with_config(ENTRIES)
class SavedLabels(TypedDict):
    """`LabelValues` in a model folder."""

    values: dict[str, str | int | float | bool]
    dtype: Annotated[str, Field(pattern=_DTYPE)] | None


@dataclass(frozen=True, slots=True, eq=False)
class LabelValues:
    """What every label was before it became a text.

    Attributes:
        of_name: the label by its text.
        dtype: of the array that labels come back in; None where they come back in a list.

    Example:
        >>> values = LabelValues.of_array(np.array([10, 9, 9]))
        >>> values.names, values.restored(["9", "10"])
        (('9', '10'), array([ 9, 10]))
    """

    of_name: Mapping[str, Any]
    dtype: np.dtype | None = None

    @classmethod
    def of_array(cls, labels: np.ndarray) -> Self:
        """The distinct labels of an array, in rising order.

        Raises:
            DataError: two labels have the same text.
        """
        distinct = np.unique(labels)
        plain = distinct.astype(str) if distinct.dtype.kind in "mM" else distinct
        names = [label_text(value, Source()) for value in plain.tolist()]
        of_name = dict(zip(names, distinct, strict=True))
        if len(of_name) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError(f"expected labels whose texts differ, got several that read {twice!r}")
        return cls(of_name, labels.dtype)

    @classmethod
    def of_list(cls, labels: Iterable[Any]) -> Self:
        """The distinct labels of a list, in the order in which they are first met."""
        of_name: dict[str, Any] = {}
        for value in labels:
            of_name.setdefault(label_text(value, Source()), value)
        return cls(of_name)

    def extended(self, names: Iterable[str]) -> Self:
        """These labels and further ones, of the type that these have, where their texts can be of it.

        Example:
            >>> LabelValues({"1": 1}).extended(["2"]).of_name
            {'1': 1, '2': 2}
        """
        kinds = {type(value) for value in self.of_name.values()}
        kind = kinds.pop() if len(kinds) == 1 else str
        return type(self)({**self.of_name, **{name: _of_kind(name, kind) for name in names}}, self.dtype)

    @property
    def names(self) -> tuple[str, ...]:
        """The texts of the labels."""
        return tuple(self.of_name)

    def restored(self, names: Sequence[str]) -> Any:
        """The labels that have these texts: an array or a list, as they came."""
        labels = [self.of_name.get(name, name) for name in names]
        return labels if self.dtype is None else self.array(labels)

    def array(self, labels: Sequence[Any]) -> np.ndarray:
        """Labels in an array: of the dtype they came in, or of what they are."""
        if self.dtype is not None:
            return np.array(labels, dtype=self.dtype)
        made = np.array(labels)
        return made if made.ndim == 1 else np.array(labels, dtype=object)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON; what JSON has no form for becomes its text."""
        return {
            "values": {name: _plain(value) for name, value in self.of_name.items()},
            "dtype": None if self.dtype is None else self.dtype.str,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        if value["dtype"] is None:
            return cls(value["values"])
        dtype = np.dtype(value["dtype"])
        labels = np.array(list(value["values"].values()), dtype=dtype)
        return cls(dict(zip(value["values"], labels, strict=True)), dtype)


def _of_kind(name: str, kind: type) -> Any:
    try:
        return name if kind is bool else kind(name)
    except (TypeError, ValueError):
        return name


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) and value.dtype.kind in "iufbU" else value
    return value if isinstance(value, str | int | float | bool) else str(value)
