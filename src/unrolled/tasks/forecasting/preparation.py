"""From series as they were read to series as the network sees them, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, with_config
from typing_extensions import TypedDict

from unrolled.data.calendar import clock_times, cycles, future_times, step_of
from unrolled.data.categories import one_hot
from unrolled.data.example import Series
from unrolled.data.public_holidays import on_holidays
from unrolled.data.scaling import SavedScaling, Scaling, fill, held
from unrolled.data.several_targets import sister
from unrolled.data.windows import features
from unrolled.errors import DataError
from unrolled.saving.schema import ENTRIES, Size
from unrolled.tasks.forecasting.scores import seasonal_error

_YEARS = 2
"""Years that the place in the year can be learnt from; in fewer it only counts the steps."""
_PIECE = 100_000
"""Steps whose covariates are computed at a time."""


@with_config(ENTRIES)
class SavedPreparation(TypedDict):
    """A `Preparation` in a model folder."""

    scalings: dict[str, SavedScaling]
    covariates: SavedScaling
    seasonal_errors: dict[str, float]
    names: list[str]
    categories: dict[str, Annotated[list[str], Field(min_length=1)]]
    kind: Literal["standard", "log", "minmax", "none"]
    cycles: Annotated[int, Field(ge=0, le=6)]
    year: bool
    mask: bool
    ahead: list[str]
    horizon: Size
    holidays: dict[str, list[Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]]]


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """What was learnt from the training series.

    Attributes:
        scalings: by series; one that was not in the training data is scaled by its own numbers.
        covariates: the scaling of the covariates, common to all series; that of categories does nothing.
        seasonal_errors: by series, the unit of MASE.
        names: the covariates' names.
        kind: how series are scaled.
        cycles: how many inputs tell the next step's place in the calendar.
        year: whether its place in the year is among them.
        mask: whether the inputs tell missing numbers.
        ahead: the names of the covariates that are known ahead.
        horizon: of how many steps ahead these are read.
        holidays: the public holidays of each country, whose place among the steps ahead is read too.
        categories: those of the covariates that are categories: an input for each of them.
    """

    scalings: Mapping[str, Scaling]
    covariates: Scaling
    seasonal_errors: Mapping[str, float]
    names: tuple[str, ...]
    kind: str
    cycles: int
    year: bool
    mask: bool
    ahead: tuple[str, ...] = ()
    horizon: int = 1
    holidays: Mapping[str, Sequence[str]] = field(default_factory=dict)
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def learn(
        cls,
        series: Sequence[Series],
        kind: str,
        calendar: bool,
        ahead: Sequence[str] = (),
        horizon: int = 1,
        holidays: Mapping[str, Sequence[str]] | None = None,
    ) -> Preparation:
        """Learn from the training series.

        Args:
            series: all of them.
            kind: how they are scaled.
            calendar: whether the place in the calendar is read.
            ahead: the covariates that are known ahead.
            horizon: of how many steps.
            holidays: those of each country that are read.

        Raises:
            DataError: a series has no numbers at all.
        """
        for one in series:
            if np.isnan(one.values).all():
                raise one.source.error(f"expected numbers in series {one.unique_id!r}, got none")
        year = any(_years(one) >= _YEARS for one in series)
        told = {
            cycles(one.times[:1], one.season, year=year, step=step_of(one)).shape[1]
            for one in series
            if len(one) > 1 or one.step is not None
        }
        made = cls(
            {one.unique_id: Scaling.fit(one.values, kind) for one in series},
            Scaling.fit(np.zeros((1, len(series[0].names)))),
            {one.unique_id: seasonal_error(one.values, one.season) for one in series},
            series[0].names,
            kind,
            # Series of several steps of time have no place in the calendar in common.
            told.pop() if calendar and len(told) == 1 else 0,
            year,
            any(bool(np.isnan(one.values).any()) for one in series),
            tuple(ahead),
            horizon,
            holidays or {},
            series[0].categories,
        )
        numbers = np.concatenate([made._numbers(one, one.covariates) for one in series])
        return replace(made, covariates=Scaling.fit(numbers, "standard"))

    @property
    def inputs(self) -> int:
        """How many numbers the network reads at a step."""
        ahead = sum(map(self._width, self.ahead)) + len(self.holidays)
        return 1 + sum(map(self._width, self.names)) + ahead * self.horizon + self.cycles + self.mask

    def _width(self, name: str) -> int:
        """How many numbers a covariate takes."""
        return len(self.categories.get(name, ("",)))

    def lacks_year(self, series: Sequence[Series]) -> bool:
        """Whether these series have dates, and calendars are read, but not the place in the year."""
        return bool(self.cycles) and not self.year and any(one.times.dtype.kind == "M" for one in series)

    def scaling(self, series: Series, known: int | None = None) -> Scaling:
        """How a series is scaled: as in training; one that was not there by its numbers before ``known``."""
        return self.scalings.get(series.unique_id) or Scaling.fit(series.values[:known], self.kind)

    def seasonal_error(self, series: Series, start: int) -> float:
        """The unit of MASE: of the training data, or, for another series, of the steps before ``start``."""
        known = self.seasonal_errors.get(series.unique_id)
        return seasonal_error(series.values[:start], series.season) if known is None else known

    def apply(self, series: Series, known: int | None = None) -> Series:
        """The scaled series; its covariates are scaled, then come those known ahead, and the calendar's.

        These are float32, as the network reads them, and the calendar's are computed a piece at a time: of a
        long series there are many more of them than numbers.

        Args:
            series: as it was read.
            known: see `scaling`.

        Raises:
            DataError: the covariates are not those of the training data.
        """
        if series.names != self.names:
            expected, got = (", ".join(names) or "none" for names in (self.names, series.names))
            raise DataError(
                f"expected the covariates {expected}, got {got}",
                path=series.source.path,
                remedy="give the columns that the model was trained with",
            )
        read = np.empty((len(series), self.inputs - 1 - self.mask), dtype=np.float32)
        place = 0
        for columns in (
            *self._columns(series, series.covariates, known).values(),
            *self._ahead(series, known),
            *self._holidays_ahead(series),
        ):
            read[:, place : place + columns.shape[1]] = columns
            place += columns.shape[1]
        if self.cycles:
            self._write_cycles(series, read[:, place:])
        return replace(series, values=self.scaling(series, known).apply(series.values), covariates=read)

    def read(self, series: Series, known: int | None = None) -> np.ndarray:
        """What the network reads of a series, ``(time, feature)`` float32; see `apply`."""
        return features(self.apply(series, known), mask=self.mask)

    def _ahead(self, series: Series, known: int | None) -> Iterator[np.ndarray]:
        """Of each covariate that is known ahead its scaled numbers at the next steps, ``(time, horizon)``."""
        if not self.ahead:
            return
        beyond = np.full((self.horizon, len(self.names)), np.nan)
        future = beyond[:0] if series.future is None else series.future
        columns = self._columns(series, np.concatenate([series.covariates, future, beyond]), known)
        for name in self.ahead:
            for following in fill(columns[name])[1:].T:
                yield np.lib.stride_tricks.sliding_window_view(following, self.horizon)[: len(series)]

    def _numbers(self, series: Series, covariates: np.ndarray, known: int | None = None) -> np.ndarray:
        """The covariates' numbers: 0 where they are categories; of other targets how these changed."""
        numbers = np.where([name in self.categories for name in self.names], 0.0, covariates)
        for place, name in enumerate(self.names):
            other = sister(series, name)
            if other is not None:
                own = replace(series, unique_id=other, values=covariates[:, place])
                numbers[:, place] = _changes(self.scaling(own, known).apply(own.values))
        return numbers

    def _columns(
        self, series: Series, covariates: np.ndarray, known: int | None = None
    ) -> dict[str, np.ndarray]:
        """Each covariate as the network reads it, ``(time, 1)`` or a number for each category."""
        scaled = self.covariates.apply(self._numbers(series, covariates, known))
        return {
            name: one_hot(covariates[:, place], self._width(name))
            if name in self.categories
            else scaled[:, place : place + 1]
            for place, name in enumerate(self.names)
        }

    def _holidays_ahead(self, series: Series) -> Iterator[np.ndarray]:
        """Of each country whether the next steps are on its holidays, ``(time, horizon)``."""
        if not self.holidays:
            return
        shown = clock_times(series, _following(series, self.horizon))
        for days in self.holidays.values():
            yield np.lib.stride_tricks.sliding_window_view(on_holidays(shown, days), self.horizon)

    def _write_cycles(self, series: Series, read: np.ndarray) -> None:
        """Where the step after each lies in the calendar, ``(time, cycle)``, into what is read."""
        following, step = _following(series, 1), step_of(series)
        for piece in _pieces(len(series)):
            shown = clock_times(series, following[piece])
            read[piece] = cycles(shown, series.season, year=self.year, step=step)

    def with_units(self, series: Sequence[Series]) -> Preparation:
        """The same, with the unit of MASE taken from these series."""
        units = {one.unique_id: seasonal_error(one.values, one.season) for one in series}
        return replace(self, seasonal_errors=units)

    def to_dict(self) -> Any:
        """All of it as plain JSON."""
        return {
            "scalings": {name: scaling.to_dict() for name, scaling in self.scalings.items()},
            "covariates": self.covariates.to_dict(),
            "seasonal_errors": dict(self.seasonal_errors),
            "names": list(self.names),
            "categories": {name: list(texts) for name, texts in self.categories.items()},
            "kind": self.kind,
            "cycles": self.cycles,
            "year": self.year,
            "mask": self.mask,
            "ahead": list(self.ahead),
            "horizon": self.horizon,
            "holidays": {country: list(days) for country, days in self.holidays.items()},
        }

    @classmethod
    def from_dict(cls, content: SavedPreparation) -> Preparation:
        """The inverse of `to_dict`.

        Raises:
            ValueError: scalings are not of a series, or not of each covariate.
        """
        scalings = {name: Scaling.from_dict(each) for name, each in content["scalings"].items()}
        covariates = Scaling.from_dict(content["covariates"])
        shapes = {scaling.center.shape for scaling in scalings.values()}
        if not shapes <= {()} or covariates.center.shape != (len(content["names"]),):
            raise ValueError("expected a number to scale each series by, and one for each covariate")
        for what, names in (("known ahead", content["ahead"]), ("categories", content["categories"])):
            if not set(names) <= set(content["names"]):
                raise ValueError(f"expected covariates to be {what}, got {', '.join(names):.60}")
        return cls(
            scalings,
            covariates,
            content["seasonal_errors"],
            tuple(content["names"]),
            content["kind"],
            content["cycles"],
            content["year"],
            content["mask"],
            tuple(content["ahead"]),
            content["horizon"],
            content["holidays"],
            {name: tuple(texts) for name, texts in content["categories"].items()},
        )


