"""The simple methods of classify and tag, against scikit-learn itself and through saving."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from unrolled.tasks.baselines.features import BagOfWords, SummaryStatistics
from unrolled.tasks.baselines.frequent_tag import MostFrequentTag
from unrolled.tasks.baselines.linear import (
    BagOfWordsLogistic,
    BagOfWordsRidge,
    CharacterGramLogistic,
    SummaryLogistic,
    SummaryRidge,
    WordGramLogistic,
    WordGramRidge,
)
from unrolled.tasks.baselines.majority import MajorityClass, MeanNumber
from unrolled.tasks.baselines.nearest_series import NearestSeries
from unrolled.tasks.classify import Classifier


def texts(classes, count=60):
    generator = np.random.default_rng(classes)
    labels = generator.integers(classes, size=count)
    rows = [generator.choice(list("abcdefgh"), size=6).tolist() + [f"w{label}"] * 2 for label in labels]
    return rows, [f"class {label}" for label in labels]


def series(count=40):
    generator = np.random.default_rng(0)
    return [generator.normal(size=(generator.integers(2, 6), 2)) for _ in range(count)]


@pytest.mark.parametrize("classes", [2, 3])
def test_bag_of_words_predicts_what_scikit_learn_does(classes):
    rows, labels = texts(classes)
    new, _ = texts(classes + 2)
    vectorizer = CountVectorizer(analyzer=lambda words: words)
    expected = LogisticRegression(max_iter=1000).fit(vectorizer.fit_transform(rows), labels)
    baseline = BagOfWordsLogistic.fit(rows, labels)
    assert baseline.predict(new) == expected.predict(vectorizer.transform(new)).tolist()


def test_summary_statistics_are_standardised_in_the_training_data():
    rows = series()
    matrix = SummaryStatistics.fit(rows).matrix(rows).toarray()
    assert matrix.shape == (40, 8)
    np.testing.assert_allclose(matrix.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(matrix.std(axis=0), 1)


def test_a_constant_channel_does_no_harm():
    rows = [np.ones((3, 1)), np.ones((2, 1))]
    assert np.isfinite(SummaryStatistics.fit(rows).matrix(rows).toarray()).all()


def test_a_number_over_and_over_is_not_told_apart_by_its_rounding():
    rows = [np.full((count, 1), 0.1) for count in range(1, 12)]
    features = SummaryStatistics.fit(rows)
    np.testing.assert_allclose(features.matrix(rows).toarray(), 0, atol=1e-9)
    other = features.matrix([np.full((3, 1), 0.2)]).toarray()
    assert np.abs(other).max() < 10


def test_words_not_in_training_count_for_nothing():
    bag = BagOfWords.fit([["a", "b"]])
    assert bag.matrix([["z"], ["a", "a"], []]).toarray().tolist() == [[0, 0], [2, 0], [0, 0]]


def test_ridge_learns_a_linear_rule():
    rows = series()
    numbers = [3 + 2 * row[0, 0] - row[-1, 1] for row in rows]
    np.testing.assert_allclose(SummaryRidge.fit(rows, numbers).predict(rows), numbers, atol=0.3)


def test_many_long_sequences_are_shortened_to_compare_them():
    generator = np.random.default_rng(0)
    rises = [np.cumsum(generator.normal(0.2, 1, size=(900, 1)), axis=0) for _ in range(40)]
    rows = [row if number % 2 else -row for number, row in enumerate(rises)]
    nearest = NearestSeries.fit(rows, ["down", "up"] * 20)
    assert sum(map(len, nearest.series)) ** 2 / 40 <= 2_500_000
    assert nearest.predict([-rises[0][:700] * 3, rises[1][::2] + 1]) == ["down", "up"]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_sequences_of_a_step_are_warped_too(length):
    rows = [np.full((size, 1), value) for size, value in ((length, 1.0), (1, 1.1), (1, 5.0), (length, 5.1))]
    nearest = NearestSeries.fit(rows, ["one", "one", "five", "five"])
    assert nearest.predict([np.array([[4.0]]), np.full((3, 1), 1.0)]) == ["five", "one"]


def test_ties_are_settled_by_the_alphabet():
    assert MajorityClass.fit(["b", "a"]).label == "a"
    assert MostFrequentTag.fit([["x", "x"]], [["B", "A"]]).predict([["x"]]) == [["A"]]


def test_unseen_words_get_the_tag_of_words_seen_once_that_begin_alike():
    baseline = MostFrequentTag.fit([["the", "the", "cat", "Ada", "The"]], [["D", "D", "N", "P", "D"]])
    assert baseline.predict([["dog", "Bob", "cat", ""]]) == [["N", "D", "N", "N"]]


def test_where_no_word_is_seen_once_all_words_count():
    assert MostFrequentTag.fit([["a", "a", "b", "b"]], [["X", "X", "X", "Y"]]).predict([["c", "C"]]) == [
        ["X", "X"]
    ]


@pytest.mark.parametrize(
    ("baseline", "inputs"),
    [
        (MajorityClass.fit(["a"]), [["x"]]),
        (MeanNumber.fit([1.0, 4.0]), [["x"]]),
        (BagOfWordsLogistic.fit(*texts(3)), texts(4)[0]),
        (BagOfWordsRidge.fit(texts(3)[0], range(60)), texts(4)[0]),
        (WordGramLogistic.fit(*texts(3)), [*texts(4)[0], []]),
        (WordGramRidge.fit(texts(3)[0], range(60)), texts(4)[0]),
        (CharacterGramLogistic.fit(*texts(3)), texts(4)[0]),
        (SummaryLogistic.fit(series(), ["a", "b"] * 20), series()),
        (NearestSeries.fit(series(), ["a", "b"] * 20), [*series(8), np.zeros((500, 2))]),
        (SummaryRidge.fit(series(), range(40)), series()),
        (MostFrequentTag.fit([["a", "B"]], [["X", "Y"]]), [["a", "b", "C"]]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_state_restores_the_same_predictions(baseline, inputs):
    again = type(baseline).from_state(baseline.state())
    assert list(again.predict(inputs)) == list(baseline.predict(inputs))


def test_nearly_as_many_classes_as_sequences_are_no_cause_for_a_warning():
    texts = [f"{one} {two}" for one in "abcde" for two in "vwxyz"]
    labels = [str(number % 20) for number in range(25)]
    classifier = Classifier(hidden_size=2, epochs=1).fit(texts, labels)
    assert {"bag-of-words logistic regression", "TF-IDF logistic regression"} <= set(
        classifier.dev_evaluation.baselines
    )
