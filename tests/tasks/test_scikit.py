"""scikit-learn's contract: its own checks, its searches and splits, labels as they came."""

import pickle
import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from unrolled.errors import ConfigError, DataError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.generate import Generator
from unrolled.tasks.registry import load
from unrolled.tasks.regress import Regressor
from unrolled.tasks.tag import Tagger
from unrolled.tasks.translate import Translator

SMALL = {"cell": "rnn", "hidden_size": 8, "dropout": 0.0, "input_noise": 0.0, "pooling": "attention"}
CANNOT_HOLD = {
    "check_do_not_raise_errors_in_init_or_set_params": "options are checked when they are given, so that one "
    "that is misspelt is told of before data is read for an hour",
    "check_class_weight_classifiers": "class_weight is balanced or none; weights of one's own are no option",
}
UP_TO_ROUNDING = ("check_methods_sample_order_invariance", "check_methods_subset_invariance")


def checks(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that BaseEstimator is no base: importing it takes a second
        return [
            pytest.param(*each, id=f"{type(estimator).__name__}-{getattr(each[1], 'func', each[1]).__name__}")
            for each in estimator_checks_generator(estimator)
        ]


@pytest.mark.filterwarnings("ignore:Estimator .* does not inherit from:UserWarning")
@pytest.mark.filterwarnings("ignore:.*occurred during set_params of param:UserWarning")
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        *checks(Classifier(**SMALL, epochs=2, batch_size=16, learning_rate=0.05)),
        *checks(Regressor(**SMALL, epochs=8, batch_size=8, learning_rate=0.03, patience=None)),
    ],
)
def test_the_checks_of_scikit_learn(estimator, check):
    name = getattr(check, "func", check).__name__
    if name in CANNOT_HOLD:
        with pytest.raises((AssertionError, ConfigError, DataError)):
            check(estimator)
        return
    try:
        check(estimator)
    except AssertionError as error:
        # Where a row stands in its batch decides how its float32 sums are rounded.
        if name not in UP_TO_ROUNDING:
            raise
        differences = re.findall(r"Max absolute difference among violations: (\S+)", str(error))
        assert [float(each) < 1e-6 for each in differences] == [True]


def ragged(count=24, seed=0):
    """Sequences of unequal lengths that rise or fall, and which."""
    draws = np.random.default_rng(seed)
    y = np.arange(count) % 2
    return [np.linspace(0, 1 - 2 * one, draws.integers(3, 9)) for one in y], y


TINY = {"hidden_size": 3, "epochs": 1}


def test_searches_and_splits_take_sequences_of_unequal_length():
    X, y = ragged()
    labels = np.array([7, 3])[y]
    quick = Classifier(**TINY, input_noise=0.0)
    scores = cross_val_score(quick, X, labels, cv=StratifiedKFold(2))
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    chosen = GridSearchCV(quick, {"hidden_size": [2, 3]}, cv=2).fit(X, labels)
    assert chosen.best_params_["hidden_size"] in (2, 3)
    assert set(chosen.predict(X)) <= {3, 7}
    assert chosen.best_estimator_.config.epochs == 1
    probabilities = cross_val_predict(quick, X, labels, cv=2, method="predict_proba")
    assert probabilities.shape == (24, 2)
    halved = FunctionTransformer(lambda sequences: [sequence / 2 for sequence in sequences])
    assert make_pipeline(halved, quick).fit(X, labels).predict(X).shape == (24,)


def test_a_table_is_scaled_in_a_pipeline_before_it():
    table = np.random.default_rng(0).normal(size=(20, 5))
    pipeline = make_pipeline(StandardScaler(), Regressor(**TINY)).fit(table, table[:, 0])
    assert pipeline.predict(table).shape == (20,)
    assert -10 < pipeline.score(table, table[:, 0]) <= 1


def test_it_learns_what_is_there_to_learn():
    X, y = ragged(40)
    found = Classifier(hidden_size=8, epochs=15, learning_rate=0.02, input_noise=0.0).fit(X, y)
    assert found.score(X, y) > 0.9
    np.testing.assert_array_equal(found.classes_[found.predict_proba(X).argmax(1)], found.predict(X))
    np.testing.assert_array_equal((found.decision_function(X) > 0).astype(int), found.predict(X))
    assert found.n_features_in_ == 1


