"""Sequences with one label or number each."""

import numpy as np
import pandas as pd
import pytest

from unrolled.data.example import Example, Examples, Source
from unrolled.data.labelled import read_labelled
from unrolled.data.loading import load_labelled
from unrolled.data.targets import as_targets
from unrolled.errors import ConfigError, DataError


@pytest.fixture
def write(tmp_path):
    def write_file(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write_file


def test_columns_are_found_by_their_names(write):
    examples = read_labelled(write("t.csv", "id,Sentence,Label\n1,so good,pos\n2,so bad,neg\n"))
    assert [(item.inputs, item.target) for item in examples] == [("so good", "pos"), ("so bad", "neg")]
    assert examples[1].source == Source(examples[1].source.path, 3, "Label")
    assert examples.notes == ("Left out: column id.",)


def test_two_columns_without_header_are_found_by_content(write):
    examples = read_labelled(write("t.tsv", "a fine film\t1\na dull film\t0\nlovely\t1\n"))
    assert [(item.inputs, item.target) for item in examples][:2] == [
        ("a fine film", "1"),
        ("a dull film", "0"),
    ]
    assert examples.notes == (
        "There is no header row; the columns are numbered. If the first row holds names, say --header.",
        "Column 'column_1' is taken for the text, being the longer one.",
        "Column 'column_2' is taken for the label, being the other one.",
    )


def test_the_user_may_name_the_columns(write):
    path = write("t.csv", "text,label,stars\ngood,x,5\nbad,y,1\n")
    assert read_labelled(path, text="label", label="stars")[0].inputs == "x"
    assert read_labelled(path, label="stars", targets="number")[0].target == 5.0


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_number_sequences_of_unequal_length(tmp_path, kind):
    frame = pd.DataFrame({"values": [[[1, 2], [3, 4]], [[5, 6]]], "label": ["a", "b"]})
    path = tmp_path / f"t.{kind}"
    if kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif kind == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    examples = read_labelled(path)
    assert [item.inputs.tolist() for item in examples] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert load_labelled(frame)[1].inputs.tolist() == [[5, 6]]


def test_flat_lists_have_one_feature(write):
    path = write("t.jsonl", '{"x": [1, 2, 3], "y": 0.5}\n{"x": [4], "y": 2}\n')
    examples = read_labelled(path)
    assert [item.inputs.shape for item in examples] == [(3, 1), (1, 1)]
    assert [item.target for item in examples] == [0.5, 2.0]
    assert examples.notes == ("The labels are numbers with fractions, so this is regression.",)
    assert read_labelled(path, targets="class")[1].target == "2"


def test_whole_numbers_are_classes(write):
    path = write("t.jsonl", '{"text": "a", "label": 1.0}\n{"text": "b", "label": 0}\n')
    assert [item.target for item in read_labelled(path)] == ["1", "0"]


def test_inputs_alone_for_prediction(write):
    examples = read_labelled(write("t.csv", "text\na\nb\n"), labelled=False)
    assert [(item.inputs, item.target) for item in examples] == [("a", None), ("b", None)]
    lines = read_labelled(write("t.txt", "a\n\nb\r\n"), labelled=False)
    assert [(item.inputs, item.source.row) for item in lines] == [("a", 1), ("b", 3)]


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("t.csv", "text,label\na,\n", {}, "row 2, column 'label': expected a label, got an empty cell"),
        ("t.csv", "text,label\na,1\n", {"label": "lable"}, "expected a column 'lable'.*did you mean 'label'"),
        (
            "t.csv",
            "a,b,c\nx,y,z\n",
            {},
            "expected a column of text .or of lists of numbers., the columns are a, b, c",
        ),
        ("t.csv", "text,b,c\nx,y,z\n", {}, "expected a column of labels, the columns are text, b, c"),
        (
            "t.csv",
            "text,y\na,1\nb,x\n",
            {"targets": "number"},
            "row 3, column 'y': expected a number, got 'x'",
        ),
        ("t.csv", "text,y\na,inf\n", {"targets": "number"}, "row 2, column 'y': expected a finite number"),
        (
            "t.jsonl",
            '{"values": [1, Infinity], "label": 1}',
            {},
            "row 1, column 'values': expected finite numbers, got inf at step 2",
        ),
        ("t.jsonl", '{"values": [[1, 2], [3]], "label": 1}', {}, "the same count of them at every step"),
        ("t.jsonl", '{"values": [1, "a"], "label": 1}', {}, "row 1, column 'values': expected numbers"),
        ("t.jsonl", '{"values": [[[1]]], "label": 1}', {}, "got 3 levels of lists"),
        (
            "t.jsonl",
            '{"values": [[1, 2]], "label": 1}\n{"values": [[1]], "label": 1}',
            {},
            "row 2, .*expected 2 numbers a step as in the first sequence, got 1 numbers a step",
        ),
        (
            "t.jsonl",
            '{"values": [1], "label": 1}\n{"values": 4, "label": 1}',
            {},
            "row 2, .*expected a list of numbers, got 4",
        ),
        (
            "t.csv",
            "values,label\n[1],a\n[1,b\n",
            {},
            r"row 3, column 'values': expected a list of numbers such as",
        ),
        (
            "t.jsonl",
            '{"text": "a", "label": 1}\n{"text": 4, "label": 1}',
            {},
            "row 2, column 'text': expected text, got 4",
        ),
        ("t.jsonl", '{"text": "a", "label": {"b": 1}}', {}, "row 1, column 'label': expected a label, got"),
    ],
)
def test_bad_input_is_refused_with_the_place(write, name, text, options, message):
    with pytest.raises(DataError, match=message):
        read_labelled(write(name, text), **options)


