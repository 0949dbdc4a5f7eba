"""Which columns say when, and which only count."""

import numpy as np
import pandas as pd
import pytest

from unrolled.data.calendar import future_times, time_texts
from unrolled.data.loading import load_series
from unrolled.data.series import read_series
from unrolled.data.tables import Table
from unrolled.data.time_columns import find_times
from unrolled.errors import DataError

HOURS = pd.date_range("2023-12-30 20:00", periods=60, freq="h")
AFTER = "2024-01-02T08:00:00"


def table(tmp_path, header, rows):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows), ""]))
    return path


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Date,Time,y", lambda t: (f"{t:%d/%m/%Y}", f"{t:%H.%M.%S}")),
        ("date,time,y", lambda t: (f"{t:%Y-%m-%d}", f"{t:%I:%M %p}")),
        ("date,hour,y", lambda t: (f"{t:%Y-%m-%d}", t.hour)),
        ("dteday,hr,y", lambda t: (f"{t:%Y-%m-%d}", t.hour)),
        ("date,hour,y", lambda t: (f"{t - pd.Timedelta('1h'):%Y-%m-%d}", (t - pd.Timedelta("1h")).hour + 1)),
        ("date,time,y", lambda t: (f"{t:%Y-%m-%d}", f"{t.hour:02}00")),
        ("year,month,day,hour,y", lambda t: (t.year, t.month, t.day, t.hour)),
        ("Year,Month,Day,Hour,y", lambda t: (t.year, f"{t:%b}", t.day, t.hour)),
    ],
)
def test_a_date_in_several_columns_is_one_time(tmp_path, header, cells):
    rows = [(*cells(time), place) for place, time in enumerate(HOURS)]
    (series,) = read_series(table(tmp_path, header, rows))
    assert (series.step, series.unique_id, series.names) == ("h", "y", ())
    assert time_texts(series, future_times(series, 1)) == [AFTER]


def test_years_with_months_quarters_and_weeks(tmp_path):
    for header, each, step in (
        ("year,month,y", 12, "MS"),
        ("year,quarter,y", 4, "QS"),
        ("Year,Week,y", 52, "W"),
    ):
        rows = [(year, part, 1) for year in (2021, 2022) for part in range(1, each + 1)]
        (series,) = read_series(table(tmp_path, header, rows))
        assert (series.step, len(series)) == (step, 2 * each)


def test_two_columns_can_be_asked_for(tmp_path):
    rows = [(f"{time:%Y-%m-%d}", f"{time:%H:%M}", 1) for time in HOURS]
    path = table(tmp_path, "day of it,clock of it,y", rows)
    assert read_series(path, time="day of it,clock of it")[0].step == "h"
    with pytest.raises(DataError, match="expected a column 'day of'"):
        read_series(path, time="day of,clock of it")


def test_an_hour_that_a_day_has_once_is_a_number(tmp_path):
    rows = [(f"{time:%Y-%m-%d}", time.day % 24, 1) for time in pd.date_range("2024-01-01", periods=30)]
    assert read_series(table(tmp_path, "date,hour,y", rows))[0].names == ("hour",)


@pytest.mark.parametrize("name", ["", "No", "id", "index"])
def test_a_column_that_counts_rows_is_no_data(tmp_path, name):
    rows = [(place, f"{time:%Y-%m-%d %H:%M}", 5, 7) for place, time in enumerate(HOURS)]
    (series,) = read_series(table(tmp_path, f"{name},when,sold,price", rows))
    assert (series.unique_id, series.names, series.values[3]) == ("sold", ("price",), 5)


def test_an_index_of_years_is_a_time(tmp_path):
    (series,) = read_series(table(tmp_path, ",y", [(year, 1) for year in range(1990, 2010)]))
    assert (series.step, str(series.times[0])[:4]) == ("YS", "1990")


DAYS = pd.date_range("2024-01-01", periods=20)


