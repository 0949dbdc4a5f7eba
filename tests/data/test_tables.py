"""Tables from files."""

import numpy as np
import pandas as pd
import pytest

from unrolled.data.tables import documents_of_column, read_table, table_of_frame
from unrolled.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write_file(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def test_rows_are_those_an_editor_shows(write):
    path = write("t.csv", 'text,label\n"two\nlines",a\n\nplain,b\n')
    table = read_table(path)
    assert table.columns == {"text": ["two\nlines", "plain"], "label": ["a", "b"]}
    assert table.rows.tolist() == [2, 5]


def test_tab_separated_quotes_are_text(write):
    table = read_table(write("t.tsv", 'text\tlabel\n"quoted" word\t1\n"\t0\n'))
    assert table.columns["text"] == ['"quoted" word', '"']


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("text,label\na,1\nb,0\n", True),
        ("good film,1\nbad film,0\n", False),
        ("good film,pos\nbad film,neg\nfine,pos\n", False),
        ("date,temp\n2020-01-01,3\n", True),
        ("only,names\n", None),
    ],
)
def test_a_header_is_told_from_data(write, text, header):
    path = write("t.csv", text)
    if header is None:
        with pytest.raises(DataError, match="expected rows below the header, found none"):
            read_table(path)
    else:
        table = read_table(path)
        assert (list(table.columns) == text.split("\n")[0].split(",")) is header
        assert bool(table.notes) is not header
        assert table.rows[0] == (2 if header else 1)


def test_the_user_decides_about_the_header(write):
    path = write("t.csv", "good,1\nbad,0\n")
    assert list(read_table(path, header=True).columns) == ["good", "1"]
    assert list(read_table(path, columns=["1"]).columns) == ["good", "1"]
    assert len(read_table(write("u.csv", "text,label\na,b\n"), header=False)) == 2
    assert len(read_table(write("v.csv", "good\nbad\n"), columns=["column_1"])) == 2


def test_json_lines_json_and_parquet_agree(write, tmp_path):
    rows = [{"text": "a", "values": [1, 2]}, {"text": "b", "values": [3]}]
    frame = pd.DataFrame(rows)
    frame.to_parquet(tmp_path / "t.parquet")
    lines = read_table(write("t.jsonl", frame.to_json(orient="records", lines=True) + "\n"))
    array = read_table(write("t.json", frame.to_json(orient="records")))
    parquet = read_table(tmp_path / "t.parquet")
    assert lines.columns == array.columns == parquet.columns == {"text": ["a", "b"], "values": [[1, 2], [3]]}
    assert table_of_frame(frame).columns == lines.columns


def test_a_wrong_column_lists_the_columns_and_the_closest(write):
    table = read_table(write("t.csv", "sentence,label\na,b\n"))
    with pytest.raises(
        DataError,
        match=r"expected a column 'sentense', the columns are sentence, label; did you mean 'sentence'",
    ):
        table.column("sentense")


def test_numbers_keep_gaps_and_name_what_is_none(write):
    table = read_table(write("t.csv", "a,b,c\n1,x,1\n,2,inf\nNA,3,2\n"))
    assert np.array_equal(table.numbers("a"), [1.0, np.nan, np.nan], equal_nan=True)
    assert table.is_numeric("a")
    assert not table.is_numeric("b")
    with pytest.raises(DataError, match=r"row 2, column 'b': expected a number, got 'x'"):
        table.numbers("b")
    with pytest.raises(DataError, match=r"row 3, column 'c': expected a finite number, got 'inf'"):
        table.numbers("c")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "a,b\n1,2\n3\n", "row 3: expected 2 cells as in the first row, got 1"),
        ("t.csv", 'a,b\n1,"2\n', "row 2: expected CSV, but unexpected end of data"),
        ("t.csv", "a,a\nx,y\n", "row 1: expected every column name once, got 'a' twice"),
        ("t.csv", "\n\n", "expected rows, found only empty lines"),
        ("t.csv", b"text,label\ncaf\xe9,1\n", "row 2: expected text in utf-8, got the byte 0xe9"),
        ("t.csv", "", "expected data, found an empty file"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', "row 2: expected a JSON object, but"),
        ("t.jsonl", '{"a": 1}\n[1]\n', r"row 2: expected a JSON object, got \[1\]"),
        ("t.jsonl", "\n", "expected JSON objects, found none"),
        ("t.json", "{", "row 1: expected JSON, but"),
        ("t.json", "[1, 2]", "expected a JSON array of objects"),
        ("t.parquet", "no parquet", "expected a Parquet file, but"),
        (
            "t.xlsx",
            "PK",
            r"expected a table ending in \.csv, \.tsv, \.jsonl, \.json, \.parquet, got '\.xlsx'",
        ),
    ],
)
def test_bad_files_are_refused_with_the_place(write, name, text, message):
    with pytest.raises(DataError, match=message):
        read_table(write(name, text))


def test_empty_frames_and_parquet_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="got an empty DataFrame"):
        table_of_frame(pd.DataFrame({"a": []}))
    pd.DataFrame({"a": []}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="expected rows, found none"):
        read_table(tmp_path / "t.parquet")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv: expected a file, found none; check the path"):
        read_table(tmp_path / "gone.csv")


def test_documents_of_a_column_are_texts(write):
    table = read_table(write("t.jsonl", '{"text": "a"}\n{"text": 3}\n'))
    with pytest.raises(DataError, match="row 2, column 'text': expected text, got 3"):
        list(documents_of_column(table, "text"))
