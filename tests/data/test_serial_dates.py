"""Dates as Excel keeps them: in cells that are dates, and as numbers of days."""

import datetime

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from unrolled.data.series import read_series, read_series_with_layout
from unrolled.errors import DataError

_MONTHS = [datetime.datetime(2023 + month // 12, 1 + month % 12, 1) for month in range(18)]
_ZERO = datetime.datetime(1899, 12, 30)


def _sheet(path, name, cells, epoch=None):
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    book.active.append([name, "sales"])
    for number, cell in enumerate(cells):
        book.active.append([cell, number * 1.5])
    book.save(path)
    return path


def _serial(time, zero=_ZERO):
    return (time - zero).days


@pytest.mark.parametrize("name", ["date", "Datum", "ds", "when"])
@pytest.mark.parametrize("kind", ["dates", "numbers"])
def test_sheets_hold_dates_either_way(tmp_path, name, kind):
    cells = _MONTHS if kind == "dates" else list(map(_serial, _MONTHS))
    (series,) = read_series(_sheet(tmp_path / "a.xlsx", name, cells))
    assert (series.step, str(series.times[0])[:10], len(series)) == ("MS", "2023-01-01", 18)
    assert series.unique_id == "sales"


def test_a_workbook_says_what_its_days_count_from(tmp_path):
    numbers = [_serial(time, datetime.datetime(1904, 1, 1)) for time in _MONTHS]
    path = _sheet(tmp_path / "a.xlsx", "date", numbers, CALENDAR_MAC_1904)
    read = read_series_with_layout(path)
    assert str(read.series[0].times[0])[:10] == "2023-01-01"
    assert any("days since 1904-01-01" in note for note in read.layout.notes)


def test_fractions_of_days_are_hours(tmp_path):
    numbers = [round(45292 + hour / 24, 5) for hour in range(30)]
    (series,) = read_series(_sheet(tmp_path / "a.xlsx", "timestamp", numbers))
    assert (series.step, str(series.times[-1])[:16]) == ("h", "2024-01-02T05:00")


def test_a_sheet_s_amounts_stay_amounts(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["date", "salary"])
    for day in range(20):
        book.active.append([datetime.datetime(2024, 1, 1 + day), 40_000 + 250 * (day % 3)])
    book.save(tmp_path / "a.xlsx")
    (series,) = read_series(tmp_path / "a.xlsx")
    assert (series.step, series.values[1]) == ("D", 40_250)


def test_delimited_text_holds_them_where_its_header_says_date(tmp_path):
    def read(name, **options):
        rows = "".join(f"{_serial(time)},{number}\n" for number, time in enumerate(_MONTHS))
        (tmp_path / "a.csv").write_text(f"{name},sales\n{rows}")
        read = read_series_with_layout(tmp_path / "a.csv", **options)
        return read.series[0], read.layout.notes

    for name in ("date", "Order Date"):
        series, notes = read(name)
        assert (series.step, str(series.times[0])[:10]) == ("MS", "2023-01-01")
        assert any(f"numbers in column {name!r} are read as Excel's dates" in note for note in notes)
    asked, _ = read("d", time="d")
    assert asked.step == "MS"
    with pytest.raises(DataError, match="if they are Excel's dates, say --time-column"):
        read("timestamp")


def test_years_and_unix_times_are_none(tmp_path):
    (tmp_path / "a.csv").write_text(
        "date,y\n" + "".join(f"{year},{year % 7}\n" for year in range(1990, 2020))
    )
    (series,) = read_series(tmp_path / "a.csv")
    assert series.step == "YS"
