"""What is known of the steps to come: covariates that the data has of them, and public holidays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unrolled.data.categories import static_names
from unrolled.data.example import Series
from unrolled.data.public_holidays import days_of

_YEARS_TO_COME = 30
"""Years after the training data whose holidays a model knows."""


def known_ahead(asked: Sequence[str] | None, series: Sequence[Series]) -> tuple[str, ...]:
    """Which covariates are known ahead: those that were named, or that the data's end shows.

    What never changes within a series is known by itself, and is none of them.

    Args:
        asked: names of covariates; None looks at what the data has after the last number to forecast.
        series: all of the training data, with the same covariates.

    Raises:
        DataError: there is no such covariate.
    """
    first, static = series[0], static_names(series)
    if asked is None:
        futures = [one.future for one in series if one.future is not None]
        unknown = [np.isnan(_said(future, first)) for future in futures]
        return tuple(
            name
            for place, name in enumerate(first.names)
            if name not in static and not all(each[:, place].all() for each in unknown)
        )
    for name in asked:
        if name not in first.names:
            raise first.source.error(
                f"expected future_covariates to be among the covariates "
                f"{', '.join(first.names) or '(none)'}, got {name!r}"
            )
    return tuple(name for name in asked if name not in static)


def holidays_ahead(countries: Sequence[str], series: Sequence[Series]) -> dict[str, tuple[str, ...]]:
    """The holidays of each country, from the first year of the series on to some that come after them.

    Args:
        countries: codes such as DE, or DE-BY.
        series: with dates.

    Raises:
        ConfigError: there is no such country.
        DataError: the series have no dates, or steps longer than a day.
    """
    if not countries:
        return {}
    for one in series:
        dates = one.times.dtype.kind == "M"
        if not dates or not _in_days(one.times):
            raise one.source.error(
                f"expected dates with a step of a day or shorter, for the holidays of "
                f"{', '.join(countries)}, got {'a longer one' if dates else 'none'}",
                remedy="leave holidays out",
            )
    years = [int(str(one.times[end])[:4]) for one in series for end in (0, -1)]
    return {country: days_of(country, min(years), max(years) + _YEARS_TO_COME) for country in countries}


def _said(future: NDArray[np.float64], series: Series) -> NDArray[np.float64]:
    """The covariates of the future, NaN too where a category is none."""
    said = future.copy()
    for name, categories in series.categories.items():
        if "" in categories:
            column = said[:, series.names.index(name)]
            column[column == categories.index("")] = np.nan
    return said


def _in_days(times: np.ndarray) -> bool:
    """Whether most steps take a day or less."""
    return len(times) < 2 or bool(np.median(np.diff(times)) <= np.timedelta64(1, "D"))