@pytest.mark.parametrize(
    "labels",
    [
        np.array([10, 9]),
        np.array(["10", "9"]),
        np.array(["b", "a"], dtype=object),
        np.array([True, False]),
        np.array([1.0, -2.0]),
        np.array(["2024-01-02", "2024-01-01"], dtype="datetime64[D]"),
        pd.Series(["b", "a"], dtype="category"),
        pd.Series([3, 4], dtype="int8"),
    ],
    ids=lambda labels: str(labels.dtype),
)
def test_labels_come_back_as_they_came(labels, tmp_path):
    X, y = ragged()
    given = labels[y] if isinstance(labels, np.ndarray) else labels.iloc[y]
    made = Classifier(**TINY).fit(X, given)
    expected = np.asarray(given)
    assert made.classes_.dtype == expected.dtype
    np.testing.assert_array_equal(made.classes_, np.unique(expected))
    found = made.predict(X)
    assert found.dtype == expected.dtype
    assert set(found.tolist()) <= set(expected.tolist())
    made.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.classes_.dtype == expected.dtype
    np.testing.assert_array_equal(again.predict(X), found)
    assert again.n_features_in_ == 1


def test_labels_of_pairs_and_of_a_frame_come_back_as_they_came():
    texts = ["a fine film", "so dull", "fine", "dull"] * 5
    pairs = [(text, int("fine" in text)) for text in texts]
    made = Classifier(**TINY).fit(pairs)
    assert {type(label) for label in made.predict(texts)} == {int}
    assert made.labels == ("0", "1")
    framed = Classifier(**TINY).fit(pd.DataFrame(pairs, columns=["text", "label"]))
    assert set(framed.predict(texts)) <= {0, 1}
    assert framed.classes_.tolist() == [0, 1]


