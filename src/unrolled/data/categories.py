"""Columns beside a series whose values are categories, such as a shop's kind or the weather."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.data.example import Series
from unrolled.data.scaling import held
from unrolled.data.tables import Table, is_missing
from unrolled.errors import DataError

MOST = 50
"""Different values of a column of texts up to which it is read by default."""
_MOST_ASKED = 1_000
"""And where it was asked for: each is an input of the network."""
_ROWS_EACH = 2
"""Rows for each of them that it takes at least, lest they are remarks."""
UNKNOWN = -1.0
"""The number of a category that training has not seen; those that it has seen count from 0."""
_WHOLE = re.compile(r"(-?\d+)\.0+")


def category_text(cell: Any) -> str:
    """A category as one text, however it was stored; empty for a cell without a value.

    Example:
        >>> category_text(3.0), category_text("3.0"), category_text(" rain "), category_text(None)
        ('3', '3', 'rain', '')
    """
    if is_missing(cell):
        return ""
    text = str(cell).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def is_categorical(table: Table, name: str, unique_id: str | None) -> bool:
    """Whether a column of texts tells few things apart, and not the series or the rows themselves.

    Example:
        >>> columns = {"sky": ["clear", "rain"] * 4, "note": [f"see {number}" for number in range(8)]}
        >>> table = Table("days.csv", columns, np.arange(2, 10))
        >>> is_categorical(table, "sky", None), is_categorical(table, "note", None)
        (True, False)
    """
    cells = table.column(name)
    found: set[str] = set()
    for cell in cells:
        if not (isinstance(cell, str | bool | int | float | np.generic) or is_missing(cell)):
            return False
        found.add(category_text(cell))
        if len(found) > MOST:
            return False
    if len(found) < 2 or len(found) * _ROWS_EACH > len(cells):
        return False
    return unique_id is None or not _names_again(cells, table.column(unique_id), found)


def _names_again(cells: Sequence[Any], series: Sequence[Any], found: Collection[str]) -> bool:
    """Whether each series has a value of its own."""
    pairs = {(str(name), category_text(cell)) for name, cell in zip(series, cells, strict=True)}
    return len(pairs) == len(found) == len({name for name, _ in pairs})


def learned_categories(table: Table, name: str, known: np.ndarray) -> tuple[str, ...]:
    """The categories of a column; that nothing is said is one, where it is so of steps to learn from.

    Args:
        table: the table.
        name: the column.
        known: ``(row,)``, whether there is a number to learn from.

    Raises:
        DataError: there are too many.
    """
    texts = [category_text(cell) for cell in table.column(name)]
    found = {text for text in texts if text}
    if len(found) > _MOST_ASKED:
        raise DataError(
            f"expected at most {_MOST_ASKED:,} categories, got {len(found):,}",
            path=table.path,
            column=name,
            remedy="leave the column out, or bring its values together",
        )
    empty = any(not text and there for text, there in zip(texts, known, strict=True))
    return (*([""] if empty else []), *sorted(found))


def codes_of(cells: Sequence[Any], categories: Sequence[str]) -> np.ndarray:
    """The number of each cell's category, NaN where a cell is empty though none was in training.

    Example:
        >>> codes_of(["rain", "hail", None], ("clear", "rain"))
        array([ 1., -1., nan])
    """
    numbers = {text: float(number) for number, text in enumerate(categories)}
    numbers.setdefault("", np.nan)
    return np.array([numbers.get(category_text(cell), UNKNOWN) for cell in cells], dtype=np.float64)


def one_hot(codes: np.ndarray, count: int) -> np.ndarray:
    """A column for each category, ``(time, count)``: what was last said of it holds until something else is.

    What is unknown, or was never said, has a one in none of them.

    Example:
        >>> one_hot(np.array([np.nan, 1.0, np.nan, -1.0]), 2).tolist()
        [[0.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    """
    return (held(codes, UNKNOWN)[:, None] == np.arange(count)).astype(np.float64)


def unknown_categories(table: Table, categories: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """By column the values that training has not seen."""
    found = {}
    for name, known in categories.items():
        texts = {category_text(cell) for cell in table.column(name)} - {"", *known}
        if texts:
            found[name] = sorted(texts)
    return found


def recoded(series: Series, categories: Mapping[str, Sequence[str]]) -> Series:
    """A series whose categories are numbered as these are.

    Example:
        >>> one = Series("a", np.arange(2), np.zeros(2), np.array([[0.0], [1.0]]), ("sky",))
        >>> one = replace(one, categories={"sky": ("clear", "rain")})
        >>> recoded(one, {"sky": ("hail", "rain")}).covariates.ravel().tolist()
        [-1.0, 1.0]

    Raises:
        DataError: a covariate is categories here, and numbers there.
    """
    if series.categories == categories:
        return series
    for name in series.names:
        if (name in series.categories) != (name in categories):
            kinds = ("categories", "numbers")[:: 1 if name in categories else -1]
            raise series.source.error(f"expected {kinds[0]} in the covariate {name!r}, got {kinds[1]}")
    covariates = series.covariates.copy()
    future = None if series.future is None else series.future.copy()
    for name, own in series.categories.items():
        if name not in series.names:
            continue
        place = series.names.index(name)
        numbers = np.append(codes_of(own, categories[name]), UNKNOWN)  # the last is that of no number
        for part in (covariates, future):
            if part is not None:
                given = ~np.isnan(part[:, place])
                part[given, place] = numbers[part[given, place].astype(np.int64)]
    return replace(series, covariates=covariates, future=future, categories=dict(categories))


def alike(series: Sequence[Series]) -> tuple[Series, ...]:
    """Series that were read from several tables, with the same categories in all."""
    together: dict[str, tuple[str, ...]] = {}
    for one in series:
        for name, own in one.categories.items():
            together[name] = tuple(sorted({*together.get(name, ()), *own}))
    return tuple(recoded(one, together) for one in series)


def static_names(series: Sequence[Series]) -> tuple[str, ...]:
    """The covariates that never change within a series, where there are several series.

    Example:
        >>> beside = np.array([[1.0, 1.0], [1.0, 2.0]])
        >>> first = Series("a", np.arange(2), np.zeros(2), beside, ("size", "price"))
        >>> static_names([first, replace(first, unique_id="b")])
        ('size',)
    """
    if len(series) < 2:
        return ()
    return tuple(
        name
        for place, name in enumerate(series[0].names)
        if all(_holds(one.covariates[:, place]) for one in series)
    )


def _holds(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return not len(known) or bool((known == known[0]).all())