def _changes(values: np.ndarray) -> np.ndarray:
    """The change from the number before, 0 where either is missing."""
    known = held(values, np.nan)
    return np.nan_to_num(np.diff(known, prepend=known[:1]))


def require_logarithms(series: Sequence[Series], kind: str) -> None:
    """Refuse series to learn from that have no logarithms where those are scaled.

    Raises:
        DataError: it names the series.
    """
    for one in series:
        if kind == "log" and (one.values <= 0).any():
            raise one.source.error(
                f"expected numbers above 0 for scaling='log', got {np.nanmin(one.values):g} in series "
                f"{one.unique_id!r}",
                remedy="scale another way",
            )


def _pieces(steps: int) -> Iterator[slice]:
    """So many steps, a piece at a time; none of none."""
    return (slice(first, first + _PIECE) for first in range(0, steps, _PIECE))


def _following(series: Series, steps: int) -> np.ndarray:
    """The times of a series from its second step on, and of as many steps after its last."""
    return np.concatenate([series.times[1:], future_times(series, steps).astype(series.times.dtype)])


def _years(series: Series) -> float:
    """How many years a series with dates spans; whole numbers span none."""
    if series.times.dtype.kind != "M" or not len(series):
        return 0.0
    return float((series.times[-1] - series.times[0]) / np.timedelta64(31_556_952, "s"))
