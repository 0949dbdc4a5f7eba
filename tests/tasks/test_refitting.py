"""A classifier's second training, on what was held out for the scores too."""

import numpy as np
import pandas as pd
import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.classification import refitting
from unrolled.tasks.classify import Classifier
from unrolled.tasks.forecast import Forecaster
from unrolled.tasks.registry import load
from unrolled.training.trainer import Trainer

TINY = {"hidden_size": 4, "epochs": 2, "learning_rate": 0.02, "holdout": 0.3}
WORDS = ["film", "plot", "cast", "end", "song"] * 4
TEXTS = [f"{'a fine' if row % 2 else 'so dull'} {word}" for row, word in enumerate(WORDS)]
ROWS = [(text, "good" if "fine" in text else "bad") for text in TEXTS]


@pytest.mark.parametrize("direct", [False, True])
def test_what_was_held_out_is_learned_from_after_the_scores(direct, tmp_path, monkeypatch):
    seen, together = [], refitting._together
    monkeypatch.setattr(refitting, "_together", lambda shares: seen.append(shares) or together(shares))
    once = Classifier(**TINY, direct=direct).fit(ROWS)
    assert not seen
    again = Classifier(**TINY, direct=direct, refit=True).fit(ROWS, run_folder=tmp_path / "run")
    (shares,) = seen
    assert sorted(each.inputs for each in together(shares)) == sorted(TEXTS)
    assert again.dev_evaluation.scores == once.dev_evaluation.scores
    assert again.dev_evaluation.count == len(shares.kept_apart or shares.held_out) < len(ROWS)
    assert any(f"trained again on all {len(ROWS)} examples" in notice for notice in again.notices)
    assert not np.array_equal(again.predict_proba(TEXTS), once.predict_proba(TEXTS))
    assert np.array_equal(load(tmp_path / "run").predict_proba(TEXTS), again.predict_proba(TEXTS))
    if direct:
        known = once.model.direct.state_dict()
        assert all(tensor.equal(known[name]) for name, tensor in again.model.direct.state_dict().items())


def test_dev_data_that_was_given_is_not_learned_from():
    given = Classifier(**TINY, refit=True).fit(ROWS, dev=ROWS[:4])
    assert [notice for notice in given.notices if "trained again" in notice] == [
        "Nothing is trained again: the dev data that was given is kept apart."
    ]


@pytest.fixture
def second_interrupted(monkeypatch):
    """Every second training ends by Ctrl-C."""
    fit = Trainer.fit

    def interrupted(trainer, loader, *given, **more):
        history = fit(trainer, loader, *given, **more)
        if not given:  # nothing scores the second training
            raise KeyboardInterrupt
        return history

    monkeypatch.setattr(Trainer, "fit", interrupted)


def test_a_second_training_that_is_interrupted_leaves_the_model_that_was_scored(second_interrupted):
    once, stopped = Classifier(**TINY).fit(ROWS), Classifier(**TINY, refit=True)
    with pytest.raises(KeyboardInterrupt, match="the model that was scored is kept"):
        stopped.fit(ROWS)
    assert np.array_equal(stopped.predict_proba(TEXTS), once.predict_proba(TEXTS))


def test_a_forecaster_that_is_interrupted_reads_by_the_scales_that_were_scored(second_interrupted):
    rising = pd.DataFrame({"y": np.arange(80) + np.sin(np.arange(80.0))})
    tiny = {"hidden_size": 4, "epochs": 1, "context": 8}
    once, stopped = Forecaster(**tiny, refit=False).fit(rising), Forecaster(**tiny, refit=True)
    with pytest.raises(KeyboardInterrupt, match="the model that was scored is kept"):
        stopped.fit(rising)
    assert stopped.predict(rising) == once.predict(rising)


def test_an_ensemble_is_not_trained_again():
    with pytest.raises(ConfigError, match="refit: expected one network, got an ensemble"):
        Classifier(**TINY, refit=True, ensemble=2).fit(ROWS)
