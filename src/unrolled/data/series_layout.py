"""What the columns of a table of series were taken for, so that later tables are read alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, cast

from pydantic import with_config
from typing_extensions import TypedDict

from unrolled.saving.schema import ENTRIES


@with_config(ENTRIES)
class SavedSeriesLayout(TypedDict):
    """A `SeriesLayout` in a model folder."""

    wide: bool
    unique_id: str | None
    time: list[str]
    target: str | None
    targets: list[str]
    covariates: list[str]
    others: list[str]
    left_out: list[str]
    form: str | None
    dayfirst: bool | None
    zone: str | None
    in_utc: Literal["", "Z"] | None
    notes: list[str]


@dataclass(frozen=True, slots=True)
class SeriesLayout:
    """How a table of series was read.

    Attributes:
        wide: whether each row is a series.
        unique_id: the column that names the series, if any.
        time: the columns that say when.
        target: the column that is forecast, of several the first; None in wide form.
        targets: all of them, where there are several.
        covariates: the columns that help.
        others: further columns of numbers that might have been the target, had nobody said which.
        left_out: columns that are not read.
        form: how the times are written; see `unrolled.data.dates.Dates`.
        dayfirst: whether the day comes before the month; None where that is no question.
        zone: the time zone of the times.
        in_utc: what stands behind times of that zone written in UTC; see `unrolled.data.dates.Dates`.
        notes: what was assumed in reading.
    """

    wide: bool = False
    unique_id: str | None = None
    time: tuple[str, ...] = ()
    target: str | None = None
    targets: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    form: str | None = None
    dayfirst: bool | None = None
    zone: str | None = None
    in_utc: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def forecast(self) -> tuple[str, ...]:
        """The columns that are forecast."""
        return self.targets or (() if self.target is None else (self.target,))

    def to_dict(self) -> SavedSeriesLayout:
        """All of it as plain JSON.

        Example:
            >>> SeriesLayout(target="sales", time=("date",)).to_dict()["time"]
            ['date']
        """
        plain = {name: list(each) if isinstance(each, tuple) else each for name, each in asdict(self).items()}
        return cast(SavedSeriesLayout, plain)

    @classmethod
    def from_dict(cls, content: SavedSeriesLayout) -> Self:
        """The inverse of `to_dict`."""
        given: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in content.items()
        }
        return cls(**given)