def test_one_number_a_step_needs_no_second_axis():
    examples = Examples((Example(np.zeros(3), "a"), Example(np.zeros((2, 1)), "b")))
    assert [item.target for item in as_targets(examples, "class")] == ["a", "b"]


def test_texts_and_numbers_do_not_mix():
    examples = Examples((Example("text", "a"), Example(np.zeros((2, 1)), "a", Source("given", 2))))
    with pytest.raises(
        DataError, match="given, row 2: expected text as in the first sequence, got 1 numbers a step"
    ):
        as_targets(examples, "class")


TS = """# comment
@problemName Two
@timeStamps false
@missing false
@univariate false
@classLabel true up down
@data
1,2,3:4,5,6:up
7.5,8:9,-1e1:down
"""


def test_ts_files_with_unequal_lengths(write):
    first, second = read_labelled(write("t.ts", TS))
    assert first.inputs.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert (second.inputs.tolist(), second.target, second.source.row) == ([[7.5, 9], [8, -10]], "down", 9)


def test_ts_files_for_regression_and_without_labels(write):
    regression = (
        TS.replace("@classLabel true up down", "@targetlabel true").replace("up", "0.5").replace("down", "2")
    )
    assert [item.target for item in read_labelled(write("r.ts", regression))] == [0.5, 2.0]
    plain = write("p.ts", "@classLabel false\n@data\n1,2\n3,4\n")
    assert read_labelled(plain, labelled=False)[1].inputs.tolist() == [[3], [4]]
    with pytest.raises(DataError, match="expected a label"):
        read_labelled(plain)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1,2,3:", "1,x,3:", r"row 8, column 'channel 1': expected a number at step 2, got 'x'"),
        (
            "4,5,6",
            "4,5",
            "row 8, column 'channel 2': expected 3 values as in the case's first channel, got 2",
        ),
        ("7.5,8:", "7,8:1,2:", "row 9: expected 2 channels as in the first case, got 3"),
        (
            ":down",
            ":left",
            r"row 9, column 'label': expected one of the labels in the header \(down, up\), got 'left'",
        ),
        ("@timeStamps false", "@timeStamps true", "row 3: expected values without time stamps"),
        ("@data\n", "", "row 7: expected '@data' before the cases"),
        ("1,2,3:4,5,6:up\n7.5,8:9,-1e1:down\n", "", "expected cases after '@data', found none"),
    ],
)
def test_bad_ts_files_are_refused_with_the_place(write, old, new, message):
    assert old in TS
    with pytest.raises(DataError, match=message):
        read_labelled(write("t.ts", TS.replace(old, new)))


