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
