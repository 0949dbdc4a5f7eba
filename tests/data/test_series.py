"""Series in time: reading, steps, gaps, and cutting."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.calendar import cycles, future_times, infer_step
from unrolled.data.loading import load_series
from unrolled.data.series import read_series
from unrolled.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="t.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_file


def test_long_format_with_several_series_sorted_and_gaps_marked(write):
    path = write(
        "unique_id,ds,y,price\n"
        "b,2024-01-02,20,1\n"
        "a,2024-01-04,4,1\n"
        "a,2024-01-01,1,3\n"
        "a,2024-01-02,,2\n"
        "b,2024-01-01,10,\n"
    )
    b, a = read_series(path)
    assert (a.unique_id, b.unique_id, a.names, a.step, a.season) == ("a", "b", ("price",), "D", 7)
    assert np.array_equal(a.values, [1, np.nan, np.nan, 4], equal_nan=True)
    assert np.array_equal(a.covariates[:, 0], [3, 2, np.nan, 1], equal_nan=True)
    assert a.times.astype("datetime64[D]").astype(str).tolist() == [f"2024-01-0{day}" for day in (1, 2, 3, 4)]
    assert b.values.tolist() == [10, 20]
    assert (a.source.row, a.source.column) == (3, "y")


def test_columns_can_be_chosen_and_guessed(write):
    path = write("when,shop,sold,cost,note\n3,x,1,9,a\n4,x,2,8,b\n")
    (series,) = read_series(path, time="when")
    assert (series.unique_id, series.names) == ("sold", ("cost",))
    (series,) = read_series(path, unique_id="shop", time="when", target="cost", covariates=[])
    assert (series.unique_id, series.names, series.values.tolist()) == ("x", (), [9, 8])
    assert series.times.tolist() == [3, 4]
    assert read_series(path, time="when", season=4)[0].season == 4


def test_a_date_column_of_any_name_is_found(write):
    (series,) = read_series(write('"Day of reading","Temp"\n1981-01-01,20.7\n1981-01-02,17.9\n'))
    assert (series.unique_id, series.step, series.values.tolist()) == ("Temp", "D", [20.7, 17.9])


def test_dates_written_as_numbers_and_with_time_zones(write):
    (series,) = read_series(write("ds,y\n20240131,1\n20240229,2\n20240331,3\n"))
    assert (series.step, series.season) == ("ME", 12)
    (series,) = read_series(write("ds,y\n2024-01-01T00:00:00+02:00,1\n2024-01-01T01:00:00+02:00,2\n"))
    assert series.times[0] == np.datetime64("2023-12-31T22:00:00")


def test_frames_with_dates():
    frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=3, freq="h"), "y": [1.0, 2.0, 3.0]})
    (series,) = load_series(frame, season=None)
    assert (series.step, series.season, series.values.tolist()) == ("h", 24, [1, 2, 3])


@pytest.mark.parametrize(
    ("frequency", "step", "season"),
    [
        ("YS", "YS", 1),
        ("QS", "QS", 4),
        ("QE", "QE", 4),
        ("MS", "MS", 12),
        ("ME", "ME", 12),
        ("W", "W", 52),
        ("D", "D", 7),
        ("B", "B", 5),
        ("h", "h", 24),
        ("30min", "30min", 48),
        ("15min", "15min", 96),
        ("min", "min", 60),
        ("7min", "7min", 1),
    ],
)
def test_steps_are_inferred_gaps_found_and_the_future_laid_out(frequency, step, season):
    days = pd.date_range("2023-11-30", periods=40, freq=frequency)
    kept = np.delete(np.arange(33), [5, 6, 20])
    frame = pd.DataFrame({"ds": days[kept], "y": np.arange(33.0)[kept]})
    (series,) = load_series(frame)
    assert (series.step, series.season) == (step, season)
    assert np.array_equal(series.times, days[:33].to_numpy())
    assert np.flatnonzero(np.isnan(series.values)).tolist() == [5, 6, 20]
    assert np.array_equal(future_times(series, 7), days[33:].to_numpy())


@pytest.mark.parametrize("frequency", ["h", "D", "B", "MS", "YE"])
def test_a_future_beyond_the_last_date_is_an_error(write, frequency):
    days = pd.date_range("2022-01-03", periods=40, freq=frequency)
    (series,) = load_series(write(pd.DataFrame({"ds": days, "y": range(40)}).to_csv(index=False)))
    with pytest.raises(DataError, match=r"before 2262-04-11, got 3000000 steps of .*; ask for fewer"):
        future_times(series, 3_000_000)


@given(st.integers(-50, 50), st.integers(1, 9), st.integers(2, 30))
def test_whole_numbers_have_a_step_too(first, step, count):
    times = first + step * np.arange(count)
    found = infer_step(times)
    assert found.after(times[0], np.arange(count)).tolist() == times.tolist()


def test_a_table_without_times_counts_its_rows(write):
    (series,) = read_series(write("sold,cost\n3,a\n4,b\n"))
    assert (series.times.tolist(), series.step, series.season) == ([0, 1], None, 1)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "ds,y\n2024-01-01,1\n2024-01-02,2\n2024-01-01,3\n",
            {},
            "row 4, column 'ds': expected every time once in a series, got '2024-01-01' again after row 2",
        ),
        ("ds,y\n2024-01-01,1\n2024-13-45,2\n", {}, "row 3, column 'ds': expected a date such as 2024-12-31"),
        (
            "ds,y\n2024-01-01,1\n,2\n",
            {},
            "row 3, column 'ds': expected a date or a whole number, got an empty cell",
        ),
        ("ds,y\n2024-01-01,1\n2024-01-02,a\n", {}, "row 3, column 'y': expected a number, got 'a'"),
        (
            "ds,y\n2024-01-01,1\n2024-01-02,inf\n",
            {},
            "row 3, column 'y': expected a finite number, got 'inf'",
        ),
        ("ds,y\n2024-01-01,1\n", {"target": "z"}, "expected a column 'z', the columns are ds, y"),
        ("ds,note\n2024-01-01,a\n", {}, "expected a column of numbers to forecast, the columns are ds, note"),
        (
            "ds,y\n2024-01-01 00:00,1\n2024-01-01 01:00,2\n2024-01-01 02:00,2\n2024-01-01 02:20,3\n",
            {},
            "expected evenly spaced times, a step of h, got 2024-01-01T02:20:00 after 2024-01-01T02:00:00",
        ),
        ("V1,V2,V3\nH1,2,2\nH2,3,2\n", {}, "expected to be told which column to forecast, of V2, V3"),
        ("ds,y\n1,1\n2,2\n3,2\n999,3\n", {}, "expected a series with few gaps, got 4 of 999 steps"),
    ],
)
def test_bad_input_is_refused_with_the_place(write, text, options, message):
    with pytest.raises(DataError, match=message):
        read_series(write(text), **options)


def test_cycles_of_the_year_the_week_and_the_day():
    hours = pd.date_range("2024-01-01", periods=24 * 14, freq="h").to_numpy()
    found = cycles(hours)
    assert found.shape == (24 * 14, 6)
    assert np.allclose(found[: 24 * 7, 2:], found[24 * 7 :, 2:])
    assert np.allclose(found[6, 4:], [1, 0])
    assert cycles(hours[::24]).shape == (14, 4)
    assert cycles(pd.date_range("2024-01-01", periods=5, freq="MS").to_numpy()).shape == (5, 2)
    assert cycles(np.arange(5)).shape == (5, 0)
