"""Several numbers that are forecast of the same steps: a series for each, which is told of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from unrolled.data.example import Series
from unrolled.data.tables import Table

WHICH = "(target)"
"""The covariate that says which of them a series is."""


def target_names(table: Table, asked: str) -> tuple[str, ...]:
    """The columns that one text asks for, several with commas between.

    Raises:
        DataError: there is no such column.

    Example:
        >>> table = Table("a.csv", {"low": ["1"], "high": ["2"], "a,b": ["3"]}, np.array([2]))
        >>> target_names(table, "low, high"), target_names(table, "a,b")
        (('low', 'high'), ('a,b',))
    """
    names = (asked,) if asked in table.columns else tuple(name.strip() for name in asked.split(","))
    for name in names:
        table.column(name)
    return tuple(dict.fromkeys(names))


def told_of_others(targets: Sequence[str]) -> tuple[str, ...]:
    """The names of the covariates that several targets bring.

    Example:
        >>> told_of_others(["low", "high"]), told_of_others(["low"])
        (('high for low', 'low for high', '(target)'), ())
    """
    if len(targets) < 2:
        return ()
    return (*(f"{other} for {own}" for own, other in permutations(targets, 2)), WHICH)


def sister(series: Series, name: str) -> str | None:
    """The name of the series whose numbers a covariate holds, where it is another target of this one.

    Example:
        >>> series = Series("a", np.arange(1), np.zeros(1), np.zeros((1, 0)))
        >>> low, _ = by_target(series, np.ones((1, 2)), ["low", "high"], True)
        >>> sister(low, "high for low"), sister(low, "low for high")
        ('a: high', None)
    """
    for other in series.categories.get(WHICH, ()):
        if other != series.target and name == f"{other} for {series.target}":
            return _name(series.of, other)
    return None


def _name(of: str | None, target: str) -> str:
    return target if of is None else f"{of}: {target}"


def by_target(series: Series, numbers: np.ndarray, targets: Sequence[str], named: bool) -> Iterator[Series]:
    """A series for each target, up to the last step at which any of them is known.

    Each has the others among its covariates, in columns of its own, so that what they say of it is learnt
    apart from what it says of them.

    Args:
        series: of which the numbers are.
        numbers: ``(time, target)``.
        targets: what they are called.
        named: whether the series has a name.

    Example:
        >>> series = Series("a", np.arange(2), np.zeros(2), np.zeros((2, 0)))
        >>> low, high = by_target(series, np.array([[1.0, 5.0], [2.0, 6.0]]), ["low", "high"], True)
        >>> high.unique_id, high.values.tolist(), high.names
        ('a: high', [5.0, 6.0], ('high for low', 'low for high', '(target)'))
        >>> high.covariates.tolist()
        [[nan, 1.0, 1.0], [nan, 2.0, 1.0]]
    """
    known = ~np.isnan(numbers).all(axis=1)
    joint = replace(series, values=np.where(known, 0.0, np.nan)).up_to_present()
    pairs = list(permutations(range(len(targets)), 2))
    for place, target in enumerate(targets):
        others = np.full((len(joint), len(pairs)), np.nan)
        for column, (own, other) in enumerate(pairs):
            if own == place:
                others[:, column] = numbers[: len(joint), other]
        which = np.full((len(joint), 1), float(place))
        future = joint.future
        if future is not None:
            unknown = np.full((len(future), len(pairs)), np.nan)
            future = np.concatenate([future, unknown, np.full((len(future), 1), float(place))], axis=1)
        yield replace(
            joint,
            unique_id=_name(series.unique_id if named else None, target),
            values=numbers[: len(joint), place],
            covariates=np.concatenate([joint.covariates, others, which], axis=1),
            names=(*series.names, *told_of_others(targets)),
            source=replace(series.source, column=target),
            future=future,
            categories={**series.categories, WHICH: tuple(targets)},
            target=target,
            of=series.unique_id if named else None,
        )
