"""Steps between times: found, named, and gone on with by their names."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.calendar import future_times, time_texts
from unrolled.data.dates import Dates
from unrolled.data.example import Series
from unrolled.data.steps import infer_step, step_named
from unrolled.data.timeline import step_among, usual_step
from unrolled.errors import DataError

BY_NAME = {
    **{"D": "D", "B": "B", "W-WED": "W", "2W": "2W", "30D": "30D", "h": "h", "90min": "90min", "ME": "ME"},
    **{"MS": "MS", "BME": "BME", "BMS": "BMS", "QS": "QS", "QE": "QE", "BQE": "BQE", "YS": "YS", "YE": "YE"},
    **{"2MS": "2MS", "6ME": "6ME", "5YS": "5YS", "100ms": "100ms"},
}


def tail(times, step):
    last = times[-1:]
    return Series("a", last, np.zeros(1), np.zeros((1, 0)), step=step)


@pytest.mark.parametrize(("frequency", "name"), BY_NAME.items())
@given(start=st.datetimes(pd.Timestamp(1990, 1, 1), pd.Timestamp(2050, 1, 1)))
@settings(max_examples=10)
def test_a_step_is_found_and_one_row_goes_on_with_it(frequency, name, start):
    times = pd.date_range(pd.Timestamp(start).floor("min"), periods=26, freq=frequency).to_numpy()
    times = times.astype("datetime64[ns]")
    step = infer_step(times[:24])
    assert step.name == name
    assert step_named(step.name) == step
    assert future_times(tail(times[:24], step.name), 2).tolist() == times[24:].tolist()
    assert step.places(times[:24]).tolist() == list(range(24))


@pytest.mark.parametrize("day", [1, 15, 29, 30, 31])
def test_a_day_of_the_month_is_kept_through_shorter_months(day):
    months = pd.date_range("2023-01-01", periods=18, freq="MS")
    days = [each + pd.Timedelta(days=min(day, each.days_in_month) - 1) for each in months]
    times = np.array(days, dtype="datetime64[ns]")
    step = infer_step(times[:14])
    for known in range(1, 15):
        assert future_times(tail(times[:known], step.name), 4).tolist() == times[known : known + 4].tolist()


def test_plain_numbers_have_steps_of_numbers():
    assert [infer_step(np.array(each)).name for each in ([0, 1, 2], [5, 15, 25], [0.0, 0.1, 0.2])] == [
        *("1", "10", "0.1")
    ]
    assert future_times(tail(np.array([7, 17]), "10"), 2).tolist() == [27, 37]
    assert future_times(tail(np.array([0.1, 0.2]), "0.1"), 2).tolist() == [0.3, 0.4]


def test_holidays_do_not_hide_the_last_business_day():
    days = pd.date_range("2023-01-01", periods=20, freq="BME").to_numpy().copy()
    days[14] = np.datetime64("2024-03-28")  # Good Friday is no day of business
    assert infer_step(days.astype("datetime64[ns]")).name == "BME"


@pytest.mark.parametrize("name", ["", "X", "M@", "D2", "0", "-1", "MSE"])
def test_other_names_are_refused(name):
    with pytest.raises(DataError, match="expected a step such as"):
        step_named(name)


@pytest.mark.parametrize(
    ("step", "season"),
    [
        ("h", 24),
        ("6h", 4),
        ("20min", 72),
        ("min", 60),
        ("2W", 26),
        ("2MS", 6),
        ("6MS", 2),
        ("QE", 4),
        ("30D", 1),
    ],
)
def test_seasons_are_those_of_the_day_the_week_and_the_year(step, season):
    assert step_named(step).season == season


def test_times_are_written_with_their_offset_on_both_sides_of_a_change_of_clock():
    hours = np.array(["2024-03-31T00:00", "2024-03-31T01:00"], dtype="datetime64[ns]")
    series = Series("a", hours, np.zeros(2), np.zeros((2, 0)), step="h", zone="Europe/Berlin")
    assert time_texts(series, hours) == ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"]
    days = np.array(["2024-03-31", "2024-04-01"], dtype="datetime64[ns]")
    series = Series("a", days, np.zeros(2), np.zeros((2, 0)), step="D", zone="Europe/Berlin")
    assert time_texts(series, days) == ["2024-03-31T00:00:00+01:00", "2024-04-01T00:00:00+02:00"]


@given(
    step=st.sampled_from(["BQE", "BME", "BQS", "BMS", "M@30", "QE", "MS"]),
    starts=st.lists(st.integers(0, 400), min_size=2, max_size=4),
    rows=st.integers(4, 9),
)
def test_series_of_one_file_have_the_step_that_explains_them_all(step, starts, rows):
    grid = step_named(step).after(np.datetime64("2000-01-31", "ns"), np.arange(-1, 500))
    grid = grid[grid > np.datetime64("2000-02-01")]
    each = [Dates(grid[start : start + rows], "iso") for start in starts]
    usual = usual_step(each)
    assert len({str(step_among(dates, usual)) for dates in each}) == 1
    for dates in each:
        assert usual.share(dates.times) == 1
        assert usual.span(dates.times) == rows