def test_built_in_data_by_kind():
    assert load_labelled("adding:20", labelled=False)[0].target is None
    with pytest.raises(
        ConfigError, match="'copy', which is for `tag`; of the built-in data, adding, temporal-order"
    ):
        load_labelled("copy")
    with pytest.raises(ConfigError, match="takes no option text"):
        load_labelled("adding", text="review")


def test_whole_numbers_that_hardly_repeat_are_amounts():
    salaries = Examples(
        tuple(Example("text", str(1000 + 977 * place), Source(None, place)) for place in range(60))
    )
    found = as_targets(salaries, "auto")
    assert found[1].target == 1977.0
    assert found.notes == ("The labels are numbers that hardly repeat, so this is regression.",)
    classes = Examples(tuple(Example("text", str(place % 25), Source(None, place)) for place in range(200)))
    assert as_targets(classes, "auto")[1].target == "1"


@pytest.mark.parametrize(
    "cell",
    [
        "[0.5, 2]",
        "(0.5, 2)",
        "[0.5 2. ]",
        "[ 5.0e-01\n 2.0e+00]",
        "array([0.5, 2. ])",
        "[np.float64(0.5), 2]",
    ],
)
@pytest.mark.parametrize("name", ["values", "walk"])
def test_lists_of_numbers_as_text(tmp_path, cell, name):
    path = tmp_path / "t.csv"
    pd.DataFrame({name: [cell, "[1, 2]"], "label": ["a", "b"]}).to_csv(path, index=False)
    assert read_labelled(path)[0].inputs.tolist() == [[0.5], [2]]


@pytest.mark.parametrize("cell", [["so", "fine"], "['so', 'fine']", '["so", "fine"]', "['so' 'fine']"])
def test_lists_of_words_are_texts(cell):
    frame = pd.DataFrame({"tokens": [cell, cell], "label": ["a", "b"]})
    examples = load_labelled(frame)
    assert examples[1].inputs == "so fine"
    assert examples.notes == ("Column 'tokens' holds lists of words, which are read as texts.",)


def test_numbers_that_numpy_left_out_are_missed(write):
    path = write("t.csv", "values,label\n[0.1 0.2 ... 0.8 0.9],a\n")
    with pytest.raises(
        DataError, match=r"row 2, column 'values': expected a list of numbers.*left numbers out"
    ):
        read_labelled(path)


def test_texts_as_fasttext_has_them(write):
    examples = read_labelled(write("t.txt", "__label__good a fine film\n\n__label__bad , dull\n"))
    assert [(item.inputs, item.target, item.source.row) for item in examples] == [
        ("a fine film", "good", 1),
        ("dull", "bad", 3),
    ]
    several = read_labelled(write("u.txt", "__label__a __label__b text\n__label__b more\n"))
    assert [item.target for item in several] == [("a", "b"), ("b",)]
    with pytest.raises(DataError, match="row 1: expected one label, got several"):
        read_labelled(write("u.txt", "__label__a __label__b text\n"), targets="class")


def test_amounts_are_labels_that_are_numbers(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,price\n" + "".join(f'so {n},"${n},{n}00.99"\n' for n in range(1, 9)))
    examples = read_labelled(path)
    assert [item.target for item in examples] == [1100 * n + 0.99 for n in range(1, 9)]
    assert read_labelled(path, targets="class")[0].target == "$1,100.99"
    tagged = tmp_path / "c.csv"
    tagged.write_text("text,share\n" + "a,50%\nb,100%\n" * 5)
    assert {item.target for item in read_labelled(tagged)} == {"50%", "100%"}
