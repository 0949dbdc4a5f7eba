"""Time zones and offsets from UTC: the time on the wall, and the time that passes everywhere alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np

_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_USUAL_ZONES = (
    *("Europe/Berlin", "Europe/London", "Europe/Helsinki", "America/New_York", "America/Chicago"),
    *("America/Denver", "America/Los_Angeles", "Australia/Sydney", "Australia/Adelaide", "America/Sao_Paulo"),
)
"""Zones that are taken before others whose clocks show the same."""


def zone_of(name: str) -> tzinfo:
    """The zone of a name, such as `Europe/Berlin`, `+02:00` or `Z`.

    Raises:
        LookupError: there is no such zone.
    """
    if name in ("Z", "UTC"):
        return UTC
    if match := _OFFSET.fullmatch(name):
        east = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(east if match[1] == "+" else -east)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LookupError(f"no time zone {name!r}") from error


def offset_name(seconds: int) -> str:
    """An offset in seconds east of UTC, as it is written.

    Example:
        >>> offset_name(7200), offset_name(-12600)
        ('+02:00', '-03:30')
    """
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{rest // 60:02}"


def offsets_at(instants: np.ndarray, zone: str) -> np.ndarray:
    """Seconds east of UTC of a zone at some instants, `datetime64` in UTC."""
    import pandas as pd

    local = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(zone_of(zone)).tz_localize(None)
    return (local.to_numpy() - instants).astype("timedelta64[s]").astype(np.int64)


def on_the_wall(instants: np.ndarray, zone: str) -> np.ndarray:
    """What clocks of a zone show at some instants.

    Example:
        >>> noon = np.array(["2024-07-01T12:00"], dtype="datetime64[ns]")
        >>> on_the_wall(noon, "Europe/Berlin").astype(str)[0][:16]
        '2024-07-01T14:00'
    """
    return instants + offsets_at(instants, zone).astype("timedelta64[s]")


def instants_of(wall: np.ndarray, zone: str) -> np.ndarray:
    """When clocks of a zone show some times: the first instant of two, the next one of none."""
    import pandas as pd

    local = pd.DatetimeIndex(wall).tz_localize(
        zone_of(zone), ambiguous=np.ones(len(wall), dtype=bool), nonexistent="shift_forward"
    )
    return local.tz_convert("UTC").tz_localize(None).to_numpy()


def instants_of_clocks(wall: np.ndarray, zone: str, first: np.ndarray) -> np.ndarray:
    """When clocks of a zone showed some times; NaT for those that they skip.

    Args:
        wall: `datetime64` as clocks show them.
        zone: the zone.
        first: whether each is meant to be the first of two instants where clocks showed it twice.
    """
    import pandas as pd

    local = pd.DatetimeIndex(wall).tz_localize(zone_of(zone), ambiguous=first, nonexistent="NaT")
    return local.tz_convert("UTC").tz_localize(None).to_numpy()


def common_zone(instants: np.ndarray, offsets: np.ndarray, known: str | None = None) -> str:
    """The zone whose clocks show these offsets at these instants; else the last offset.

    Args:
        instants: `datetime64` in UTC.
        offsets: seconds east of UTC, one for each.
        known: a zone to be taken before all others.
    """
    order = np.argsort(instants, kind="stable")
    instants, offsets = instants[order], offsets[order]
    # Between two changes one instant tells as much as all.
    change = np.flatnonzero(np.diff(offsets)) + 1
    telling = np.unique(np.concatenate([[0, len(offsets) - 1], change, change - 1]))
    instants, offsets = instants[telling], offsets[telling]
    several = len(np.unique(offsets)) > 1
    candidates: Iterable[str] = (*((known,) if known else ()), *(zone_names() if several else ()))
    for name in candidates:
        try:
            if (offsets_at(instants, name) == offsets).all():
                return name
        except LookupError:
            continue
    return offset_name(int(offsets[-1]))


@cache
def zone_names() -> tuple[str, ...]:
    """All zones by name, those first that are taken before others."""
    return (*_USUAL_ZONES, *sorted(available_timezones() - set(_USUAL_ZONES)))
