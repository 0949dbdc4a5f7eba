"""A tag for every step of a sequence of numbers."""

import json

import numpy as np
import pytest

from unrolled.errors import DataError
from unrolled.tasks.registry import load
from unrolled.tasks.tag import Tagger

TINY = {"hidden_size": 4, "epochs": 1}


def rising(count, seed):
    """Whether a wandering number has gone up or down: its value alone does not tell."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        moves = generator.choice([-1.0, 1.0], size=generator.integers(3, 12))
        steps = np.stack([np.cumsum(moves), generator.normal(size=len(moves))], axis=1)
        rows.append((steps, ["up" if move > 0 else "down" for move in moves]))
    return rows


@pytest.fixture(scope="module")
def wandering():
    return Tagger(hidden_size=16, epochs=10, learning_rate=0.02).fit(rising(150, seed=0))


def test_learns_what_one_step_does_not_tell(wandering):
    evaluation = wandering.evaluate(rising(50, seed=1))
    assert evaluation.scores["accuracy"] > 0.95
    assert evaluation.baselines["per-step logistic regression"]["accuracy"] < 0.8
    assert evaluation.baselines["majority tag"]["accuracy"] < 0.65
    assert evaluation.unit == "steps"
    assert evaluation.examples[0]["input"][0].split()


def test_saved_and_loaded_predicts_the_same(wandering, tmp_path):
    data = rising(10, seed=2)
    inputs = [steps for steps, _ in data]
    wandering.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert loaded.predict(inputs) == wandering.predict(inputs)
    assert loaded.evaluate(data).baselines == wandering.evaluate(data).baselines
    assert wandering.predict([[], inputs[0].tolist()])[0] == []


def test_files_lists_and_arrays_are_the_same_to_it(wandering, tmp_path):
    data = rising(6, seed=3)
    lines = [json.dumps({"values": steps.tolist(), "tags": tags}) for steps, tags in data]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    folder = tmp_path / "walks"
    folder.mkdir()
    for number, (steps, tags) in enumerate(data):
        rows = [
            f"{first!r},{second!r},{tag}" for (first, second), tag in zip(steps.tolist(), tags, strict=True)
        ]
        (folder / f"{number}.csv").write_text("\n".join(["place,noise,tag", *rows]))
    expected = wandering.evaluate(data).scores
    assert wandering.evaluate(tmp_path / "data.jsonl").scores == expected
    assert wandering.evaluate(folder).scores == expected
    assert wandering.predict(folder) == wandering.predict([steps for steps, _ in data])
    assert wandering.predict(folder / "0.csv") == wandering.predict(folder)[:1]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "x,tag\n1,up\noops,up\n", r"a\.csv, row 3, column 'x': expected a number, got 'oops'"),
        ("a.csv", "x,tag\n1,up\n2,\n", r"a\.csv, row 3, column 'tag': expected a tag, got an empty cell"),
        ("a.csv", "x,y\n1,2\n", r"a\.csv: expected a column of tags, the columns are x, y; say"),
        ("a.txt", "nothing", "expected CSV or TSV files in the folder"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        Tagger(**TINY).fit(tmp_path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([(np.zeros((2, 1)), ["a"])] * 3, "expected as many tags as steps, got 2 steps and 1 tags"),
        ([(np.zeros((1, 1)), ["a"]), (np.zeros((1, 2)), ["a"])] * 3, "expected 1 numbers a step as in"),
        ([([0.5, float("inf")], ["a", "b"])] * 3, "expected finite numbers, got inf at step 2"),
        ([(np.zeros((0, 1)), [])] * 3, "expected steps, got an empty sequence"),
    ],
)
def test_bad_data(data, message):
    with pytest.raises(DataError, match=message):
        Tagger(**TINY).fit(data)


def test_words_where_training_had_numbers(wandering):
    with pytest.raises(DataError, match="row 1: expected numbers as in training, got 'a b'"):
        wandering.predict(["a b"])
    with pytest.raises(DataError, match="row 1: expected 2 numbers a step as in training, got 3"):
        wandering.predict([np.zeros((4, 3))])
