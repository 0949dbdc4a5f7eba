"""Strings of symbols without spaces: which they are, how they are cut, and learning where a symbol stands."""

import numpy as np
import pytest

from unrolled.tasks.classify import Classifier
from unrolled.tasks.registry import load

TINY = {"hidden_size": 8, "epochs": 1}


def strings(count, seed, length=24):
    """DNA whose label is its letter in the middle: every letter is everywhere else too."""
    generator = np.random.default_rng(seed)
    rows = ["".join(generator.choice(list("ACGT"), size=length)) for _ in range(count)]
    return [(row, f"has {row[length // 2]}") for row in rows]


@pytest.fixture(scope="module")
def placed():
    return Classifier(hidden_size=16, epochs=12, learning_rate=0.02).fit(strings(200, seed=0))


def test_aligned_strings_are_read_with_their_places(placed):
    evaluation = placed.evaluate(strings(100, seed=1))
    assert evaluation.scores["accuracy"] > 0.95
    assert evaluation.baselines["placed-symbols logistic regression"]["accuracy"] > 0.9
    assert evaluation.baselines["majority class"]["accuracy"] < 0.5
    assert (placed.effective.unit, placed.effective.positions) == ("characters", True)
    assert any("symbols" in notice for notice in placed.notices)


def test_saved_and_loaded_predicts_the_same(placed, tmp_path):
    texts = [text for text, _ in strings(20, seed=2)] + ["ACG", "", "ACGX" * 20]
    placed.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(texts), placed.predict_proba(texts))


def test_strings_of_different_lengths_have_no_places():
    data = strings(20, seed=0) + strings(20, seed=1, length=30)
    assert Classifier(**TINY).fit(data).effective.positions is False
    assert Classifier(**TINY, positions=True).fit(data).predict(["ACGT" * 10])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["a", "c", "g", "t", "a"]),
        ({"kmer": 3}, ["acg", "cgt", "gta"]),
        ({"kmer": 2, "stride": 2}, ["ac", "gt"]),
        ({"kmer": 9}, ["acgta"]),
        ({"kmer": 4, "lowercase": False}, ["ACGT", "CGTA"]),
    ],
)
def test_cut_into_kmers(options, expected):
    classifier = Classifier(**TINY, **options).fit(strings(20, seed=0))
    example = classifier._read(["ACGTA"], labelled=False)[0]
    assert classifier._inputs.steps(example) == expected


def test_what_was_asked_for_stays():
    classifier = Classifier(**TINY, unit="words").fit(strings(20, seed=0))
    assert classifier.effective.unit == "words"
    classifier = Classifier(**TINY, embedding_size=7).fit(strings(20, seed=0))
    assert (classifier.effective.embedding_size, classifier.effective.epochs) == (7, 1)


def test_a_clone_is_given_the_same_defaults():
    from sklearn.base import clone

    data = strings(20, seed=0)
    asked = Classifier(hidden_size=8, epochs=2)
    copied = clone(asked)
    assert asked.fit(data).effective == copied.fit(data).effective
    assert copied.effective.embedding_size == 32


def test_texts_with_spaces_are_words():
    data = [(f"{text[:9]} {text[9:]}", label) for text, label in strings(20, seed=0)]
    assert Classifier(**TINY).fit(data).effective.unit is None
