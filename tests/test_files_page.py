"""The page on files is true: its examples are read as it says, and its options exist."""

import re
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.loading import load_captions, load_labelled, load_pairs, load_series, load_tagged
from unrolled.data.roll_files import read_rolls
from unrolled.data.rolls import notes_of_roll
from unrolled.tasks.registry import estimator_class, task_names

PAGE = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def texts_and_labels(path):
    return [(example.inputs, example.target) for example in load_labelled(path)]


def sequences_and_labels(path):
    return [(np.ravel(example.inputs).tolist(), example.target) for example in load_labelled(path)]


def words_and_tags(path):
    return [(list(example.inputs), list(example.target)) for example in load_tagged(path)]


def values_and_tags(path):
    return [(example.inputs.tolist(), list(example.target)) for example in load_tagged(path)]


def sources_and_targets(path):
    return [(example.inputs, example.target) for example in load_pairs(path)]


def notes(path):
    return [notes_of_roll(example.inputs) for example in read_rolls(path).part("train")]


def classes_and_texts(path):
    return [(list(example.inputs.values()), example.target) for example in load_captions(path)]


def series(path):
    return [(one.unique_id, str(one.values.tolist()), one.names) for one in load_series(path)]


@pytest.mark.parametrize(
    ("section", "number", "read", "expected"),
    [
        ("classify", 0, texts_and_labels, [("a fine film", "good"), ("a dull film", "bad")]),
        ("classify", 1, sequences_and_labels, [([0.1, 0.4, 0.2], "up"), ([0.9, 0.3, 0.1], "down")]),
        ("tag", 1, values_and_tags, [([[0.1, 2], [0.3, 1]], ["still", "moving"])]),
        (
            "tag",
            2,
            words_and_tags,
            [(["Mira", "lives", "in", "Oslo", "."], ["B-PER", "O", "O", "B-LOC", "O"])],
        ),
        (
            "tag",
            3,
            values_and_tags,
            [
                ([[0.1, 2, 0], [0.3, 1, 0.13]], ["still", "moving"]),
                ([[0.2, 2, 0], [0.1, 2, 0.25]], ["still", "still"]),
            ],
        ),
        ("tag", 4, words_and_tags, [(["MKVLAT"], ["HHHCEE"]), (["GAVL"], ["CCHH"])]),
        ("tag", 0, words_and_tags, [(["Ada", "ran"], ["B-PER", "O"]), (["yes"], ["O"])]),
        ("generate", 0, notes, [[[60, 64, 67], [60, 64, 67], [], [62]]]),
        (
            "translate",
            0,
            sources_and_targets,
            [("what is two and two", "four"), ("who are you", "a network")],
        ),
        (
            "translate",
            1,
            sources_and_targets,
            [("jump twice", "I_JUMP I_JUMP"), ("walk left", "I_TURN_LEFT I_WALK")],
        ),
        ("caption", 0, classes_and_texts, [(["Italian"], "Rossi"), (["Irish"], "Murphy")]),
        (
            "forecast",
            0,
            series,
            [("corner", "[12.5, nan, 11.0]", ("price",)), ("market", "[120.0]", ("price",))],
        ),
        ("forecast", 1, series, [("H1", "[605.0, 586.0, 575.0]", ()), ("H2", "[3124.0, 2990.0]", ())]),
    ],
)
def test_an_example_is_read_as_the_page_says(section, number, read, expected, tmp_path):
    suffix, text = blocks(section)[number]
    path = tmp_path / f"example.{suffix}"
    path.write_text(text, encoding="utf-8")
    assert read(path) == expected


def test_no_example_is_left_out():
    assert {section: len(blocks(section)) for section in SECTIONS if blocks(section)} == {
        "caption": 1,
        "translate": 2,
        "classify": 2,
        "tag": 5,
        "generate": 1,
        "forecast": 2,
    }


@pytest.mark.parametrize("task", task_names())
def test_the_options_it_names_exist(task):
    named = re.findall(r"--([a-z][a-z-]*)", SECTIONS[task])
    assert named
    fields = estimator_class(task).Config.model_fields
    for name in named:
        assert {name.replace("-", "_"), name.removeprefix("no-").replace("-", "_")} & fields.keys()


def blocks(section):
    return re.findall(r"^```(\w+)\n(.*?)^```$", SECTIONS[section], flags=re.MULTILINE | re.DOTALL)
