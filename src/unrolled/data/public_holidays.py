"""Public holidays of a country, and the steps of a series that fall on them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from unrolled.errors import ConfigError, MissingDependencyError


def days_of(country: str, first: int, last: int) -> tuple[str, ...]:
    """The public holidays of a country, or of a part of one, in some years.

    Args:
        country: by its code of ISO 3166, such as `DE`, or with that of a part, such as `DE-BY`.
        first: the first year.
        last: the last year.

    Returns:
        The days, such as `2024-12-25`.

    Raises:
        ConfigError: no holidays are known of it.
        MissingDependencyError: the extra `holidays` is not installed.
    """
    try:
        from holidays import country_holidays
    except ImportError as error:
        raise MissingDependencyError.of("holidays", extra="holidays") from error
    code, _, part = country.partition("-")
    try:
        found = country_holidays(code, subdiv=part or None, years=range(first, last + 1))
    except NotImplementedError:
        found = {}
    if not found:
        raise ConfigError(
            f"holidays: expected countries such as DE or US, or parts such as DE-BY, with holidays known "
            f"between {first} and {last}, got {country!r}"
        )
    return tuple(sorted(str(day) for day in found))


def on_holidays(times: np.ndarray, days: Collection[str]) -> np.ndarray:
    """Whether each time lies on one of some days, 1 or 0.

    Example:
        >>> times = np.array(["2024-12-24T23:00", "2024-12-25T00:00"], dtype="datetime64[ns]")
        >>> on_holidays(times, ["2024-12-25"])
        array([0., 1.])
    """
    return np.isin(times.astype("datetime64[D]"), np.array(list(days), dtype="datetime64[D]")) * 1.0
