"""Times of a zone that do not say so: local days written in UTC, or clocks without their offset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unrolled.data.dates import Dates, NoDatesError, read_dates
from unrolled.data.series_layout import SeriesLayout
from unrolled.data.zones import instants_of_clocks, offsets_at, zone_names, zone_of
from unrolled.errors import ConfigError

_SECOND = np.timedelta64(1, "s")
_DAY, _HOUR = 86_400, 3_600
_SHORTEST = 2 * _HOUR
"""Steps of less than this many seconds fall on the same minutes whatever a clock is changed by."""
_LARGEST_CHANGE = 2 * _HOUR
_CHANGES_A_YEAR = 4


def dates_of_series(
    cells: Sequence[Any],
    *,
    dayfirst: bool | None = None,
    time_zone: str | None = None,
    before: SeriesLayout | None = None,
    series: Sequence[Any] | None = None,
) -> Dates:
    """The times of series, by the clocks of their zone.

    Args:
        cells: as `unrolled.data.dates.read_dates` takes them.
        dayfirst: as there.
        time_zone: the zone that somebody named; see `on_local_clocks`.
        before: how earlier times were read that these belong to.
        series: as for `on_local_clocks`.

    Raises:
        ConfigError: there is no such zone.
        NoDatesError: a cell is no time, or one that clocks there never showed.
    """
    before = before or SeriesLayout()
    dates = read_dates(
        cells, before.dayfirst if dayfirst is None else dayfirst, form=before.form, zone=before.zone
    )
    return on_local_clocks(dates, time_zone, known=before.zone, known_in_utc=before.in_utc, series=series)


def clock_notes(dates: Dates | None, time_zone: str | None) -> tuple[str, ...]:
    """What was found out of the clocks of times, in sentences for the user."""
    if dates is None or dates.in_utc is None or time_zone is not None:
        return ()
    return (
        f"The times are written in UTC, and even by the clocks of {dates.zone}; if they are of another zone, "
        "say it with --time-zone.",
    )


def on_local_clocks(
    dates: Dates,
    asked: str | None = None,
    *,
    known: str | None = None,
    known_in_utc: str | None = None,
    series: Sequence[Any] | None = None,
) -> Dates:
    """Times with the clock of their zone, where that is another than the one they are written by.

    Local midnights written in UTC are 23:00 of the day before in winter and 22:00 in summer, and no even
    step: to the clocks of their zone they are days as others.

    Args:
        dates: as `unrolled.data.dates.read_dates` has read them.
        asked: the zone that somebody named. Times without an offset are what clocks there show, unless they
            are even only as times in UTC.
        known: the zone of earlier times that these belong to.
        known_in_utc: their `Dates.in_utc`.
        series: what tells the series of each time apart, so that an hour that clocks showed twice is known.

    Raises:
        ConfigError: there is no zone ``asked``.
        NoDatesError: clocks there never showed a time.

    Example:
        >>> from unrolled.data.dates import read_dates
        >>> dates = read_dates(["2024-03-29T23:00Z", "2024-03-30T23:00Z", "2024-03-31T22:00Z"])
        >>> local = on_local_clocks(dates)
        >>> local.zone, local.times.astype("datetime64[h]").astype(str).tolist()
        ('Europe/Berlin', ['2024-03-30T00', '2024-03-31T00', '2024-04-01T00'])
    """
    if asked is not None:
        _require_zone(asked)
    if dates.times.dtype.kind != "M" or not _has_clocks(dates):
        return dates
    if dates.offsets is not None and dates.offsets.any():
        return dates if asked is None else _moved(dates, asked, None)
    suffix = "Z" if dates.offsets is not None or dates.form.startswith("unix") else ""
    if asked is None and known_in_utc is not None:
        asked = known
    if asked is None:
        found = next(_even_zones(dates.times, zone_names()), None)
        return dates if found is None else _moved(dates, found, suffix)
    in_utc = suffix == "Z" or known_in_utc is not None or next(_even_zones(dates.times, [asked]), None)
    return _moved(dates, asked, suffix) if in_utc else _localised(dates, asked, series)


def _require_zone(name: str) -> None:
    try:
        zone_of(name)
    except LookupError:
        raise ConfigError(
            f"time_zone: expected a zone such as Europe/Berlin or +02:00, got {name!r:.60}"
        ) from None


def _has_clocks(dates: Dates) -> bool:
    return bool((dates.times != dates.times.astype("datetime64[D]")).any())


def _moved(dates: Dates, zone: str, in_utc: str | None) -> Dates:
    """The same instants by the clocks of a zone."""
    instants = dates.instants
    offsets = offsets_at(instants, zone)
    return replace(dates, times=instants + offsets * _SECOND, offsets=offsets, zone=zone, in_utc=in_utc)


def _localised(dates: Dates, zone: str, series: Sequence[Any] | None) -> Dates:
    """Times without an offset as clocks of a zone showed them; of an hour shown twice the first first."""
    wall = dates.times
    names = series if series is not None else [""] * len(wall)
    rows = range(len(wall)) if wall[0] <= wall[-1] else range(len(wall) - 1, -1, -1)
    seen: Counter[tuple[str, int]] = Counter()
    first = np.ones(len(wall), dtype=bool)
    for row, moment in zip(rows, wall[np.array(rows, dtype=int)].astype(np.int64).tolist(), strict=True):
        key = str(names[row]), moment
        first[row] = not seen[key]
        seen[key] += 1
    instants = instants_of_clocks(wall, zone, first)
    never = np.flatnonzero(np.isnat(instants))
    if len(never):
        raise NoDatesError(
            f"expected a time that clocks of {zone} show, got {str(wall[never[0]])[:16]}, which they skip",
            int(never[0]),
            "say another --time-zone, or UTC",
        )
    offsets = ((wall - instants) / _SECOND).astype(np.int64)
    return replace(dates, offsets=offsets, zone=zone)


def _even_zones(instants: np.ndarray, names: Sequence[str]) -> Iterator[str]:
    """The zones by whose clocks times fall on the same hours of the day, which in UTC they do not.

    Those come first where one of these hours is midnight.
    """
    seconds = np.unique(instants.astype("datetime64[s]").astype(np.int64))
    period = _period(seconds)
    if period is None:
        return
    phases = seconds % period
    change = np.flatnonzero(np.diff(phases)) + 1
    years = 1 + (seconds[-1] - seconds[0]) / (365 * _DAY)
    if not 0 < len(change) <= _CHANGES_A_YEAR * years + 2:
        return
    by = np.diff(phases)[change - 1]
    by = np.minimum(by % period, -by % period)
    if (by > _LARGEST_CHANGE).any():
        return
    # Between two changes one time tells as much as all.
    telling = seconds[np.unique(np.concatenate([[0, len(seconds) - 1], change, change - 1]))]
    others = []
    for name in names:
        phase = _even_phase(telling, name, period)
        if phase is None or _even_phase(seconds, name, period) != phase:
            continue
        if phase == 0:
            yield name
        else:
            others.append(name)
    yield from others


def _period(seconds: np.ndarray) -> int | None:
    """The seconds after which times come to the same hour: a day, or a step that divides it; else None."""
    if len(seconds) < 3:
        return None
    apart, counts = np.unique(np.diff(seconds), return_counts=True)
    usual = int(apart[np.argmax(counts)])
    if usual >= _DAY - _LARGEST_CHANGE:
        return _DAY
    return usual if usual >= _SHORTEST and _DAY % usual == 0 else None


def _even_phase(seconds: np.ndarray, zone: str, period: int) -> int | None:
    """The place in the period at which all times are by a zone's clocks; None where they differ.

    A time that clocks skip is shown as the next one that there is.
    """
    instants = seconds.astype("datetime64[s]").astype("datetime64[ns]")
    offsets = offsets_at(instants, zone)
    phases = (seconds + offsets) % period
    values, counts = np.unique(phases, return_counts=True)
    usual = int(values[np.argmax(counts)])
    late = (phases - usual) % period
    if not late.any():
        return usual
    skipped = offsets - offsets_at(instants - _SECOND, zone)
    return usual if ((late == 0) | ((skipped > 0) & (late <= skipped))).all() else None
