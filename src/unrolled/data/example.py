"""One sequence as it was read, before it becomes numbers, and where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

import numpy as np

from unrolled.data.table_form import FoundForm
from unrolled.errors import DataError


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example was read, for error messages.

    Attributes:
        path: the file, or the name of a built-in data set; None for data made in Python.
        row: the row where the example begins, counted from 1, header included; None when rows mean nothing.
        column: the column of the target.
        step_rows: the row of every step, where each step has one of its own.
    """

    path: str | Path | None = None
    row: int | None = None
    column: str | None = None
    step_rows: tuple[int, ...] | None = None

    def at(self, step: int) -> Source:
        """Where one step was read."""
        return self if self.step_rows is None else replace(self, row=self.step_rows[step], step_rows=None)

    def error(self, problem: str, *, remedy: str | None = None, column: str | None = None) -> DataError:
        """A `DataError` that points at this place.

        Example:
            >>> print(Source("reviews.tsv", 3, "label").error("expected a label, got nothing"))
            reviews.tsv, row 3, column 'label': expected a label, got nothing.
        """
        return DataError(problem, path=self.path, row=self.row, column=column or self.column, remedy=remedy)


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One input sequence and what is to be learned from it.

    Attributes:
        inputs: a text, a tuple of words, an array `(time, feature)` of numbers, an image
            `(height, width, channel)` or a clip `(time, height, width, channel)` of bytes, a recording, or
            values by name.
        target: a label or a number for the whole sequence, a tuple or an array with one entry per step, or
            None where only a prediction is wanted.
        source: where it was read.
        group: what it has in common with others, such as a speaker; None where nothing is known.
        beside: values of further columns by name; None where none are read.
    """

    inputs: Any
    target: Any = None
    source: Source = Source()
    group: str | None = None
    beside: Mapping[str, str | float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Examples(Sequence[Example]):
    """Examples read together, with what the reader had to assume.

    Attributes:
        items: the examples.
        notes: sentences for the user, such as which column was taken for the label.
        form: how the table was written that they are from; None where they are from no table.
    """

    items: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    form: FoundForm | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Examples: ...
    def __getitem__(self, index: int | slice) -> Example | Examples:
        if isinstance(index, slice):
            return replace(self, items=self.items[index])
        return self.items[index]

    def select(self, rows: Sequence[int] | np.ndarray) -> Examples:
        """The examples at the given positions, in that order."""
        return replace(self, items=tuple(self.items[row] for row in rows))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series of numbers in time, to be forecast.

    Missing numbers are NaN until `unrolled.data.scaling.fill` closes the gaps.

    Attributes:
        unique_id: the series' name.
        times: `(time,)` datetime64 or numbers, ascending, without gaps. Where there is a zone, those of steps
            of a day or longer, or by the clock, are as clocks there show them, those of shorter steps are in
            UTC.
        values: `(time,)` float64, the numbers to forecast.
        covariates: `(time, covariate)` float64, other numbers known at the same steps.
        names: the covariates' names.
        source: where it was read; its column is the one that is forecast.
        season: the number of steps after which the series is expected to repeat; 1 where that is unknown.
        step: the time between two steps by its name, such as `D`, `15min`, `ME` or `10` (see
            `unrolled.data.steps`); None where the times themselves are to show it.
        counted: whether the times only count the series' own steps from 0, since none were given.
        zone: the time zone or offset of the dates, such as `Europe/Berlin` or `+02:00`; None for none.
        in_utc: what stands behind the dates where they are written in UTC though their clocks are those of
            ``zone``: `Z`, or nothing; None where they are written by these clocks.
        future: `(step, covariate)`, the covariates of the steps that follow, as far as they are known
            already, NaN where not; None for none.
        categories: by covariate whose numbers stand for categories these, in order; see
            `unrolled.data.categories`.
        target: which of several numbers of the same steps these are; None where there is one.
        of: the name of the series that they are of, where there are several and it has one.
    """

    unique_id: str
    times: np.ndarray
    values: np.ndarray
    covariates: np.ndarray
    names: tuple[str, ...] = ()
    source: Source = Source()
    season: int = 1
    step: str | None = None
    counted: bool = False
    zone: str | None = None
    in_utc: str | None = None
    future: np.ndarray | None = None
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    target: str | None = None
    of: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, start: int, stop: int) -> Series:
        """The steps from `start` to before `stop`; what follows is known of the last step's alone."""
        return replace(
            self,
            times=self.times[start:stop],
            values=self.values[start:stop],
            covariates=self.covariates[start:stop],
            future=self.future if stop >= len(self) else None,
        )

    def up_to_present(self) -> Series:
        """The series up to its last number, where steps with covariates alone follow it: they are its future.

        Example:
            >>> values, price = np.array([1.0, 2.0, np.nan]), np.array([[5.0], [6.0], [7.0]])
            >>> series = Series("a", np.arange(3), values, price, ("price",)).up_to_present()
            >>> series.values, series.future
            (array([1., 2.]), array([[7.]]))
        """
        known = np.flatnonzero(~np.isnan(self.values))
        end = int(known[-1]) + 1 if len(known) else len(self)
        following = self.covariates[end:]
        if np.isnan(following).all():  # also where there are none
            return self
        return replace(self.slice(0, end), future=following)
