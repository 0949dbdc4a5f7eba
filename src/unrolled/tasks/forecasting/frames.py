"""Forecasts as a frame, in the form that Nixtla's libraries give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from unrolled.data.calendar import time_texts
from unrolled.data.example import Series
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd


def forecast_frame(
    rows: Iterable[Mapping[str, Any]],
    series: Sequence[Series],
    quantiles: Sequence[float],
    level: Sequence[float] | None,
    name: str,
) -> pd.DataFrame:
    """The rows of a forecast as columns: name, time, target where there are several, number, intervals.

    Args:
        rows: as `unrolled.Forecaster.forecast` yields them.
        series: that were forecast.
        quantiles: that the model forecasts.
        level: the intervals asked for in per cent, 80 for the one between the quantiles 0.1 and 0.9; None
            gives every quantile.
        name: of the column of the forecast; its bounds are called ``name-lo-80`` and ``name-hi-80``.

    Raises:
        ConfigError: the model has no quantiles for a level.
    """
    import pandas as pd

    columns = _columns(quantiles, level, name)
    target = ["target"] if any(one.target is not None for one in series) else []
    frame = pd.DataFrame(list(rows), columns=["unique_id", "ds", *target, "y", *columns])
    if any(one.times.dtype.kind == "M" for one in series):
        frame["ds"] = _dates(frame["ds"], next((one.zone for one in series if one.zone is not None), None))
    return frame.rename(columns={"y": name, **columns})


def time_column(series: Series) -> Any:
    """The times of a series as a frame's column ``ds`` has them."""
    import pandas as pd

    texts = pd.Series(time_texts(series, series.times))
    return texts if series.times.dtype.kind != "M" else _dates(texts, series.zone)


def _dates(texts: Any, zone: str | None) -> Any:
    import pandas as pd

    times = pd.to_datetime(texts, format="ISO8601", utc=zone is not None)
    return times if zone is None else times.dt.tz_convert(zone)


def _columns(quantiles: Sequence[float], level: Sequence[float] | None, name: str) -> dict[str, str]:
    """The columns of quantiles, and what Nixtla calls them.

    Example:
        >>> _columns((0.1, 0.5, 0.9), None, "LSTM")
        {'y_0.1': 'LSTM-lo-80', 'y_0.5': 'LSTM-median', 'y_0.9': 'LSTM-hi-80'}
    """
    named = {f"y_{quantile:g}": f"{name}-{_bound(quantile)}" for quantile in quantiles}
    if level is None:
        return named
    wanted = [f"{name}-{side}-{one:g}" for one in level for side in ("lo", "hi")]
    missing = [column for column in wanted if column not in named.values()]
    if missing:
        least, most = (50 - level[0] / 2) / 100, (50 + level[0] / 2) / 100
        known = ", ".join(f"{quantile:g}" for quantile in quantiles) or "none"
        raise ConfigError(
            f"level: expected intervals of the quantiles {known} that the model forecasts, got {level[0]:g}; "
            f"fit a Forecaster(quantiles=({least:g}, {most:g}))"
        )
    found = {column: quantile for quantile, column in named.items()}
    return {found[column]: column for column in wanted}


def _bound(quantile: float) -> str:
    if quantile == 0.5:
        return "median"
    return f"{'lo' if quantile < 0.5 else 'hi'}-{round(abs(1 - 2 * quantile) * 100, 6):g}"