@pytest.mark.parametrize(
    ("frame", "step"),
    [
        (pd.DataFrame({"y": range(20)}, index=DAYS), "D"),
        (pd.DataFrame({"y": range(20)}, index=pd.Index(DAYS, name="when")), "D"),
        (pd.DataFrame({"y": range(20)}, index=pd.period_range("2020", periods=20, freq="M")), "MS"),
        (pd.DataFrame({"q": pd.period_range("2020", periods=20, freq="Q"), "y": range(20)}), "QS"),
        (pd.DataFrame({"ds": DAYS.date, "y": pd.array([*range(19), None], dtype="Int64")}), "D"),
        (pd.Series(range(20), index=DAYS), "D"),
        (pd.DataFrame({"ds": DAYS, "y": range(20)}).iloc[3:], "D"),
    ],
)
def test_a_frame_says_when_in_its_index_or_a_column(frame, step):
    (series,) = load_series(frame)
    assert (series.step, series.unique_id, series.names) == (step, "y", ())


def test_the_levels_of_an_index_are_columns():
    index = pd.MultiIndex.from_product([["a", "b"], DAYS], names=["series", "date"])
    assert [one.unique_id for one in load_series(pd.DataFrame({"y": range(40)}, index=index))] == ["a", "b"]


@pytest.mark.parametrize(
    "marker", ["", "NA", "null", "n/a", ".", "-", "missing", "None", "<NA>", "NaN", "#N/A"]
)
def test_what_stands_for_no_number(tmp_path, marker):
    rows = [(f"{day:%Y-%m-%d}", marker if place == 4 else place) for place, day in enumerate(DAYS)]
    (series,) = read_series(table(tmp_path, "date,y", rows))
    assert [place for place, value in enumerate(series.values) if value != value] == [4]


def test_short_series_take_their_own_step_where_their_dates_say_so(tmp_path):
    rows = [("long", f"{day:%Y-%m-%d}", 1) for day in DAYS]
    rows += [("months", f"2024-0{month}-01", 1) for month in (1, 2, 3)]
    rows += [("gap", "2024-01-01", 1), ("gap", "2024-01-03", 1), ("one", "2024-05-05", 1)]
    found = {one.unique_id: (one.step, len(one)) for one in read_series(table(tmp_path, "id,ds,y", rows))}
    assert found == {"long": ("D", 20), "months": ("MS", 3), "gap": ("D", 3), "one": ("D", 1)}


@pytest.mark.parametrize(
    ("header", "times", "step"),
    [
        ("Jahr,Wert", range(1990, 2010), "YS"),
        ("period_id,sold", [201811, 201812, 201901, 201902, 201903], "MS"),
        ("day_id,sold", [20240130, 20240131, 20240201, 20240202], "D"),
        ("ts,load", range(1700000000, 1700036000, 3600), "h"),
    ],
)
def test_numbers_that_go_on_as_times_do_are_times(tmp_path, header, times, step):
    path = table(tmp_path, header, [(time, 5 + time % 3) for time in times])
    (series,) = read_series(path)
    assert (series.step, series.unique_id) == (step, header.partition(",")[2])


def test_numbers_that_only_look_like_years_are_numbers(tmp_path):
    rows = [(day.date(), 1800 + 7 * (place % 5), place) for place, day in enumerate(DAYS)]
    assert read_series(table(tmp_path, "day,price,sold", rows))[0].unique_id == "price"


def test_a_year_a_row_with_its_months_side_by_side(tmp_path):
    months = [f"{month:%b}" for month in pd.date_range("2024-01-01", periods=12, freq="MS")]
    rows = [(year, *range(12 * (year - 1949), 12 * (year - 1949) + 12), 7) for year in (1949, 1950, 1951)]
    path = table(tmp_path, ",".join(["Year", *months, "Mean"]), rows)
    (series,) = read_series(path)
    assert (series.step, series.values.tolist()) == ("MS", [*range(36)])
    assert str(series.times[0])[:10] == "1949-01-01"
    path.write_text(path.read_text().replace(",33,34,35,", ",,NA,,"))
    assert len(read_series(path)[0]) == 33


def test_times_of_day_under_any_name_tell_rows_of_one_date_apart():
    clocks = [f"{hour:02}:00" for hour in range(3)] * 2
    columns = {"Tag": ["1.2.2024"] * 3 + ["2.2.2024"] * 3, "von": clocks, "bis": clocks, "kW": ["1"] * 6}
    assert find_times(Table("t.csv", columns, np.arange(6))).names == ("Tag", "von")
    apart = {"Tag": [f"{day}.2.2024" for day in range(1, 7)], "von": clocks}
    assert find_times(Table("t.csv", apart, np.arange(6))).names == ("Tag",)
