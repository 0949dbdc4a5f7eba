"""Tables from files."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest

from unrolled.data.table_form import TableForm
from unrolled.data.tables import read_table, table_of_frame, texts_of_column
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
    assert list(read_table(path, form=TableForm(header=True)).columns) == ["good", "1"]
    assert list(read_table(path, columns=["1"]).columns) == ["good", "1"]
    assert len(read_table(write("u.csv", "text,label\na,b\n"), form=TableForm(header=False))) == 2
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
        ("t.csv", 'a,b\n1,"2\n', "row 2: expected cells separated by commas, but unexpected end of data"),
        ("t.csv", "a,a\nx,y\n", "row 1: expected every column name once, got 'a' twice"),
        ("t.csv", "\n\n", "expected rows, found only empty lines"),
        (
            "t.csv",
            "text,label\ncafé,1\n".encode() + b"th\xe9,0\n",
            "row 3: expected text in utf-8, got the byte 0xe9",
        ),
        ("t.csv", "слово,1\nдело,0\n".encode("cp1251"), "say --encoding"),
        ("t.csv", "1,5;2,5\n3,5;4,5\n", "commas and semicolons both divide every row alike"),
        ("t.csv.gz", "plain", "expected a .gz file, but"),
        ("t.zip", "plain", "expected a .zip file, but"),
        ("t.csv", "a;b\n0,5;1\nx;2\n1;2;3\n", "row 4: expected 2 cells as in the first row, got 3"),
        ("t.csv", "", "expected data, found an empty file"),
        ("t.jsonl", '{"a": 1}\n{"a": \n', "row 2: expected JSON, but"),
        ("t.jsonl", '{"a": 1}\n[1]\n', r"row 2: expected a JSON object, got \[1\]"),
        ("t.jsonl", "\n", "expected JSON objects, found none"),
        ("t.json", "{", "row 1: expected JSON, but"),
        ("t.json", "[1, 2]", "expected a JSON array of objects"),
        ("t.parquet", "no parquet", "expected a Parquet file, but"),
        (
            "t.ods",
            "PK",
            r"expected a table ending in \.csv, \.tsv, .*\.xlsx, got '\.ods'",
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
        texts_of_column(table, "text")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("ending", [".csv", ".tsv"])
def test_separator_and_encoding_are_found(write, separator, encoding, ending):
    lines = [["Größe", "Wort"], ["1.5", "süß und gut"], ["2", "fade Suppe"]]
    text = "".join(separator.join(line) + "\n" for line in lines)
    table = read_table(write(f"t{ending}", text.encode(encoding)))
    assert table.columns == {"Größe": ["1.5", "2"], "Wort": ["süß und gut", "fade Suppe"]}
    assert bool(table.notes) == (encoding == "cp1252")


@pytest.mark.parametrize("pack", ["gz", "bz2", "xz", "zip"])
def test_compressed_tables_are_unpacked(tmp_path, pack):
    content = b"text,label\na,x\n"
    path = tmp_path / f"t.csv.{pack}"
    if pack == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inner.csv", content)
            archive.writestr("__MACOSX/inner.csv", b"of the Finder")
    else:
        path.write_bytes({"gz": gzip, "bz2": bz2, "xz": lzma}[pack].compress(content))
    assert read_table(path).columns == {"text": ["a"], "label": ["x"]}


def test_an_archive_of_two_files_is_refused_with_their_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "x")
        archive.writestr("b.csv", "x")
    with pytest.raises(DataError, match=r"expected an archive of one file, found 2: a\.csv, b\.csv"):
        read_table(tmp_path / "t.zip")


def test_decimal_commas_are_found_and_a_bad_cell_named(write):
    table = read_table(write("t.csv", "ds;y;z\n1;0,5;x\n2;1.234,25;y\n3;-7;z\n"))
    assert table.numbers("y").tolist() == [0.5, 1234.25, -7.0]
    assert table.columns["z"] == ["x", "y", "z"]
    broken = read_table(write("u.csv", "ds;y\n1;0,5\n2;1,x\n3;2,5\n"))
    with pytest.raises(DataError, match="row 3, column 'y': expected a number, got '1,x'"):
        broken.numbers("y")


def test_what_may_group_thousands_is_asked_for(write):
    path = write("t.csv", 'ds,y\n1,"1,234"\n2,"12,500"\n')
    with pytest.raises(DataError, match="say --decimal , or --decimal"):
        read_table(path).numbers("y")
    assert read_table(path, form=TableForm(decimal=",")).numbers("y").tolist() == [1.234, 12.5]
    assert read_table(path, form=TableForm(decimal=".")).numbers("y").tolist() == [1234, 12500]


def test_a_nameless_counter_is_no_data(write):
    for start in (0, 1, 7):
        rows = "".join(
            f"{number},2022-01-0{number % 9 + 1},{number}.5\n" for number in range(start, start + 3)
        )
        table = read_table(write("t.csv", ",date,sales\n" + rows))
        assert list(table.columns) == ["date", "sales"]
        assert table.notes == ("The first column has no name and counts the rows; it is left out.",)
    assert list(read_table(write("u.csv", ",b\n3,x\n9,y\n")).columns) == ["", "b"]


def test_sheets_are_read(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["fine", 1], [None, None], ["dull", 0]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.columns == {"text": ["fine", "dull"], "label": [1, 0]}
    assert table.rows.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("abandonner\ta b ɑ̃ d ɔ n e\nabby\ta b i\nabidjan\ta b i d ʒ ɑ̃\nabject\ta b ʒ ɛ k t\n", False),
        ("Hund\tdog\nKatze\tcat\nMaus\tmouse\nRabe\traven\n", False),
        ("Go.\tVa !\nHi.\tSalut !\nRun!\tCours !\nWait.\tAttends.\n", False),
        ("a plot that never ends\tdull\nfine\tgood\nso slow\tbad\nlovely\tgood\nno\tbad\n", False),
        ("v1\tv2\nham\tOk lad\nspam\tCall now\nham\tSee you\n", True),
        ("French\tIPA\nabandonner\ta b\nabby\ta b i\nabject\ta k t\n", True),
        ("word\tipa\nabandonner\tabc\nabby\tabd\nabject\tabe\n", True),
        ("zh\treading\n我\twǒ\n你\tnǐ\n他\ttā\n", True),
        ("surname\torigin\nRossi\tit\nMurphy\tie\nBianchi\tit\nByrne\tie\nConti\tit\nWalsh\tie\n", True),
        ("one\ttwo\tthree\nx\ty\tz\nu\tv\tw\nq\tr\ts\n", True),
    ],
)
def test_a_first_row_of_the_others_kind_is_data(write, text, header):
    table = read_table(write("t.tsv", text))
    assert (list(table.columns) == text.split("\n")[0].split("\t")) is header
    assert table.written is not None
    assert table.written.header is header


def test_a_later_file_is_read_as_the_training_data(write):
    named = read_table(write("t.csv", "text;mark\nso fine;1,5\nso dull;0,25\n"))
    form = TableForm(known=named.form(inputs="text", target="mark"))
    # No header, no target, and a comma in the text: the training data says what the file leaves open.
    headerless = read_table(write("u.csv", "dull, slow\nfine, quick\n"), form=form)
    assert headerless.columns == {"text": ["dull, slow", "fine, quick"]}
    assert "taken for those of the training data: text." in headerless.notes[0]
    grouped = read_table(write("v.csv", "text;mark\na;1,234\n"), form=form)
    assert grouped.numbers("mark").tolist() == [1.234]
    assert len(read_table(write("w.csv", "mark;text\n3;x\n"), form=form)) == 1
    numbered = read_table(write("x.tsv", "a fine film\t1\na dull film\t0\n"))
    known = TableForm(known=numbered.form(inputs="column_1", target="column_2"))
    assert read_table(write("y.tsv", "slow\tbad\n"), form=known).columns == {
        "column_1": ["slow"],
        "column_2": ["bad"],
    }
    assert read_table(write("z.tsv", "fine\n"), form=known).columns == {"column_1": ["fine"]}
    assert read_table(write("q.tsv", "text\nfine\n"), form=known).columns == {"text": ["fine"]}


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "a", "label": 1}\n{"text": "b", "label": 0}\n',
        '{"text": ["a", "b"], "label": [1, 0]}',
        '{"text": {"0": "a", "1": "b"}, "label": {"0": 1, "1": 0}}',
        '{"version": 2, "data": [{"text": "a", "label": 1}, {"text": "b", "label": 0}]}',
    ],
)
def test_json_in_other_forms(write, text):
    table = read_table(write("t.json", text))
    assert table.columns == {"text": ["a", "b"], "label": [1, 0]}
    assert table.rows.tolist() == [1, 2]


@pytest.mark.parametrize("orient", ["split", "records", "index", "columns", "table"])
@pytest.mark.parametrize("dated", [False, True])
def test_json_as_pandas_writes_it(tmp_path, orient, dated):
    index = pd.date_range("2024-01-31", periods=3, freq="D").strftime("%Y-%m-%d") if dated else None
    frame = pd.DataFrame({"text": ["a", "b", "c"], "value": [1.5, None, 2.0]}, index=index)
    frame.to_json(tmp_path / "t.json", orient=orient)
    table = read_table(tmp_path / "t.json")
    assert list(table.columns["text"]) == ["a", "b", "c"]
    assert np.array_equal(table.numbers("value"), frame["value"], equal_nan=True)
    if dated and orient in ("split", "index", "table"):
        assert list(table.columns[""]) == list(index)


def test_json_of_years_by_rows_is_not_turned(tmp_path):
    frame = pd.DataFrame({"2001": [1.0, 2.0, 3.0], "2002": [4.0, 5.0, 6.0]})
    for orient in ("index", "columns"):
        frame.to_json(tmp_path / "t.json", orient=orient)
        table = read_table(tmp_path / "t.json")
        assert table.numbers("2002").tolist() == [4.0, 5.0, 6.0]
    (tmp_path / "one.json").write_text('{"id": 5, "count": 3}')
    with pytest.raises(DataError, match="expected a JSON array of objects"):
        read_table(tmp_path / "one.json")


def test_a_series_as_pandas_writes_it(tmp_path):
    pd.Series([1.5, 2.5], index=["2024-01-31", "2024-02-29"]).to_json(tmp_path / "t.json")
    table = read_table(tmp_path / "t.json")
    assert table.columns == {"": ["2024-01-31", "2024-02-29"], "value": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("above", "first"),
    [
        ("# exported by a tool\n# unit: kW, hourly\n\n", 5),
        ("Sales of the year\n", 3),
        ("Sales of the year,\n,\n", 4),
    ],
)
def test_what_stands_above_a_table_is_not_read_and_said(write, above, first):
    table = read_table(write("t.csv", f"{above}day,sales\nmon,1\ntue,2\nwed,3\n"))
    assert table.columns == {"day": ["mon", "tue", "wed"], "sales": ["1", "2", "3"]}
    assert table.rows[0] == first
    assert f"it begins in row {first - 1}." in table.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "# day,sales\nmon,1\ntue,2\n",
        "day,sales\n#1,1\n#2,2\n",
        "text,label\n#fine,good\nplain,\nso,bad\n",
    ],
)
def test_what_is_part_of_a_table_is_read(write, text):
    table = read_table(write("t.csv", text))
    assert len(table) == text.count("\n") - 1
    assert not any("above" in note for note in table.notes)


def test_columns_apart_by_blanks(write):
    text = "day         sales   price\n" + "".join(f"2024-01-{d:02}  {d:6.2f}\t  {-d}\n" for d in range(1, 9))
    table = read_table(write("t.txt", text))
    assert list(table.columns) == ["day", "sales", "price"]
    assert table.numbers("price").tolist() == [-d for d in range(1, 9)]
    assert read_table(write("one.txt", text), form=TableForm(known=table.form())).columns == table.columns
    prose = read_table(write("p.txt", "two words\nmore words\nno numbers\nat all\n"))
    assert len(prose.columns) == 1


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$1,234.50", "($7)", "-$0.5", ""], [1234.5, -7, -0.5, np.nan]),
        (["12,5 %", "-3\u00a0%", "0,25 %"], [12.5, -3, 0.25]),
        (["1.234.567,5 €", "2 €", "-"], [1234567.5, 2, np.nan]),
        (["1 234,5", "12 345,0", "7"], [1234.5, 12345, 7]),
        (["USD 12", "USD 1,200", "USD -3"], [12, 1200, -3]),
        (["1,234.5", "2,345.25"], [1234.5, 2345.25]),
    ],
)
def test_amounts_are_numbers(write, cells, numbers):
    rows = "".join(f'x;"{cell}"\n' for cell in cells)
    table = read_table(write("t.csv", f"name;amount\n{rows}"))
    assert list(table.columns["amount"]) == cells or "%" not in cells[0]
    assert np.array_equal(table.numbers("amount"), numbers, equal_nan=True)


@pytest.mark.parametrize("cells", [["10.0.0.1", "192.168.0.7"], ["5 $", "5 €"], ["1.234 €", "2.345 €"]])
def test_what_are_no_amounts_or_open_ones_is_said(write, cells):
    table = read_table(write("t.csv", "name;amount\n" + "".join(f"x;{cell}\n" for cell in cells)))
    with pytest.raises(DataError, match="expected a number, got"):
        table.numbers("amount")


@pytest.mark.parametrize("name", ["t.txt", "t.dat", "SMSSpamCollection", "t.tab"])
def test_a_table_under_another_ending(write, name):
    table = read_table(write(name, "ham\tok lad\nspam\tcall now, free\nham\tsee you\n"))
    assert table.columns["column_2"] == ["ok lad", "call now, free", "see you"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("sep=;\ntext;label\nso, fine;a\n", 3),
        ('"text", "label"\n"so, fine", "a"\n', 2),
        ("text;label;\nso, fine;a;\n", 2),
        ("text;label;;\nso, fine;a;;\n", 2),
        ("text;label\nso, fine;a;;\n", 2),
    ],
)
def test_what_spreadsheets_and_people_leave_in_files(write, text, row):
    table = read_table(write("t.csv", text))
    assert table.columns == {"text": ["so, fine"], "label": ["a"]}
    assert table.rows.tolist() == [row]


def test_columns_with_content_and_no_name_are_numbered(write):
    assert list(read_table(write("t.csv", "text,,\nfine,a,b\ndull,c,d\n")).columns) == [
        "text",
        "column_2",
        "column_3",
    ]
