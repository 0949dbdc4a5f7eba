"""Series that are even by the clocks of their zone, however their times are written."""

import json

import numpy as np
import pandas as pd
import pytest

from unrolled.data.calendar import future_times, time_texts
from unrolled.data.series import KnownSeries, series_and_layout
from unrolled.data.tables import table_of_frame
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecast import Forecaster


def _read(times, **options):
    frame = pd.DataFrame({"ds": list(times), "y": np.arange(len(times), dtype=float)})
    read = series_and_layout(table_of_frame(frame), **options)
    (series,) = read.series
    return series, read.layout


def _local(start, periods, freq, zone):
    return pd.date_range(start, periods=periods, freq=freq).tz_localize(zone)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "America/Santiago"]
)
@pytest.mark.parametrize(
    ("freq", "step"), [("D", "D"), ("B", "B"), ("W-MON", "W"), ("MS", "MS"), ("ME", "ME")]
)
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "unix"])
def test_local_midnights_written_in_utc_are_days(zone, freq, step, form):
    local = pd.date_range("2021-02-20", periods=80, freq=freq).tz_localize(zone, nonexistent="shift_forward")
    utc = local.tz_convert("UTC")
    texts = [str(int(time.timestamp())) if form == "unix" else time.strftime(form) for time in utc]
    series, layout = _read(texts[:78])
    assert (series.step, series.in_utc) == (step, "" if form == "%Y-%m-%d %H:%M:%S" else "Z")
    assert (series.times == local.normalize().tz_localize(None).to_numpy()[:78]).all()
    assert any("even by the clocks of" in note and "--time-zone" in note for note in layout.notes)
    following = time_texts(series, future_times(series, 2))
    assert [
        pd.Timestamp(each).tz_localize(None) for each in [text.rstrip("Z") for text in following]
    ] == list(utc.tz_localize(None)[78:])


@pytest.mark.parametrize("hours", [3, 4, 6, 8, 12])
@pytest.mark.parametrize("in_utc", [True, False])
def test_steps_by_the_clock_go_over_its_changes(hours, in_utc):
    local = _local("2024-03-20", 120, f"{hours}h", "Europe/Berlin")
    shown = local.tz_convert("UTC") if in_utc else local
    series, _ = _read([time.isoformat() for time in shown[:118]])
    assert series.step == f"{hours}h by the clock"
    assert len(series) == 118
    assert [pd.Timestamp(each) for each in time_texts(series, future_times(series, 2))] == list(shown[118:])


def test_steps_that_pass_evenly_stay_such():
    times = pd.date_range("2024-03-30", periods=40, freq="6h", tz="UTC").tz_convert("Europe/Berlin")
    series, _ = _read([time.isoformat() for time in times])
    assert series.step == "6h"


def test_a_later_file_is_read_by_the_clock_of_the_training_data():
    utc = _local("2024-03-01", 90, "D", "Europe/Berlin").tz_convert("UTC")
    training, layout = _read([time.isoformat() for time in utc])
    known = KnownSeries(layout, (), {"y": "D", "": "D"})
    for tail in (1, 2, 5):  # of one season alone
        series, _ = _read([time.isoformat() for time in utc[-tail:]], known=known)
        assert (series.zone, series.step) == (training.zone, "D")
        assert (series.times == training.times[-tail:]).all()


def test_six_hours_learnt_in_winter_go_on_by_the_clock():
    local = _local("2024-03-01", 200, "6h", "Europe/Berlin")
    texts = [time.isoformat() for time in local]
    winter, layout = _read(texts[:80])
    assert winter.step == "6h"
    series, _ = _read(texts[80:], known=KnownSeries(layout, (), {"y": "6h", "": "6h"}))
    assert series.step == "6h by the clock"


def test_a_zone_that_is_named_settles_what_is_written_without_offsets():
    hours = pd.date_range("2024-10-26", periods=60, freq="h", tz="UTC").tz_convert("Europe/Berlin")
    bare = [time.strftime("%Y-%m-%d %H:%M") for time in hours]
    with pytest.raises(DataError, match="--time-zone"):
        _read(bare)
    series, _ = _read(bare, time_zone="Europe/Berlin")
    assert (series.step, len(series)) == ("h", 60)
    assert time_texts(series, series.times)[:1] == ["2024-10-26T02:00:00+02:00"]
    backwards, _ = _read(bare[::-1], time_zone="Europe/Berlin")
    assert (backwards.times == series.times).all()


def test_a_zone_that_is_named_goes_before_one_that_is_found():
    local = _local("2024-03-01", 60, "D", "Europe/Berlin") + pd.Timedelta(hours=8)
    texts = [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in local.tz_convert("UTC")]
    series, _ = _read(texts, time_zone="Europe/London")
    assert (series.zone, series.step) == ("Europe/London", "D")


@pytest.mark.parametrize(
    ("zone", "cells", "message"),
    [
        ("Mars/Olympus", ["2024-01-01 01:00", "2024-01-02 01:00"], "expected a zone such as Europe/Berlin"),
        ("Europe/Berlin", ["2024-03-31 02:30", "2024-04-01 02:30"], "which they skip"),
    ],
)
def test_zones_and_times_that_are_none_are_refused(zone, cells, message):
    with pytest.raises((ConfigError, DataError), match=message):
        _read(cells, time_zone=zone)


def test_an_hour_beside_its_place_names_the_flag():
    # An hour late once and never back: no clock is changed so.
    days = [f"2024-01-{day:02}T{'05:30' if day < 15 else '06:30'}Z" for day in range(1, 29)]
    with pytest.raises(DataError, match="say the zone with --time-zone"):
        _read(days)


def test_a_forecaster_writes_times_as_they_came(tmp_path):
    utc = _local("2024-02-20", 60, "D", "Europe/Berlin").tz_convert("UTC")
    frame = pd.DataFrame({"ds": [time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in utc], "y": range(60)})
    frame.to_csv(tmp_path / "sales.csv", index=False)
    forecaster = Forecaster(hidden_size=3, epochs=1, horizon=2).fit(tmp_path / "sales.csv")
    forecaster.save(tmp_path / "model")
    rows = Forecaster.load(tmp_path / "model").forecast(None)
    assert [row["ds"] for row in rows] == ["2024-04-19T22:00:00Z", "2024-04-20T22:00:00Z"]
    saved = json.loads((tmp_path / "model" / "vocabulary.json").read_text())
    assert saved["layout"]["in_utc"] == "Z"
