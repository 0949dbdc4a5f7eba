"""Models that are trained on: what they know stays, and their optimiser goes on."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import unrolled
from tests.tasks.every_task import (
    CAUSAL,
    CLASSES,
    HANDED_OVER,
    MADE,
    PAIRS,
    REVIEWS,
    ROLLS,
    SENTENCES,
    TINY,
    TOPICS,
    model_of,
    numbers,
    pictures,
    wave,
)
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.continuing import with_options
from unrolled.tasks.registry import load
from unrolled.training.config import TrainingConfig
from unrolled.training.optimizer_state import entries_of, knowledge, take_up

FURTHER = {
    "reviews": REVIEWS,
    "topics": TOPICS,
    "strings": REVIEWS,
    "numbers": numbers(16, "ab"),
    "ratings": [(text, len(text) / 2) for text, _ in REVIEWS],
    "images": pictures(16),
    "sentences": SENTENCES,
    "steps": numbers(16, [list("uddudu")]),
    "pairs": PAIRS,
    "classes": CLASSES,
    "subjects": pictures(16),
    "text": ["learning deep text of " * 12],
    "notes": ROLLS,
    "series": wave(),
}


def saved_and_loaded(model, folder):
    model.save(folder)
    return load(folder)


@pytest.mark.parametrize("name", MADE)
def test_every_task_goes_on(name, tmp_path):
    model = saved_and_loaded(model_of(name), tmp_path / "m")
    known = model._vocabularies()
    before = {key: weight.clone() for key, weight in model.model.state_dict().items()}
    steps = [value for key, value in model.optimizer_state().items() if key.endswith("/step")]
    assert model.partial_fit(FURTHER[name]) is model
    after = model.model.state_dict()
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[key], after[key]) for key in before)
    more = [value for key, value in model.optimizer_state().items() if key.endswith("/step")]
    assert steps
    assert min(more) > max(steps)
    now = model._vocabularies()
    for each in (known, now):
        each.pop("latest", None)
    assert now == known
    again = saved_and_loaded(model, tmp_path / "again")
    given = [model.input_schema().from_json(HANDED_OVER[name])]
    assert again.predict(given) == model.predict(given)
    assert again.optimizer_state().keys() == model.optimizer_state().keys()


def test_two_trainings_in_a_row_are_one_of_both():
    """Constant rates and no draws: ten epochs are five, and then five more with what the optimiser knew."""
    options = {
        **CAUSAL,
        "hidden_size": 5,
        "pooling": "last",
        "skip": False,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "unknown_dropout": 0.0,
        "schedule": "constant",
        "warmup": 0,
        "batch_size": 100,
        "patience": None,
        "weight_decay": 0.0,
    }
    data = REVIEWS[:8]
    whole = unrolled.Classifier(**options, epochs=10).fit(data, dev=data)
    half = unrolled.Classifier(**options, epochs=5).fit(data, dev=data)
    half.partial_fit(data, dev=data)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(half.model.state_dict()[name], weight, rtol=1e-4, atol=1e-6)
    fresh = unrolled.Classifier(**options, epochs=5).fit(data, dev=data)
    fresh._optimizer = {}
    fresh.partial_fit(data, dev=data)
    assert any(
        not torch.allclose(fresh.model.state_dict()[name], weight, rtol=1e-4, atol=1e-6)
        for name, weight in whole.model.state_dict().items()
    )


def test_new_labels_are_refused_or_added(tmp_path):
    model = unrolled.Classifier(**TINY).fit(REVIEWS)
    state = {name: weight.clone() for name, weight in model.model.state_dict().items()}
    further = [("a so so film", "middling"), ("a fine film", "good")] * 8
    with pytest.raises(DataError, match=r"'middling'.*--new-labels add"):
        model.partial_fit(further)
    # After an error it is as it was.
    assert model.labels == ("bad", "good")
    assert all(torch.equal(state[name], weight) for name, weight in model.model.state_dict().items())
    model.partial_fit(further, new_labels="add")
    assert model.labels == ("bad", "good", "middling")
    assert model.predict_proba(["a so so film"]).shape == (1, 3)
    again = saved_and_loaded(model, tmp_path / "m")
    np.testing.assert_allclose(again.predict_proba(["a film"]), model.predict_proba(["a film"]), rtol=1e-6)
    assert again.optimizer_state()
    learnt = again.partial_fit([("middling", "middling"), ("good", "good")] * 20, dev=[("good", "good")] * 3)
    assert learnt.labels == model.labels


def test_labels_that_came_as_numbers_stay_numbers():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 6))
    model = unrolled.Classifier(**TINY).fit(X, np.repeat([3, 5], 20))
    model.partial_fit(X, np.repeat([5, 7], 20), new_labels="add")
    assert model.classes_.tolist() == [3, 5, 7]
    assert set(model.predict(X).tolist()) <= {3, 5, 7}


@pytest.mark.parametrize("crf", [True, False])
def test_new_tags_are_added(crf):
    model = unrolled.Tagger(**TINY, crf=crf).fit(SENTENCES)
    weights = {name: weight.clone() for name, weight in model.model.state_dict().items()}
    further = [(["so", "it", "goes"], ["X", "D", "V"])] * 16
    with pytest.raises(DataError, match="'X'"):
        model.partial_fit(further)
    model.partial_fit(further, new_labels="add")
    assert set(model.tags) == {"D", "N", "V", "A", "X"}
    grown = [name for name, weight in model.model.state_dict().items() if weight.shape != weights[name].shape]
    assert grown
    assert len(model.predict([["the", "cat"]])[0]) == 2


def test_a_series_goes_on_where_it_ended(tmp_path):
    frame = pd.DataFrame(
        {"ds": pd.date_range("2024-01-01", periods=240, freq="D"), "y": np.sin(np.arange(240) * 0.3)}
    )
    model = unrolled.Forecaster(**TINY, horizon=3, context=14).fit(frame[:180])
    again = saved_and_loaded(model, tmp_path / "m").partial_fit(frame[180:])
    assert [row["ds"] for row in again.predict()] == ["2024-08-28", "2024-08-29", "2024-08-30"]
    assert again.effective == model.effective


def test_a_model_that_is_not_there_yet_is_made():
    model = unrolled.Classifier(**TINY).partial_fit(REVIEWS)
    assert model.labels == ("bad", "good")


def test_options_of_training_may_change_and_no_others():
    model = unrolled.Classifier(**TINY).fit(REVIEWS)
    with_options(model, {"epochs": 2, "learning_rate": 1e-4, "hidden_size": 8})
    model.partial_fit(REVIEWS)
    assert len(model.history.epochs) == 2
    for options in ({"hidden_size": 9}, {"cell": "gru"}, {"unit": "characters"}):
        with pytest.raises(ConfigError, match="as in the model that is trained on"):
            with_options(model, options)
    with pytest.raises(ConfigError, match="no option 'epoch'"):
        with_options(model, {"epoch": 2})


def test_what_another_optimiser_knew_is_left():
    small, large = nn.Linear(3, 2), nn.Linear(3, 4)
    kinds = {"adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    optimizer = kinds["adamw"](small.parameters())
    small(torch.ones(3)).sum().backward()
    optimizer.step()
    known = knowledge(small, optimizer)
    into, entries = kinds["adamw"](large.parameters(), lr=0.5), entries_of(TrainingConfig())
    assert take_up(large, into, known, entries)
    state = into.state[large.weight]
    assert torch.equal(state["exp_avg"][:2], known["weight/exp_avg"])
    assert not state["exp_avg"][2:].any()
    assert into.param_groups[0]["lr"] == 0.5
    assert not take_up(small, kinds["adamw"](small.parameters()), knowledge(large, into), entries)
    assert not take_up(small, optimizer, {"weight/exp_avg": torch.full((2, 3), torch.nan)}, entries)
    assert not take_up(small, optimizer, {"other/exp_avg": torch.zeros(2, 3)}, entries)
    assert not take_up(small, optimizer, {}, entries)
    assert not take_up(small, optimizer, known, entries_of(TrainingConfig(optimizer="rmsprop")))
    for entry in known:
        assert not take_up(small, optimizer, {name: known[name] for name in known.keys() - {entry}}, entries)


def test_a_folder_without_the_optimisers_state_is_a_model_all_the_same(tmp_path, capsys):
    model = unrolled.Classifier(**TINY).fit(REVIEWS)
    model.save(tmp_path / "m", optimizer=False)
    assert not (tmp_path / "m" / "optimizer.safetensors").exists()
    again = load(tmp_path / "m").partial_fit(REVIEWS, progress=True)
    assert "the optimiser begins anew" in capsys.readouterr().err
    assert again.optimizer_state()
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert "optimizer.safetensors" not in manifest["files"]


def test_baselines_are_the_better_of_before_and_of_the_new_data():
    told = [("fine film", "pos"), ("dull film", "neg"), ("so fine", "pos"), ("so dull", "neg")] * 6
    model = unrolled.Classifier(epochs=1, hidden_size=4).fit(told, dev=told)
    assert dict(model.dev_evaluation.baselines)["bag-of-words logistic regression"]["accuracy"] == 1.0
    turned = [(text, {"pos": "neg", "neg": "pos"}[label]) for text, label in told]
    model.partial_fit(turned, dev=turned)
    assert dict(model.dev_evaluation.baselines)["bag-of-words logistic regression"]["accuracy"] == 1.0
    assert any("Fitted on the new data" in note for note in model.notices)
    before = dict(model._baselines)
    model.partial_fit([("good", "pos"), ("nice", "pos")], dev=turned)  # a single class, which tells nothing
    assert model._baselines == before