def test_an_estimator_survives_cloning_pickling_and_joblib(tmp_path):
    X, y = ragged()
    made = Classifier(**TINY).fit(X, y)
    copied = clone(made)
    assert copied.get_params() == made.get_params()
    assert repr(copied) == "Classifier(hidden_size=3, epochs=1)"
    assert copied._asked_for() == {"hidden_size", "epochs"}
    joblib.dump(made, tmp_path / "model.joblib")
    for again in (pickle.loads(pickle.dumps(made)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(again.predict_proba(X), made.predict_proba(X))
    assert is_classifier(Classifier())
    assert is_regressor(Regressor())
    assert is_regressor(Classifier(target="numbers"))


def forms():
    draws = np.random.default_rng(1)
    table = draws.normal(size=(12, 4))
    cube = draws.normal(size=(12, 4, 2))
    nested = pd.DataFrame({"a": [pd.Series(row) for row in cube[..., 0]], "b": list(map(list, cube[..., 1]))})
    index = pd.MultiIndex.from_product([range(12), range(4)])
    return {
        "array": (table, table.tolist(), 4),
        "lists": (table.tolist(), table, 4),
        "frame": (pd.DataFrame(table, columns=list("abcd")), pd.DataFrame(table, columns=list("abcd")), 4),
        "cube": (cube, list(cube), 2),
        "list of arrays": (list(cube), cube, 2),
        "nested": (nested.map(np.asarray), cube, 2),
        "levels": (pd.DataFrame(cube.reshape(48, 2), index=index), cube, 2),
        "objects": (np.array([*map(list, table), [1.0]], dtype=object)[:12], table, 4),
        "texts": (pd.Series(["a b", "c"] * 6), ["a b", "c"] * 6, None),
        "column of texts": (pd.DataFrame({"text": ["a b", "c"] * 6}), ["a b", "c"] * 6, None),
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_inputs_is_read_alike(form):
    X, same, features = forms()[form]
    y = np.arange(12) % 2
    made = Classifier(**TINY).fit(X, y)
    np.testing.assert_allclose(made.predict_proba(X), made.predict_proba(same), rtol=1e-5)
    again = Classifier(**TINY).fit(same, y)
    np.testing.assert_allclose(made.predict_proba(X), again.predict_proba(X), rtol=1e-5)
    assert getattr(made, "n_features_in_", None) == features
    assert made.evaluate(X, y).count == 12


def test_polars_is_read_as_pandas():
    polars = pytest.importorskip("polars")
    draws = np.random.default_rng(1).normal(size=(12, 4))
    frame = polars.DataFrame(draws, schema=list("abcd"))
    y = polars.Series(["p", "q"] * 6)
    made = Classifier(**TINY).fit(frame, y)
    assert made.feature_names_in_.tolist() == list("abcd")
    np.testing.assert_allclose(made.predict_proba(frame), made.predict_proba(draws), rtol=1e-6)
    texts = polars.DataFrame({"text": ["a fine film", "dull"] * 6, "label": ["p", "n"] * 6})
    assert set(Classifier(**TINY).fit(texts).predict(texts)) <= {"p", "n"}


def test_other_tasks_take_inputs_and_targets_apart():
    sentences, tags = [["a", "cat"], ["the", "dog", "ran"]] * 6, [[0, 1], [0, 1, 2]] * 6
    tagger = Tagger(**TINY).fit(pd.Series(sentences), tags)
    assert [len(row) for row in tagger.predict(sentences)] == [2, 3] * 6
    assert {type(tag) for row in tagger.predict(sentences) for tag in row} == {int}
    assert 0 <= tagger.score(sentences, tags) <= 1
    steps = np.random.default_rng(0).normal(size=(8, 5, 2))
    stepwise = Tagger(**TINY).fit(steps, steps[..., 0] > 0)
    assert stepwise.predict(steps)[0].dtype == bool
    assert stepwise.classes_.dtype == bool
    pair = (["one two", "two"] * 6, pd.Series(["zwei eins", "zwei"] * 6))
    assert len(Translator(**TINY).fit(*pair).predict(pair[0])) == 12
    assert Generator(**TINY, batch_size=2).fit(pd.Series(["deep " * 40] * 3)).predict(["d"])


def test_dev_data_may_be_given_as_ever():
    X, y = ragged()
    pairs = list(zip(X, y.tolist(), strict=True))
    assert Classifier(**TINY).fit(pairs, pairs[:3]).dev_evaluation.count == 3
    assert Classifier(**TINY).fit(X, y, dev=(X[:3], y[:3])).dev_evaluation.count == 3
    assert Classifier(**TINY).fit(X, y, dev=pairs[:3]).dev_evaluation.count == 3


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([[1.0, 2.0]] * 3, [0, 1], "got 3 inputs and 2 targets"),
        ([[1.0, 2.0]] * 3, [0.5, 1, 2], r"row 1: Unknown label type: continuous.*use unrolled\.Regressor"),
        ([[1.0, 2.0]] * 3, ["a", None, "b"], "row 2: expected a target, got none"),
        ([[1.0, 2.0]] * 3, np.zeros((3, 2, 2)), "expected one target for each input in y"),
        ([[1.0, 2.0], ["a"]], ["a", "b"], "row 2: "),
        (pd.DataFrame({"text": ["a"], "stars": [1]}), ["b"], r"got text beside others; give .* X\['text'\]"),
        ("reviews.csv", ["a"], "expected a list, an array or a frame of sequences, got 'reviews.csv'"),
    ],
)
def test_bad_input(X, y, message):
    with pytest.raises(DataError, match=message):
        Classifier(**TINY).fit(X, y)


def test_targets_of_another_kind():
    with pytest.raises(DataError, match="row 1: expected a number, got 'red'"):
        Regressor(**TINY).fit([[1.0, 2.0]] * 3, ["red", "blue", "red"])
    with pytest.raises(DataError, match="row 1: expected a tag for every step, got 1"):
        Tagger(**TINY).fit([["a", "b"]] * 3, [1, 2, 3])
    with pytest.raises(DataError, match="a Generator learns from its data alone"):
        Generator(**TINY).fit(["once upon"], ["a"])
    with pytest.raises(DataError, match="expected a text as the target, got 3"):
        Translator(**TINY).fit(["a", "b"], [3, 4])


def test_columns_of_another_table():
    X, y = pd.DataFrame(np.eye(6), columns=list("abcdef")), np.arange(6) % 2
    made = Classifier(**TINY, holdout=0.2).fit(X, y)
    with pytest.raises(
        DataError, match=r"The feature names should match .* seen at fit time, yet now missing: f"
    ):
        made.predict(X[list("abcde")])
    with pytest.raises(DataError, match=r"X has 3 features, but Classifier is expecting 6 .* list\(X\)"):
        made.predict(np.zeros((2, 3)))
    assert made.predict(list(np.zeros((2, 3)))).shape == (2,)


def test_classes_to_come_have_room():
    X, y = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 2
    model = Classifier(**SMALL, epochs=1).partial_fit(X, y, classes=[0, 1, 7])
    assert model.classes_.tolist() == [0, 1, 7]
    assert model.predict_proba(X).shape == (12, 3)
    assert set(model.partial_fit(X, np.full(12, 7)).predict(X)) <= {0, 1, 7}
