"""Long columns, which are held piece by piece, are what short ones are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import compact_texts
from unrolled.data.compact_texts import CompactTexts, columns_of_rows, compact
from unrolled.data.series import series_and_layout
from unrolled.data.tables import read_table

TEXTS = st.lists(st.text(st.characters(), max_size=6), min_size=8, max_size=40)


@pytest.fixture(autouse=True)
def _short_pieces(monkeypatch):
    monkeypatch.setattr(compact_texts, "PIECE", 7)


@given(TEXTS, st.integers(-45, 45), st.integers(-45, 45), st.sampled_from([None, 1, 2, -1]))
def test_compact_texts_are_the_list_of_them(texts, first, last, step):
    held = compact(iter(texts))
    assert isinstance(held, CompactTexts)
    assert list(held) == texts
    assert len(held) == len(texts)
    assert list(held[first:last:step]) == texts[first:last:step]
    assert [each for piece in held[3:].pieces() for each in piece] == texts[3:]
    if -len(texts) <= first < len(texts):
        assert held[first] == texts[first]
    else:
        with pytest.raises(IndexError):
            held[first]
    assert texts[-1] in held
    assert held.index(texts[-1]) == texts.index(texts[-1])


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=30))
def test_columns_are_those_of_the_rows(rows):
    first, second = columns_of_rows(rows, 2)
    assert list(zip(first, second, strict=True)) == rows


FILES = {
    "iso.csv": lambda n: f"2024-01-{1 + n // 24:02} {n % 24:02}:00,{n}.5,{n % 3}",
    "named.tsv": lambda n: f"{1 + n} Jan 2000\t{n}{(',25', '')[n % 2]}\t{n % 3}",
    "unix.csv": lambda n: f"{1_700_000_000 + 60 * n},{n},{n % 3}",
    "quoted.csv": lambda n: f'"2024-01-{1 + n:02}","1.{n:03},5"," {n}"',
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("header", [True, False])
def test_a_long_table_is_read_as_a_short_one(name, header, tmp_path, monkeypatch):
    rows = [FILES[name](number) for number in range(30)]
    rows.insert(11, "")
    separator = "\t" if name.endswith(".tsv") else ","
    lines = [separator.join(("when", "y", "x")), *rows] if header else rows
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr("unrolled.data.delimited._STREAMED", 40)
    long = read_table(path)
    monkeypatch.setattr(compact_texts, "PIECE", 1000)
    short = read_table(path)
    assert isinstance(next(iter(long.columns.values())), CompactTexts)
    assert isinstance(next(iter(short.columns.values())), list)
    assert {each: list(cells) for each, cells in long.columns.items()} == dict(short.columns)
    assert long.rows.tolist() == short.rows.tolist()
    assert (long.notes, long.written) == (short.notes, short.written)
    monkeypatch.setattr(compact_texts, "PIECE", 7)
    (of_long,), (of_short,) = series_and_layout(long).series, series_and_layout(short).series
    np.testing.assert_array_equal(of_long.times, of_short.times)
    np.testing.assert_array_equal(of_long.values, of_short.values)
    np.testing.assert_array_equal(of_long.covariates, of_short.covariates)


def test_a_bad_cell_of_a_long_table_is_named_with_its_row(tmp_path):
    rows = "".join(f"2024-01-{1 + day:02},{day if day != 20 else 'twenty'}\n" for day in range(30))
    (tmp_path / "t.csv").write_text(f"ds,y\n{rows}")
    with pytest.raises(Exception, match=r"row 22, column 'y': expected a number, got 'twenty'"):
        read_table(tmp_path / "t.csv").numbers("y")
