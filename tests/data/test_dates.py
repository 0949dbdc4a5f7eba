"""Dates whose day and month are both numbers: decided by the whole column, or asked for."""

from contextlib import suppress
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.calendar import future_times
from unrolled.data.dates import NoDatesError, read_dates
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
