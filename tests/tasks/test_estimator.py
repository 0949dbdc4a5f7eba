"""What every estimator does: options, holding out, runs, saving, and saying what went wrong."""

import logging
import re

import numpy as np
import pandas as pd
import pytest
import torch

from unrolled.data.example import Example, Examples
from unrolled.errors import ConfigError, DataError, DivergedError, ModelFolderError
from unrolled.saving.folder import read_folder, write_folder
from unrolled.tasks.classify import Classifier
from unrolled.tasks.config import TaskConfig
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.holdout import hold_out
from unrolled.tasks.registry import about, config_class, estimator_class, load, saved_task, task_names
from unrolled.training.trainer import Trainer

DATA = [(f"{word} {other}", word) for word in ("red", "blue") for other in "abcdefghij"]
TINY = {"hidden_size": 3, "embedding_size": 3, "epochs": 2}


@pytest.fixture(scope="module")
def fitted():
    return Classifier(**TINY).fit(DATA)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hiden_size": 3}, "no option 'hiden_size'; did you mean 'hidden_size'"),
        ({"hidden_size": 0}, "option 'hidden_size': expected greater than or equal to 1, got 0"),
        ({"cell": "tcn"}, "option 'cell': expected cell to be one of rnn, gru, lstm, .*got 'tcn'"),
        ({"dropout": 1.0}, "option 'dropout': expected less than 1, got 1.0"),
        ({"cell": "gru", "peepholes": True}, "peepholes need cell='lstm', got GRU"),
        ({"activation": "relu"}, "activation='relu' needs cell='rnn', got LSTM"),
        ({"hidden_size": (3, 4), "num_layers": 3}, "hidden_size has 2 widths for num_layers=3"),
        ({"chrono": 2}, "option 'chrono': expected greater than 2, got 2"),
        ({"chrono": 50, "cell": "rnn"}, "a cell with a gate that keeps, such as 'lstm' or 'gru', got RNN"),
        ({"chrono": 50, "forget_bias": 1.0}, "expected one of them, got chrono=50 and forget_bias=1.0"),
        ({"variational_dropout": True}, "expected num_layers above 1 .* got num_layers=1 and dropout=0.5"),
        ({"reach": 3}, "reach: expected a window with it"),
        ({"dropout": 2, "epochs": 0}, "'dropout'.*; option 'epochs'|'epochs'.*; option 'dropout'"),
    ],
)
def test_options_are_checked_when_given(options, message):
    with pytest.raises(ConfigError, match=message):
        Classifier(**options)


def test_params_as_scikit_learn_has_them():
    classifier = Classifier(hidden_size=7)
    assert classifier.get_params()["hidden_size"] == 7
    assert classifier.set_params(cell="gru") is classifier
    assert (classifier.config.cell, classifier.config.hidden_size) == ("gru", 7)
    with pytest.raises(ConfigError, match="no option 'flavour'"):
        classifier.set_params(flavour="red")
    assert Classifier(**classifier.get_params()).config == classifier.config


def test_chrono_takes_the_place_of_a_forget_bias_that_nobody_asked_for():
    assert Classifier().config.forget_bias == 1.0
    for classifier in (Classifier(chrono=50), Classifier().set_params(chrono=50)):
        assert classifier.config.chrono == 50
        assert classifier.config.forget_bias is None
        assert Classifier(**classifier.get_params()).config == classifier.config


def test_every_option_is_described_and_every_task_listed():
    for task in task_names():
        estimator = estimator_class(task)
        assert estimator.task == task
        assert estimator.Config is config_class(task)
        assert (estimator.__doc__ or "").startswith(about(task))
        for name, field in estimator.Config.model_fields.items():
            assert field.description, name
    assert task_names()[:3] == ("classify", "regress", "tag")


def test_a_default_of_one_task_does_not_reach_the_others():
    assert Classifier().config.bidirectional
    assert not TaskConfig().bidirectional


