"""Dates whose day and month are both numbers: decided by the whole column, or asked for."""

import re
from contextlib import suppress
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.calendar import future_times
from unrolled.data.dates import NoDatesError, read_dates
from unrolled.data.dates import written as written_times
from unrolled.data.series import read_series
from unrolled.errors import DataError


def written(day, order, separator, digits):
    year = f"{day.year % 100:02}" if digits == 2 else str(day.year)
    parts = (day.day, day.month) if order else (day.month, day.day)
    return separator.join([*(f"{part:02}" for part in parts), year])


@given(
    st.dates(date(1990, 1, 1), date(2050, 1, 1)),
    st.booleans(),
    st.sampled_from("/-"),
    st.sampled_from([2, 4]),
    st.integers(1, 40),
)
def test_the_whole_column_decides(first, order, separator, digits, step):
    days = [first + timedelta(step * number) for number in range(60)]
    cells = [written(day, order, separator, digits) for day in days]
    true = np.array(days, dtype="datetime64[ns]").tolist()
    with suppress(NoDatesError):  # where the column leaves it open
        assert read_dates(cells).times.tolist() == true
    if digits == 4:
        assert read_dates(cells, order).times.tolist() == true


def test_two_orders_that_both_fit_are_asked_for(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("date,y\n" + "".join(f"01/{month:02}/2024,{month}\n" for month in range(1, 13)))
    with pytest.raises(DataError, match="--dayfirst or --no-dayfirst"):
        read_series(path)
    (months,) = read_series(path, dayfirst=True)
    (days,) = read_series(path, dayfirst=False)
    assert (months.step, days.step) == ("MS", "D")


def test_years_and_months_as_whole_numbers(tmp_path):
    path = tmp_path / "monthly.csv"
    months = [year * 100 + month for year in (2022, 2023) for month in range(1, 13)]
    path.write_text("month,y\n" + "".join(f"{month},{month % 7}\n" for month in months))
    (series,) = read_series(path, time="month")
    assert len(series) == 24
    assert series.step == "MS"
    assert future_times(series, 1).astype("datetime64[M]").tolist() == [date(2024, 1, 1)]


def test_the_order_of_series_does_not_matter(tmp_path):
    weekly = [f"old,{date(2023, 1, 2) + timedelta(7 * week)},{week}" for week in range(30)]
    daily = [f"fast,{date(2023, 1, 2) + timedelta(day)},{day}" for day in range(20)]
    rows = [*weekly, *daily, "new,2024-01-01,1"]
    for seed in range(5):
        np.random.default_rng(seed).shuffle(rows)
        path = tmp_path / f"{seed}.csv"
        path.write_text("\n".join(["unique_id,ds,y", *rows]))
        found = {series.unique_id: (series.step, len(series)) for series in read_series(path)}
        assert found["old"] == ("W", 30)
        assert found["fast"] == ("D", 20)
        assert found["new"][1] == 1


MONTHS = pd.date_range("2018-11-01", periods=16, freq="MS")
HOURS = pd.date_range("2024-12-30 05:00", periods=60, freq="h")


@pytest.mark.parametrize(
    "form",
    [
        *(
            "%b-%y",
            "%b %Y",
            "%B %Y",
            "%Y %b",
            "%YM%m",
            "%Y-M%m",
            "%Y-%m",
            "%Y/%m",
            "%m/%Y",
            "%Y%m",
            "%d-%b-%y",
        ),
        *("%d %B %Y", "%B %d, %Y", "%a, %d %b %Y", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S.%f"),
    ],
)
def test_months_are_read_however_they_are_written(form):
    for cells in (MONTHS.strftime(form).tolist(), MONTHS.strftime(form).str.upper().tolist()):
        assert read_dates(cells).times.tolist() == MONTHS.to_numpy().astype("datetime64[ns]").tolist()


@pytest.mark.parametrize(
    "form",
    [
        *("%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%dT%H%M%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H.%M"),
        *("%Y-%m-%d %H:%M", "%d %b %Y, %H:%M:%S", "%b %d, %Y %I:%M %p", "%Y/%m/%d %H:%M"),
    ],
)
def test_times_of_day_are_read_however_they_are_written(form):
    assert (
        read_dates(HOURS.strftime(form).tolist()).times.tolist()
        == HOURS.to_numpy().astype("datetime64[ns]").tolist()
    )


@pytest.mark.parametrize(
    ("cells", "first", "form"),
    [
        (["2018Q3", "2018Q4"], "2018-07-01", "quarter"),
        (["Q3 2018", "4Q2018"], "2018-07-01", "quarter first"),
        (["2018-W05", "2018-W06"], "2018-01-29", "week"),
        (["2018H2", "2019-S1"], "2018-07-01", "half"),
        ([1999, 2000], "1999-01-01", "year"),
        (["2018.0833", "2018.1667"], "2018-02-01", "year with fraction"),
        ([2018.25, 2018.5], "2018-04-01", "year with fraction"),
        (["2018.09", "2018.10"], "2018-09-01", "year.month"),
        ([201815, 201816], "2018-04-09", "yyyyww"),
        ([1700000000, 1700003600], "2023-11-14T22:13:20", "unix s"),
        ([1700000000000.0, 1700000000500.0], "2023-11-14T22:13:20", "unix ms"),
        (["24:00 is none", "x"], None, ""),
        (["2024-01-01 24:00"], "2024-01-02", "year-month-day"),
        ([pd.Period("2024Q2"), pd.Period("2024Q3")], "2024-04-01", "date"),
        ([0.5, 0.75], 0.5, "plain"),
    ],
)
def test_other_ways_to_say_when(cells, first, form):
    if first is None:
        with pytest.raises(NoDatesError, match="expected a date such as"):
            read_dates(cells)
        return
    found = read_dates(cells)
    assert found.form == form
    assert found.times[0] == (np.datetime64(first) if isinstance(first, str) else first)


def test_one_form_for_a_column():
    for cells, entry in (
        (["2024-01-01", "01/02/2024"], 1),
        (["2024-01-31", "2024-02-30"], 1),
        (["soon", "2024"], 0),
    ):
        with pytest.raises(NoDatesError, match=re.escape(repr(cells[entry]))) as error:
            read_dates(cells)
        assert error.value.entry == entry


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"]
)
@pytest.mark.parametrize("frequency", ["h", "D", "MS"])
@pytest.mark.parametrize("typed", [True, False])
def test_offsets_are_kept_over_changes_of_clock(zone, frequency, typed):
    times = pd.date_range("2023-09-20", periods=30 * 24 if frequency == "h" else 40, freq=frequency, tz=zone)
    found = read_dates(list(times) if typed else [time.isoformat() for time in times])
    assert [*map(pd.Timestamp, written_times(found.instants, found.zone, absolute=True))] == list(times)


def test_a_known_zone_decides_for_a_tail_of_one_offset():
    assert read_dates(["2024-07-01T00:00+02:00"], zone="Europe/Berlin").zone == "Europe/Berlin"
    assert read_dates(["2024-07-01T00:00+02:00"]).zone == "+02:00"
    assert read_dates(["2024-07-01T00:00+03:00"], zone="Europe/Berlin").zone == "+03:00"
    with pytest.raises(NoDatesError, match="one without"):
        read_dates(["2024-07-01T00:00+02:00", "2024-07-02T00:00"])


def test_what_the_training_data_has_decides_for_a_tail():
    assert read_dates(["01/02/2024"], True).times[0] == np.datetime64("2024-02-01")
    assert read_dates([1999], form="plain").form == "plain"
    assert read_dates([201803], form="yyyyww").times[0] == np.datetime64("2018-01-15")


def test_a_day_that_begins_at_one_is_a_day(tmp_path):
    # No midnight on 15 October.
    days = pd.date_range("2017-10-01", periods=40).tz_localize(
        "America/Sao_Paulo", nonexistent="shift_forward"
    )
    path = tmp_path / "days.csv"
    path.write_text("date,y\n" + "".join(f"{day.isoformat()},1\n" for day in days))
    (series,) = read_series(path)
    assert (series.step, len(series)) == ("D", 40)


def test_days_of_six_digits():
    days = [231230, 231231, 240101, 240102]
    found = read_dates(days)
    assert found.form == "yymmdd"
    assert found.times.astype("datetime64[D]").astype(str).tolist()[1:3] == ["2023-12-31", "2024-01-01"]
    assert read_dates([240105], form="yymmdd").form == "yymmdd"
    assert read_dates(list(range(210101, 210131))).form == "plain"  # it may well be a counter
    assert read_dates([210131, 210201, 210230]).form == "plain"  # there is no such day
