import numpy as np
import pytest

from unrolled.data.seasons import find_cycle, find_season
from unrolled.data.series import read_series
from unrolled.errors import DataError


def written(tmp_path, text):
    path = tmp_path / "wide.csv"
    path.write_text(text)
    return path


def test_a_series_a_row_with_numbered_columns(tmp_path):
    first, second = read_series(written(tmp_path, '"V1","V2","V3","V4"\n"H1","1","2",""\n"H2","","5","6"\n'))
    assert (first.unique_id, first.values.tolist(), first.times.tolist()) == ("H1", [1, 2], [0, 1])
    assert (second.unique_id, second.values.tolist(), second.times.tolist()) == ("H2", [5, 6], [0, 1])
    assert first.counted
    assert first.slice(1, 2).counted


def test_a_series_a_row_with_dates_as_columns(tmp_path):
    header = "shop,2024-01-01,2024-01-02,2024-01-03,2024-01-05"
    first, second = read_series(written(tmp_path, f"{header}\nnorth,1,,3,5\nsouth,,4,5,\n"))
    assert first.values.tolist()[:1] + first.values.tolist()[2:3] == [1, 3]
    assert np.isnan(first.values[[1, 3]]).all()  # an empty cell, and the day that no column has
    assert str(second.times[0])[:10] == "2024-01-02"
    assert second.values.tolist() == [4, 5]
    assert (first.season, first.step, first.counted) == (7, "D", False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1,2,x\nb,1,2,3\n", "row 2, column 'V4': expected a number, got 'x'"),
        ("a,1,2,3\na,1,2,3\n", "row 3, column 'V1': expected every series once, got 'a' again"),
        ("a,1,2,3\nb,,,\n", "row 3, column 'V2': expected numbers in series 'b', got none"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_series(written(tmp_path, f"V1,V2,V3,V4\n{rows}"))


def test_a_table_of_other_numbers_is_not_taken_for_series(tmp_path):
    with pytest.raises(DataError, match="which column to forecast"):
        read_series(written(tmp_path, "shop,price,sold,staff\na,1,2,3\nb,1,2,3\n"))
    (one,) = read_series(written(tmp_path, "ds,y,x1,x2,x3\n2024-01-01,1,2,3,4\n2024-01-02,1,2,3,5\n"))
    assert one.names == ("x1", "x2", "x3")


def test_a_season_is_found_through_noise_trends_and_gaps():
    steps, noise = np.arange(400), np.random.default_rng(0).normal(size=400)
    wave = np.sin(steps * 2 * np.pi / 24)
    gaps = np.where(steps % 37 == 0, np.nan, wave)
    assert find_season([10 * wave + noise + 0.5 * steps]) == 24
    assert find_season([gaps]) == 24
    assert find_season([noise.cumsum()]) == 1
    assert find_season([np.full(50, 3.0)]) == 1
    assert find_season([np.arange(3.0)]) == 1


def test_no_cycle_is_seen_where_seasons_only_repeat():
    steps = np.arange(24 * 30)
    assert find_cycle([np.sin(steps * 2 * np.pi / 24)], 24) == 24
    assert find_cycle([np.random.default_rng(1).normal(size=700).cumsum()], 7) == 7
    assert find_cycle([np.arange(20.0)], 12) == 12


@pytest.mark.parametrize(
    ("header", "step", "first"),
    [
        ("1960,1961,1962,1963", "YS", "1960-01-01"),
        ("X1985,X1986,X1987,X1988", "YS", "1985-01-01"),
        ("1990 [YR1990],1991 [YR1991],1992 [YR1992],1993 [YR1993]", "YS", "1990-01-01"),
        ("201811,201812,201901,201902", "MS", "2018-11-01"),
        ("20240130,20240131,20240201,20240202", "D", "2024-01-30"),
        ("Jan-20,Feb-20,Mar-20,Apr-20", "MS", "2020-01-01"),
        ("2018Q3,2018Q4,2019Q1,2019Q2", "QS", "2018-07-01"),
        ("1/30/20,1/31/20,2/1/20,2/2/20", "D", "2020-01-30"),
        ("2018.0000,2018.0833,2018.1667,2018.2500", "MS", "2018-01-01"),
    ],
)
@pytest.mark.parametrize("ends", ["", ","])
def test_times_over_numbers_after_columns_of_text(tmp_path, header, step, first, ends):
    rows = f"Norway,NO,1,2,3,4{ends}\nChile,CL,,5,6,7{ends}\n"
    norway, chile = read_series(written(tmp_path, f"Country,Code,{header}{ends}\n{rows}"))
    assert (norway.unique_id, norway.step, str(norway.times[0])[:10]) == ("Norway", step, first)
    assert (chile.unique_id, chile.values.tolist()) == ("Chile", [5, 6, 7])


def test_columns_of_text_name_a_series_together(tmp_path):
    rows = ",Chad,1.5,1,2,3\nHubei,China,3,4,5,6\nHebei,China,3,7,8,9\n"
    text = f"State,Country,Lat,1/22/20,1/23/20,1/24/20\n{rows}"
    assert [one.unique_id for one in read_series(written(tmp_path, text))] == [
        *("Chad", "Hubei, China", "Hebei, China")
    ]


def test_the_order_of_day_and_month_in_a_header_is_asked_for(tmp_path):
    path = written(tmp_path, "shop,01/02/2024,02/02/2024,03/02/2024\na,1,2,3\n")
    with pytest.raises(DataError, match=r"row 1, column '01/02/2024': .*--dayfirst or --no-dayfirst"):
        read_series(path)
    assert str(read_series(path, dayfirst=True)[0].times[0])[:10] == "2024-02-01"
    assert read_series(path, dayfirst=False)[0].step == "M@2"


def test_data_that_looks_like_years_is_no_header(tmp_path):
    (one,) = read_series(written(tmp_path, "a,1990,2010,1992\nb,5,6,7\n"), target="column_2")
    assert one.values.tolist() == [1990, 5]


def test_a_series_without_numbers_under_dates_is_left_out(tmp_path):
    text = "Country,1990,1991,1992\nChad,1,2,3\nAtlantis,,..,\nMali,4,5,6\n"
    assert [one.unique_id for one in read_series(written(tmp_path, text))] == ["Chad", "Mali"]