@pytest.mark.parametrize("use", [lambda c: c.predict(["red"]), lambda c: c.evaluate(DATA), lambda c: c.model])
def test_an_estimator_without_a_model_says_so(use):
    with pytest.raises(ConfigError, match="this Classifier has no model yet"):
        use(Classifier())


@pytest.mark.parametrize("failing", ["_train", "_fit_baselines", "_evaluation"])
def test_after_an_error_in_fit_there_is_no_model(monkeypatch, failing):
    classifier = Classifier(**TINY).fit(DATA, dev=DATA)
    with monkeypatch.context() as patched:

        def fail(*_, **__):
            raise DivergedError("the loss became NaN")

        patched.setattr(Classifier, failing, fail)
        with pytest.raises(DivergedError):
            classifier.fit(DATA, dev=DATA)
    with pytest.raises(ConfigError, match="no model yet"):
        classifier.predict(["red"])
    assert classifier.notices == []
    assert classifier.fit(DATA, dev=DATA).predict(["red"])


def test_a_share_is_held_out_and_said_so(fitted, caplog):
    assert fitted.notices[0].startswith("No dev data was given: 2 of 20 training examples")
    assert fitted.dev_evaluation.count == 2
    assert fitted.dev_evaluation.data == "held-out share"
    with caplog.at_level(logging.INFO, logger="unrolled"):
        Classifier(**TINY, holdout=0.5).fit(DATA)
    assert "10 of 20" in caplog.text


def test_dev_data_is_used_whole():
    classifier = Classifier(**TINY).fit(DATA, dev=DATA[:3])
    assert classifier.dev_evaluation.count == 3
    assert classifier.dev_evaluation.data == "the given data"
    assert not any("dev data" in notice for notice in classifier.notices)


def test_holding_out_is_seeded_complete_and_spares_rare_labels():
    labels = ["common"] * 18 + ["rare", "twice", "twice"]
    examples = Examples(tuple(Example(str(row), label) for row, label in enumerate(labels)))
    for seed in range(20):
        kept, held, sentence = hold_out(examples, 0.3, seed, lambda example: [example.target])
        assert sorted(int(example.inputs) for example in [*kept, *held]) == list(range(21))
        assert {example.target for example in kept} == set(labels)
        assert len(held) == 6
        assert f"seed {seed}" in sentence
    again = hold_out(examples, 0.3, 19, lambda example: [example.target])
    assert [example.inputs for example in again[1]] == [example.inputs for example in held]
    with pytest.raises(DataError, match="none of which can be spared; add examples, or give dev data"):
        hold_out(examples.select([18, 19]), 0.3, 0, lambda example: [example.target])


def test_training_leaves_the_global_generators_usable_and_the_model_ready(fitted):
    assert not fitted.model.training
    assert fitted.device == torch.device("cpu")
    assert len(fitted.history.epochs) == 2
    assert fitted.history.monitor == "accuracy of the network alone"


def test_resume_goes_on_where_a_run_stopped(tmp_path):
    whole = Classifier(**{**TINY, "epochs": 3}, schedule="constant").fit(DATA)
    options = {**TINY, "schedule": "constant"}
    Classifier(**{**options, "epochs": 1}).fit(DATA, run_folder=tmp_path)
    resumed = Classifier(**{**options, "epochs": 3}).fit(DATA, run_folder=tmp_path, resume=True)
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name
    with pytest.raises(ConfigError, match="resume=True needs run_folder"):
        Classifier(**TINY).fit(DATA, resume=True)


