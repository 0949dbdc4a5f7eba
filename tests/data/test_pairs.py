"""Reading pairs of a source and a target."""

import json

import pandas as pd
import pytest

from unrolled.data.builtin import resolve
from unrolled.data.loading import load_documents, load_pairs, load_tagged
from unrolled.data.pairs import ParallelFiles, read_pairs
from unrolled.errors import ConfigError, DataError

PAIRS = [("one two", "2 1"), ("two", "2")]


def pairs(examples):
    return [(example.inputs, example.target) for example in examples]


def tsv(folder, text, name="pairs.tsv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "names", [("source", "target"), ("Question", "ANSWER"), ("input", "output"), ("src", "tgt"), ("a", "b")]
)
def test_columns_are_found_by_name_or_by_being_two(names, tmp_path):
    rows = "".join(f"{source}\t{target}\n" for source, target in PAIRS)
    assert pairs(read_pairs(tsv(tmp_path, "\t".join(names) + "\n" + rows))) == PAIRS


def test_every_kind_of_table(tmp_path):
    frame = pd.DataFrame(PAIRS, columns=["source", "target"])
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    lines = [json.dumps({"source": source.split(), "target": target}) for source, target in PAIRS]
    tsv(tmp_path, "\n".join(lines), "a.jsonl")
    for name in ("a.csv", "a.parquet", "a.jsonl"):
        assert pairs(load_pairs(tmp_path / name)) == PAIRS
    assert pairs(load_pairs(frame)) == PAIRS


def test_columns_may_be_named_and_others_stand_by(tmp_path):
    path = tsv(tmp_path, "id\ten\tde\tfr\n1\thouse\tHaus\tmaison\n2\tdog\tHund\tchien\n")
    assert pairs(read_pairs(path, source="de", target="fr")) == [("Haus", "maison"), ("Hund", "chien")]
    with pytest.raises(DataError, match=r"expected a column of sources, the columns are id, en, de, fr"):
        read_pairs(path)
    with pytest.raises(DataError, match="expected a column of targets"):
        read_pairs(path, source="en")
    with pytest.raises(DataError, match=r"expected a column 'dee'.*did you mean 'de'"):
        read_pairs(path, source="dee")


@pytest.mark.parametrize(
    "text",
    [
        "one two\t2 1\tCC-BY 2.0 #1\n\ntwo\t2\tCC-BY 2.0 #2\n",
        "one two ||| 2 1\ntwo ||| 2\n",
        ";;; remarks  of old\none two  2 1\ntwo  2\n",
    ],
)
def test_lines_of_a_source_and_a_target(tmp_path, text):
    found = read_pairs(tsv(tmp_path, text, "deu.txt"))
    assert pairs(found) == PAIRS
    assert "in one line" in found.notes[-1]
    assert ("left out" in found.notes[-1]) == ("CC-BY" in text)
    alone = read_pairs(tsv(tmp_path, text, "deu.txt"), paired=False)
    assert pairs(alone)[-1] == (("two  2" if ";;;" in text else "two"), None)
    with pytest.raises(DataError, match="expected a target, got none"):
        read_pairs(tsv(tmp_path, "one\t1\ntwo\t\n", "gap.txt"))


def test_a_column_with_a_text_for_each_language(tmp_path):
    lines = [json.dumps({"id": 1, "translation": {"en": source, "de": target}}) for source, target in PAIRS]
    path = tsv(tmp_path, "\n".join(lines), "t.jsonl")
    assert pairs(read_pairs(path, source="en", target="de")) == PAIRS
    pd.read_json(path, lines=True)[["translation"]].to_parquet(tmp_path / "t.parquet")
    assert pairs(read_pairs(tmp_path / "t.parquet")) == PAIRS


def test_sources_alone(tmp_path):
    lines = tsv(tmp_path, "one two\n\ntwo\n", "sources.txt")
    assert pairs(read_pairs(lines, paired=False)) == [("one two", None), ("", None), ("two", None)]
    table = tsv(tmp_path, "question\none two\ntwo\n")
    assert pairs(read_pairs(table, paired=False)) == [("one two", None), ("two", None)]
    both = tsv(tmp_path, "question\tanswer\none two\t2 1\n")
    assert pairs(read_pairs(both, paired=False)) == [("one two", None)]


