"""Folds of every task's data, and the search for options over them."""

import logging

import numpy as np
import pandas as pd
import pytest

from tests.tasks.test_estimator import EVERY_TASK
from unrolled.data.example import Example, Examples
from unrolled.errors import ConfigError
from unrolled.tasks.classify import Classifier
from unrolled.tasks.folds import example_folds
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import estimator_class


@pytest.mark.parametrize("task", EVERY_TASK)
def test_every_task_is_scored_in_folds(task):
    estimator = estimator_class(task)(hidden_size=2, epochs=1)
    found = estimator.cross_validate(EVERY_TASK[task], folds=2)
    assert len(found.evaluations) == 2
    assert np.isfinite(list(found.scores.values())).any()
    assert all(each.baselines for each in found.evaluations)
    assert found.evaluations[0].data == "fold 1 of 2"
    assert estimator._model is None
    assert "±" in str(found)


def test_folds_are_all_of_the_data_once_and_keep_groups_and_shares():
    items = tuple(Example(row, str(row % 2), group=f"{row // 4}") for row in range(24))
    for groups in (True, False):
        examples = Examples(items if groups else tuple(Example(one.inputs, one.target) for one in items))
        seen = []
        for kept, held in example_folds(examples, 3, 0, lambda one: (one.target,)):
            rows = [one.inputs for one in held]
            assert sorted(rows + [one.inputs for one in kept]) == list(range(24))
            assert [one.target for one in held].count("0") == 4
            if groups:
                assert not {one.group for one in held} & {one.group for one in kept}
            seen += rows
        assert sorted(seen) == list(range(24))


def test_a_fold_of_series_is_forecast_from_what_came_before():
    walk = np.random.default_rng(0).normal(size=100).cumsum()
    forecaster = Forecaster(hidden_size=2, epochs=1, context=5, horizon=2, refit=True)
    seen = []
    original = Forecaster._begin_fold

    class Watched(Forecaster):
        def _begin_fold(self, kept):
            original(self, kept)
            seen.append(len(kept.series[0]))

        def _evaluation(self, data, name, baselines):
            if name.startswith("fold"):
                assert self._latest[0].values.tolist() == walk[: seen[-1]].tolist()
                assert data.starts == (seen[-1],)
            return super()._evaluation(data, name, baselines)

    Watched(**forecaster.get_params()).cross_validate(pd.DataFrame({"y": walk}), folds=2)
    assert seen == [80, 90]


@pytest.mark.parametrize("folds", [1, 21])
def test_folds_that_cannot_be(folds):
    with pytest.raises(ConfigError, match="folds: expected"):
        Classifier(epochs=1).cross_validate(EVERY_TASK["classify"], folds=folds)


def test_a_search_finds_what_learns_and_gives_up_what_does_not(caplog):
    pytest.importorskip("optuna")
    data = [(f"{word} {other}", word) for word in ("red", "blue") for other in "abcdefghijkl"]
    options = {"hidden_size": 8, "embedding_size": 8, "epochs": 6, "unknown_dropout": 0.0}
    # A linear model beside it would be right whatever the network has learned.
    estimator = Classifier(**options, direct=False, learning_rate=1e-6)
    with caplog.at_level(logging.INFO, logger="unrolled"):
        found = estimator.tune(
            data, trials=8, folds=2, space={"learning_rate": [1e-6, 0.05], "hidden_size": [8, 9]}
        )
    assert found.best_params["learning_rate"] == 0.05
    assert found.estimator.config.learning_rate == 0.05
    assert set(found.estimator.predict(["red z", "blue z"])) == {"red", "blue"}
    assert len(found.tries) == 8
    assert found.tries[0].options == {}
    table = found.table
    assert table["accuracy"][0] == found.best.score == table["accuracy"].max()
    assert any(one.ended == "given up" for one in found.tries)
    assert list(table["ended"]) == sorted(table["ended"], key=lambda ended: ended != "done")
    assert estimator.config.learning_rate == 1e-6
    assert "Try 8 of 8" in caplog.text
    assert "learning_rate" in str(found)


def test_a_search_of_what_is_no_option_is_refused():
    pytest.importorskip("optuna")
    for space, message in (
        ({"hiden_size": [2]}, "did you mean 'hidden_size'"),
        ({"dropout": 0.5}, "a list of values"),
    ):
        with pytest.raises(ConfigError, match=message):
            Classifier(epochs=1).tune(EVERY_TASK["classify"], space=space)
    with pytest.raises(ConfigError, match="trials: expected one"):
        Classifier(epochs=1).tune(EVERY_TASK["classify"], trials=0)
