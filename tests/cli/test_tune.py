"""``unrolled tune``, ``unrolled train --folds`` and ``--log``; the version; commands that are misspelt."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import TINY

SMALL = ["--hidden-size", "3", "--epochs", "1"]


def test_folds_score_the_model_that_is_saved(files, unrolled):
    done = unrolled("train", "classify", files["classify"], "--folds", "3", "-o", "model", "--json", *SMALL)
    assert done.code == 0, done.err
    folds = done.json["folds"]
    assert len(folds["folds"]) == 3
    assert done.json["scores"]["accuracy"] == folds["scores"]["accuracy"]
    assert done.json["data"] == "3 folds"
    assert "majority class" in done.json["baselines"]
    shown = unrolled("train", "forecast", files["forecast"], "--folds", "2", *SMALL)
    assert "mean and deviation over 2 folds" in shown.out
    assert "±" in shown.out


@pytest.mark.parametrize("folds", ["1", "500"])
def test_more_folds_than_examples_are_refused(files, unrolled, folds):
    done = unrolled("train", "classify", files["classify"], "--folds", folds)
    assert done.code == 2
    assert "folds: expected" in done.err


def test_a_search_trains_with_the_best_of_its_tries(files, unrolled):
    pytest.importorskip("optuna")
    words = ["--trials", "3", "--folds", "2", "--search", "hidden-size=2,3", "--search", "dropout=0..0.3"]
    done = unrolled("tune", "classify", files["classify"], *words, "-o", "model", "--json", "--epochs", "1")
    assert done.code == 0, done.err
    tuning = done.json["tuning"]
    assert len(tuning["tries"]) == 3
    assert tuning["tries"][0]["options"] == {}
    assert tuning["score"] == max(one["score"] for one in tuning["tries"] if one["ended"] == "done")
    saved = json.loads(Path("model/config.json").read_text())["options"]
    assert all(str(saved[name]) == str(value) for name, value in tuning["best"].items())
    assert "Tries, the best first" in done.err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hidden-size", "expected OPTION=VALUE"),
        ("hiden-size=2,3", "did you mean 'hidden_size'"),
        ("dropout=0..2", "'dropout'"),
        ("dropout=0.5..0.1", "lower end first"),
        ("dropout=a..b", "two numbers around"),
    ],
)
def test_a_space_that_does_not_fit(files, unrolled, word, said):
    done = unrolled("tune", "classify", files["classify"], "--search", word)
    assert done.code == 2
    assert said in done.err


def test_training_is_told_to_tensorboard(files, unrolled, tmp_path):
    pytest.importorskip("tensorboard")
    done = unrolled("train", "classify", files["classify"], "--log", "tensorboard", "-o", "model", *TINY)
    assert done.code == 0, done.err
    assert list((tmp_path / "runs" / "model").iterdir())


def test_a_service_that_is_not_known(files, unrolled):
    done = unrolled("train", "classify", files["classify"], "--log", "paper")
    assert done.code == 2
    assert "log: expected one of tensorboard, mlflow, wandb, got 'paper'" in done.err


def test_the_version_and_what_was_meant(unrolled):
    import unrolled as package

    assert unrolled("--version").out == f"unrolled {package.__version__}\n"
    assert "Did you mean 'train'" in unrolled("trian", "classify").err
    assert "Did you mean 'classify'" in unrolled("train", "clasify", "x").err
    assert "The tasks are classify" in unrolled("tune", "paint", "x").err


def test_what_was_kept_is_said(files, unrolled):
    done = unrolled("train", "classify", files["classify"], *TINY)
    assert re.search(
        r"The weights of epoch \d of 2 are kept, the best by accuracy of the network alone \(.*\);", done.err
    )
