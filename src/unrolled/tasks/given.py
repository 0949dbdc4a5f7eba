"""Data handed over in Python, as examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.data.example import Example, Examples, Source
from unrolled.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class AlreadyRead:
    """Data as a task holds what it has read."""

    data: Any


def given_examples(data: Iterable[Any], labelled: bool) -> Examples:
    """A list of examples, of inputs, or of pairs of input and target.

    Args:
        data: `Example` objects; else pairs of input and target where ``labelled``, and inputs where not.
        labelled: whether targets are needed.

    Raises:
        DataError: an entry is not of that form; names its place, counted from 1.

    Example:
        >>> given_examples([("fine", "pos")], labelled=True)[0].target
        'pos'
    """
    items: list[Example] = []
    for place, entry in enumerate(data, start=1):
        if isinstance(entry, Example):
            items.append(entry)
        elif not labelled:
            items.append(Example(entry, None, Source(None, place)))
        elif isinstance(entry, tuple) and len(entry) == 2:
            items.append(Example(*entry, Source(None, place)))
        else:
            raise DataError(
                f"expected a pair of input and target, got {entry!r:.60}",
                row=place,
                remedy="give pairs, or the inputs as X and the targets as y",
            )
    if labelled and not items:
        raise DataError("expected examples to learn from or to score, got none")
    return Examples(tuple(items))


def paired_examples(inputs: Sequence[Any], targets: Sequence[Any]) -> list[Example]:
    """Examples of inputs and of the targets beside them.

    Raises:
        DataError: there are more of the one than of the other, or none.

    Example:
        >>> paired_examples(["fine"], ["pos"])[0].target
        'pos'
    """
    if len(inputs) != len(targets):
        raise DataError(
            f"expected as many targets in y as there are inputs in X, got {len(inputs):,} inputs and "
            f"{len(targets):,} targets"
        )
    if not len(inputs):
        raise DataError("expected examples to learn from or to score, got none")
    return [
        Example(one, target, Source(None, place))
        for place, (one, target) in enumerate(zip(inputs, targets, strict=True), start=1)
    ]


def is_further_data(X: Any, y: Any, is_pair: Callable[[Any], bool]) -> bool:
    """Whether what stands in the place of targets is data in the form of ``X``, to choose the best epoch by.

    Example:
        >>> pairs = [("fine", "pos"), ("dull", "neg")]
        >>> is_pair = lambda entry: isinstance(entry, tuple)
        >>> is_further_data(pairs, pairs[:1], is_pair), is_further_data(["a", "b"], [0, 1], is_pair)
        (True, False)
    """
    if isinstance(y, str | Path):
        return True
    if hasattr(X, "columns") and hasattr(y, "columns"):
        return list(X.columns) == list(y.columns)

    def holds_pairs(data: Any) -> bool:
        return isinstance(data, list | tuple) and bool(data) and all(map(is_pair, data))

    return holds_pairs(X) and holds_pairs(y)


def listed_texts(data: Any) -> Any:
    """The texts of a Series, of an array, or of a frame's column of texts in a list; other data as it is.

    Raises:
        DataError: a frame has several columns of texts, or none.

    Example:
        >>> import pandas as pd
        >>> listed_texts(pd.Series(["once", "upon"]))
        ['once', 'upon']
    """
    if not hasattr(data, "columns"):
        return data.tolist() if hasattr(data, "tolist") else data
    texts = [name for name in data.columns if len(data) and isinstance(data[name].iloc[0], str)]
    name = "text" if "text" in texts else texts[0] if len(texts) == 1 else None
    if name is None:
        raise DataError(
            f"expected a column of texts called text, the columns are {', '.join(map(str, data.columns))}",
            remedy="give one of them",
        )
    return data[name].tolist()
