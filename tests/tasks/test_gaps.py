"""Sequences in which numbers are missing: the last one is read, and how long ago it was."""

import json

import numpy as np
import pandas as pd
import pytest

from unrolled.errors import DataError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.inputs.numbers import with_gaps
from unrolled.tasks.registry import load
from unrolled.tasks.tag import Tagger

TINY = {"hidden_size": 8, "epochs": 15, "learning_rate": 0.02, "input_noise": 0.0, "dropout": 0.0}
NAN = float("nan")


def missing(count, seed):
    """Noise whose class is told only by how long the second channel was away."""
    generator = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        values = generator.normal(size=(12, 2))
        away = 6 if number % 2 else 2
        start = generator.integers(1, 12 - away)
        values[start : start + away, 1] = NAN
        rows.append((values, "long" if number % 2 else "short"))
    return rows


@pytest.fixture(scope="module")
def classifier():
    return Classifier(**TINY).fit(missing(120, seed=0), dev=missing(40, seed=1))


def test_what_is_missing_is_learned_from(classifier, tmp_path):
    test = missing(60, seed=2)
    assert classifier.evaluate(test).scores["accuracy"] > 0.95
    assert any("of 2,880 numbers are missing" in note for note in classifier.notices)
    classifier.save(tmp_path / "model")
    inputs = [values for values, _ in test]
    assert np.array_equal(load(tmp_path / "model").predict_proba(inputs), classifier.predict_proba(inputs))
    assert load(tmp_path / "model").evaluate(test).baselines == classifier.evaluate(test).baselines


@pytest.mark.parametrize("seed", range(5))
def test_each_step_tells_the_last_number_and_its_age(seed):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(generator.integers(1, 15), 3))
    values[generator.random(values.shape) < 0.6] = NAN
    found = with_gaps(values)
    for channel, column in enumerate(values.T):
        for step in range(len(column)):
            known = [at for at in range(step + 1) if not np.isnan(column[at])]
            age = step - known[-1] if known else step + 1
            expected = [column[known[-1]] if known else 0.0, float(age == 0 and bool(known)), np.log1p(age)]
            np.testing.assert_allclose(found[step, channel::3], expected)


def test_every_form_has_gaps(classifier, tmp_path):
    values, label = missing(1, seed=3)[0]
    expected = classifier.predict([values])
    plain = [[None if np.isnan(number) else number for number in step] for step in values.tolist()]
    assert classifier.predict([plain]) == expected
    schema = classifier.input_schema()
    assert classifier.predict([schema.from_json(plain)]) == expected
    assert classifier.predict([schema.from_line(json.dumps(plain))]) == expected
    (tmp_path / "lines.jsonl").write_text(json.dumps({"values": plain, "label": label}))
    assert classifier.predict(tmp_path / "lines.jsonl") == expected
    pd.DataFrame({"values": [str(values.tolist())], "label": label}).to_csv(
        tmp_path / "cells.csv", index=False
    )
    assert classifier.predict(tmp_path / "cells.csv") == expected
    (tmp_path / "files").mkdir()
    pd.DataFrame(values, columns=["a", "b"]).to_csv(tmp_path / "files" / "one.csv", index=False)
    np.save(tmp_path / "files" / "two.npy", values)
    assert classifier.predict(tmp_path / "files") == expected * 2
    channels = [",".join("?" if np.isnan(number) else str(number) for number in each) for each in values.T]
    (tmp_path / "one.ts").write_text("@classLabel false\n@data\n" + ":".join(channels) + "\n")
    assert classifier.predict(tmp_path / "one.ts") == expected


def test_gaps_that_training_has_not_seen_are_refused():
    whole = [(np.nan_to_num(values), label) for values, label in missing(12, seed=0)]
    classifier = Classifier(hidden_size=4, epochs=1).fit(whole)
    with pytest.raises(
        DataError, match="row 2: expected finite numbers, as all were in training, got NaN at step 2"
    ):
        classifier.predict([np.zeros((3, 2)), np.array([[0.0, 1.0], [NAN, 1.0]])])


def test_a_channel_that_is_never_there_does_no_harm():
    data = [(np.array([[1.0 * number, NAN]] * 3), "ab"[number % 2]) for number in range(12)]
    assert set(Classifier(hidden_size=4, epochs=1).fit(data).predict([row for row, _ in data])) <= {"a", "b"}


def test_every_step_has_a_tag():
    generator = np.random.default_rng(0)
    rows = []
    for _ in range(60):
        values = generator.normal(size=(8, 1))
        gone = generator.random(8) < 0.4
        values[gone] = NAN
        rows.append((values, ["gone" if each else "there" for each in gone]))
    tagger = Tagger(hidden_size=4, epochs=40, patience=None, learning_rate=0.03).fit(rows, dev=rows[:20])
    assert tagger.evaluate(rows).scores["accuracy"] > 0.99