def test_a_model_folder_holds_what_it_should_and_no_pickle(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names >= {"config.json", "model.safetensors", "vocabulary.json", "history.json", "README.md"}
    assert all(path.suffix in {".json", ".safetensors", ".md"} for path in (tmp_path / "model").iterdir())
    card = (tmp_path / "model" / "README.md").read_text()
    assert "majority class" in card
    assert "unrolled predict" in card
    assert "No dev data was given" in card
    assert saved_task(tmp_path / "model") == "classify"


def test_the_card_shows_the_evaluation_it_is_given(fitted, tmp_path):
    evaluation = fitted.evaluate(DATA)
    fitted.save(tmp_path / "model", evaluation)
    assert load(tmp_path / "model").dev_evaluation == evaluation
    assert "(20 sequences)" in (tmp_path / "model" / "README.md").read_text()


def test_a_corrupt_or_missing_folder_is_refused(fitted, tmp_path):
    with pytest.raises(ModelFolderError):
        load(tmp_path / "none")
    fitted.save(tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-20])
    with pytest.raises(ModelFolderError, match=r"model\.safetensors"):
        load(tmp_path / "model")


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("config.json", lambda config: {**config, "options": {"flavour": "red"}}, "no option 'flavour'"),
        ("config.json", lambda config: {"task": config["task"]}, "at 'options', found none"),
        ("config.json", lambda config: [config], "valid dictionary"),
        (
            "config.json",
            lambda config: config | {"options": config["options"] | {"hidden_size": 4}},
            "of shape",
        ),
        ("vocabulary.json", lambda _: {}, "found none"),
        ("vocabulary.json", lambda _: [], "valid dictionary"),
        ("history.json", lambda history: history | {"epochs": 3}, "epochs"),
        ("evaluation.json", lambda scores: scores | {"flavour": "red"}, "flavour"),
        ("baselines.json", lambda _: {"majority class": {}}, "found none"),
        ("model.safetensors", lambda weights: dict(list(weights.items())[1:]), "found none"),
        ("baselines.safetensors", lambda _: {}, "found none"),
    ],
)
def test_a_whole_folder_whose_content_does_not_fit_is_refused(fitted, tmp_path, name, change, message):
    fitted.save(tmp_path / "model")
    saved = read_folder(tmp_path / "model")
    files, tensors = dict(saved.files), dict(saved.tensors)
    spoilt = tensors if name in tensors else files
    spoilt[name] = change(spoilt[name])
    write_folder(tmp_path / "model", files, tensors)
    with pytest.raises(ModelFolderError, match=f"model.*{message}"):
        load(tmp_path / "model")


def test_evaluation_goes_to_json_and_back(fitted):
    evaluation = fitted.evaluate(DATA)
    assert Evaluation.from_json(evaluation.to_json()) == evaluation
    assert fitted.evaluate(DATA, baselines=False).baselines == {}
    assert evaluation.rows()[0] == ("model", evaluation.scores)
    assert np.isfinite(evaluation.seconds)
    assert "majority class" in str(evaluation)


EVERY_TASK = {
    "classify": DATA,
    "regress": [(text, float(len(text))) for text, _ in DATA],
    "tag": [(["a", "cat"], ["D", "N"]), (["the", "dog"], ["D", "N"])] * 8,
    "generate": ["deep deep deep deep " * 20] * 4,
    "forecast": pd.DataFrame({"ds": range(120), "y": [float(step % 7) for step in range(120)]}),
    "translate": [("one two", "zwei eins"), ("two", "zwei"), ("one", "eins")] * 6,
    "caption": [("cat", "a cat sits"), ("dog", "a dog runs")] * 8,
}


@pytest.mark.parametrize("task", EVERY_TASK)
def test_as_many_epochs_run_as_are_said_to_at_most(task, caplog, monkeypatch):
    with caplog.at_level(logging.INFO, logger="unrolled"):
        made = estimator_class(task)(hidden_size=2, epochs=2, patience=None).fit(EVERY_TASK[task])
    assert "at most 2 epochs" in caplog.text
    assert len(made.history.epochs) == 2

    caplog.clear()
    monkeypatch.setattr(Trainer, "fit", lambda self, *_, **__: pytest.fail(f"{self.config.epochs} would run"))
    with caplog.at_level(logging.INFO, logger="unrolled"), pytest.raises(pytest.fail.Exception) as stopped:
        estimator_class(task)(hidden_size=2).fit(EVERY_TASK[task])
    (said,) = re.findall(r"at most (\d+) epochs", caplog.text)
    assert str(stopped.value) == f"{said} would run"
