"""Data known by name."""

import sysconfig

import numpy as np
import pytest

from unrolled.data.builtin import BUILT_IN, Reference, listing, resolve
from unrolled.data.docstrings import docstrings
from unrolled.data.loading import load_documents, load_labelled, load_series, load_tagged
from unrolled.data.roll_files import read_rolls
from unrolled.data.rolls import notes_of_roll, predict_next
from unrolled.errors import ConfigError, DataError


def test_the_listing_names_every_data_set():
    assert len(listing()) == len(BUILT_IN) == 10
    assert all(each["description"] and each["task"] for each in listing())


def test_seattle_weather_is_whole():
    (series,) = load_series("seattle-weather")
    assert (len(series), series.step, series.names) == (1461, "D", ("precipitation", "temp_min", "wind"))
    assert not np.isnan(series.values).any()
    assert not np.isnan(series.covariates).any()
    assert (series.values[0], series.values[-1]) == (12.8, 5.6)
    (other,) = load_series("seattle-weather", target="wind", covariates=["temp_max"], season=365)
    assert (other.unique_id, other.names, other.season) == ("wind", ("temp_max",), 365)


def test_adding_sums_the_marked_numbers():
    examples = load_labelled("adding:30")
    for example in examples[:50]:
        numbers, marks = example.inputs.T
        assert marks[:15].sum() == marks[15:].sum() == 1
        assert example.target == pytest.approx(numbers @ marks)


def test_temporal_order_follows_the_paper():
    classes = {"Q": "XX", "R": "XY", "S": "YX", "U": "YY"}
    examples = load_labelled("temporal-order")
    assert {example.target for example in examples} == set(classes)
    for example in examples[:50]:
        letters = example.inputs.split()
        assert 100 <= len(letters) <= 110
        assert (letters[0], letters[-1]) == ("E", "B")
        first, second = (place for place, letter in enumerate(letters) if letter in "XY")
        assert 10 <= first <= 20
        assert 50 <= second <= 60
        assert classes[example.target] == letters[first] + letters[second]


def test_copy_repeats_after_the_pause():
    example = load_tagged("copy:20")[0]
    assert len(example.inputs) == len(example.target) == 10 + 19 + 1 + 10
    assert example.target[-10:] == example.inputs[:10]
    assert set(example.target[:-10]) == {"_"}
    assert example.inputs[29] == ":"


def test_sorting_tags_with_the_sorted_list():
    examples = load_tagged("sorting")
    assert {len(example.inputs) for example in examples} == set(range(5, 11))
    assert all(list(example.target) == sorted(example.inputs) for example in examples)


def test_deep_is_four_letters_and_a_stop():
    (example,) = load_tagged("deep")
    assert (example.inputs, example.target) == (("d", "e", "e", "p"), ("e", "e", "p", "stop"))
    assert load_tagged("deep", tagged=False)[0].target is None


def test_generated_data_depend_on_the_seed_only():
    first, again, other = (
        load_labelled(name)[0].inputs for name in ("adding:20", "adding:20@0", "adding:20@1")
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_headers_are_read_from_this_python(monkeypatch, tmp_path):
    documents = load_documents("c-headers")
    assert "Py" in "".join("".join(document) for document in documents)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
    with pytest.raises(DataError, match="found no such folder; install Python's development files"):
        load_documents("c-headers")


def test_docstrings_of_a_library(monkeypatch, tmp_path):
    (tmp_path / "b.py").write_text('"""Module b."""\ndef f():\n    """Do f.\n\n    Well.\n    """\n')
    (tmp_path / "a.py").write_text('class A:\n    """An A."""\nasync def g():\n    """Wait."""\n')
    (tmp_path / "broken.py").write_text("def :\n")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "c.py").write_text('"""A test."""\n')
    texts = ["".join(document) for document in docstrings(tmp_path)]
    assert texts == ["An A.\n\nWait.\n", "Module b.\n\nDo f.\n\nWell.\n"]
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert ["".join(document) for document in load_documents("python-docs")] == texts
    with pytest.raises(DataError, match="expected the source files of Python's library, found none"):
        docstrings(tmp_path / "nothing")


def test_a_file_of_the_same_name_comes_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert isinstance(resolve("deep"), Reference)
    (tmp_path / "deep").write_text("my own")
    assert ["".join(document) for document in load_documents("deep")] == ["my own"]


@pytest.mark.parametrize("name", ["nothing", "adding:", "adding:x", "Adding", "gone.csv"])
def test_neither_path_nor_name_lists_the_names(name):
    with pytest.raises(
        DataError, match=r"name of built-in data, found none; check the path; built-in are seattle"
    ):
        resolve(name)


def test_lengths_and_seeds_only_where_there_are_any():
    with pytest.raises(ConfigError, match="expected adding of length 10 or more, got 5"):
        resolve("adding:5")
    with pytest.raises(ConfigError, match="expected 'deep' alone"):
        resolve("deep:20")


def test_documents_from_tables_and_bytes(tmp_path):
    (tmp_path / "t.csv").write_text("id,story\n1,one\n2,two\n")
    found = load_documents(tmp_path / "t.csv", text="story")
    assert list(found) == list(found) == [["one"], ["two"]]
    assert found.notes == ("Left out: column id.",)
    (tmp_path / "raw.txt").write_bytes(b"\xff\xfe")
    assert [list(document) for document in load_documents(tmp_path / "raw.txt", unit="byte")] == [
        [b"\xff\xfe"]
    ]


def test_piano_rolls_from_json(tmp_path):
    path = tmp_path / "songs.json"
    path.write_text('{"train": [[[60, 64.0], [-1], []]], "test": [[[21]]]}')
    rolls = read_rolls(path)
    (song,) = rolls.part("train")
    assert notes_of_roll(song.inputs) == [[60, 64], [], []]
    assert notes_of_roll(rolls.part("test")[0].inputs) == [[21]]
    item = predict_next(song.inputs)
    assert not item.inputs["values"][0].any()
    assert np.array_equal(item.inputs["values"][1:], song.inputs[:-1])
    assert np.array_equal(item.target, song.inputs)
    with pytest.raises(DataError, match="expected a split 'valid', the file has train, test"):
        rolls.part("valid")


def test_piano_rolls_from_json_lines_name_the_row(tmp_path):
    path = tmp_path / "songs.jsonl"
    path.write_text("[[60]]\n\n[[60], [61, 200]]\n")
    with pytest.raises(
        DataError, match=r"songs\.jsonl, row 3: expected MIDI notes from 21 to 108, got 200 at step 2"
    ):
        read_rolls(path)
    path.write_text("[[60]]\n{\n")
    with pytest.raises(DataError, match="row 2: expected JSON"):
        read_rolls(path)
    path.write_text("[60]\n")
    with pytest.raises(DataError, match="row 1: expected a list of steps, each a list of notes"):
        read_rolls(path)
    path.write_text("\n")
    with pytest.raises(DataError, match="expected sequences of notes, found none"):
        read_rolls(path)