def test_lines_of_scan(tmp_path):
    path = tsv(tmp_path, "IN: jump twice OUT: I_JUMP I_JUMP\nIN: run OUT: I_RUN\n", "scan.txt")
    assert pairs(load_pairs(path)) == [("jump twice", "I_JUMP I_JUMP"), ("run", "I_RUN")]
    assert pairs(load_pairs(path, paired=False))[1] == ("run", None)
    path.write_text("IN: run OUT: I_RUN\nIN: walk\n")
    with pytest.raises(DataError, match=r"scan\.txt, row 2: expected 'IN: .* OUT: .*', got 'IN: walk'"):
        load_pairs(path)
    path.write_text("IN: run OUT: I_RUN\nIN: walk OUT:\n")
    with pytest.raises(DataError, match=r"row 2: expected a target, got none"):
        load_pairs(path)


def test_two_parallel_files(tmp_path):
    one = tsv(tmp_path, "a b\nc\n", "train.en")
    other = tsv(tmp_path, "A B\nC\n", "train.de")
    assert resolve(f"{one},{other}") == ParallelFiles(one, other)
    assert pairs(load_pairs(f"{one},{other}")) == [("a b", "A B"), ("c", "C")]
    assert pairs(load_pairs(f"{one},{other}", paired=False)) == [("a b", None), ("c", None)]
    with pytest.raises(ConfigError, match=r"parallel files are for `translate`"):
        load_tagged(f"{one},{other}")
    with pytest.raises(ConfigError, match=r"parallel files are for `translate`"):
        load_documents(f"{one},{other}")
    with pytest.raises(ConfigError, match="parallel files have no columns: expected no source"):
        load_pairs(f"{one},{other}", source="en")
    with pytest.raises(DataError, match=r"none\.de: expected a file, found none"):
        load_pairs(f"{one},{tmp_path / 'none.de'}")


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (
            "a\nb\nc\n",
            "A\n",
            r"x\.en, row 2: expected as many lines as in .*x\.de, which ends after 1, got 'b'",
        ),
        ("a\n", "A\nB\n", r"x\.de, row 2: expected as many lines as in .*x\.en, which .* 1, got 'B'"),
        ("a\n\nc\n", "A\nB\nC\n", r"x\.en, row 2: expected text, got an empty line"),
        ("a\nb\n", "A\n \n", r"x\.de, row 2: expected text, got an empty line"),
    ],
)
def test_parallel_files_that_do_not_fit(one, other, message, tmp_path):
    paths = tsv(tmp_path, one, "x.en"), tsv(tmp_path, other, "x.de")
    with pytest.raises(DataError, match=message):
        load_pairs(",".join(map(str, paths)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source\ttarget\na\tb\n\tc\n", r"row 3, column 'source': expected text, got an empty cell"),
        ("source\ttarget\na\t \n", r"row 2, column 'target': expected text, got an empty cell"),
    ],
)
def test_an_empty_side_is_named(text, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_pairs(tsv(tmp_path, text))


def test_a_text_file_that_holds_no_pairs(tmp_path):
    with pytest.raises(DataError, match=r"expected a table .* two parallel text files as SOURCE,TARGET"):
        read_pairs(tsv(tmp_path, "just some text\n", "text.txt"))


def test_history_is_put_before_a_source(tmp_path):
    rows = [("x", "hi", "hello"), ("y", "hey", "ho"), ("x", "how are you", "well"), ("x", "why", "so")]
    path = tsv(tmp_path, "dialogue\tquestion\tanswer\n" + "".join("\t".join(row) + "\n" for row in rows))
    assert pairs(read_pairs(path, history=1)) == [
        ("hi", "hello"),
        ("hey", "ho"),
        ("hi\nhello\nhow are you", "well"),
        ("how are you\nwell\nwhy", "so"),
    ]
    assert read_pairs(path, history=1, paired=False)[3].target is None
    assert pairs(read_pairs(path, history=2))[3][0] == "hi\nhello\nhow are you\nwell\nwhy"
    assert any("'dialogue' tells conversations apart" in note for note in read_pairs(path, history=1).notes)
    alone = tsv(tmp_path, "question\tanswer\nhi\thello\nbye\tciao\n", "alone.tsv")
    assert pairs(read_pairs(alone, history=3))[1][0] == "hi\nhello\nbye"
    assert any("taken for one" in note for note in read_pairs(alone, history=1).notes)


def test_sorting_pairs_hold_the_sorted_list():
    examples = load_pairs("sorting:12@3")
    assert len(examples) == 50_000
    for example in examples[:100]:
        numbers = list(map(int, example.inputs.split()))
        assert list(map(int, example.target.split())) == sorted(numbers)
        assert 5 <= len(numbers) <= 12
        assert all(10 <= number <= 99 for number in numbers)
    assert {len(example.inputs.split()) for example in examples} == set(range(5, 13))
    assert load_pairs("sorting", paired=False)[0].target is None
