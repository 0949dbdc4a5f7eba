"""Remedies that are tried: who wins, what is typed to train with it, and what does not fit."""

import math
import shlex

import pytest

from unrolled import Classifier
from unrolled.diagnosis import Evidence, Remedy, Verdict
from unrolled.inspection.pace import Pace
from unrolled.inspection.trials import command, try_remedies, with_gains

WORDS = [("not bad", "good"), ("not good", "bad"), ("good", "good"), ("bad", "bad")] * 15
SMALL = {"hidden_size": 4, "embedding_size": 4, "epochs": 2, "device": "cpu", "bidirectional": False}
HELPS = Remedy("usual learning rate", {"learning_rate": 0.05}, "Steps too small.")
HURTS = Remedy("lower learning rate", {"learning_rate": 1e-7}, "Steps too large.")
FITS_NOT = Remedy("longer window", {"window": 1}, "A window.")


@pytest.fixture(scope="module")
def fitted():
    return Classifier(**SMALL, learning_rate=1e-6).fit(WORDS, dev=WORDS[:20])


def tried(fitted, *remedies, **options):
    settings = dict(fitted.effective)
    evidence = Evidence({"l0": [1.0] * 5}, settings | {"optimizer": "sgd"}, usual=settings)
    verdict = Verdict("undecided", "It has not learned.", {}, remedies)
    trials = try_remedies(fitted, evidence, verdict, WORDS, folder="runs/my model", **options)
    return verdict, trials


def test_the_best_remedy_wins_and_its_command_is_complete(fitted):
    verdict, trials = tried(fitted, HURTS, HELPS, FITS_NOT, budget=60)
    assert trials.winner == HELPS
    by_name = {trial.name: trial for trial in trials.tried}
    assert by_name["usual learning rate"].score > trials.unchanged.score
    assert by_name["longer window"].score is None
    assert "does not fit: window" in by_name["longer window"].note
    assert trials.tried[0].name == "usual learning rate"
    assert by_name["lower learning rate"].updates == trials.unchanged.updates > 0
    words = shlex.split(trials.command)
    assert words[:4] == ["unrolled", "train", "classify", "TRAIN"]
    assert words[words.index("--config") + 1] == "runs/my model/config.json"
    assert words[words.index("--learning-rate") + 1] == "0.05"
    assert " " not in words[words.index("-o") + 1]
    ranked = with_gains(verdict, trials)
    assert ranked.remedies[0].name == "usual learning rate"
    assert f"Tried: accuracy {by_name['usual learning rate'].score:.4g}" in ranked.remedies[0].why


def test_nothing_wins_that_does_no_better(fitted):
    _, trials = tried(fitted, Remedy("another seed", {"save_every": 200.0}, "The same."), budget=0.001)
    assert trials.unchanged.updates > 0
    assert (trials.winner, trials.command) == (None, None)
    assert trials.left


def test_the_model_stays_as_it_is(fitted):
    before = fitted.effective, {name: value.clone() for name, value in fitted.model.state_dict().items()}
    tried(fitted, HELPS, budget=1)
    assert fitted.effective == before[0]
    assert all(value.equal(before[1][name]) for name, value in fitted.model.state_dict().items())


def test_a_model_knows_what_it_was_trained_on(tmp_path):
    made = Classifier(**SMALL, pooling="last").fit("adding:10")
    made.save(tmp_path / "model")
    loaded = Classifier.load(tmp_path / "model")
    assert loaded.trained_on == ("adding:10", None)
    written = command(
        loaded, Remedy("LSTM", {"cell": "lstm", "chrono": 10.0}, "Why."), tmp_path / "model", "other.csv"
    )
    assert written.startswith("unrolled train classify adding:10 --config")
    assert "--cell lstm --chrono 10" in written
    loaded._trained_on = ("gone.csv", None)
    assert " classify other.csv " in command(loaded, HELPS, tmp_path / "model", "other.csv")


def test_a_share_of_the_batches_is_a_shorter_training():
    whole = Classifier(**SMALL, batch_size=4).fit(WORDS, dev=WORDS[:20])
    half = Classifier(**SMALL, batch_size=4).fit(WORDS, dev=WORDS[:20], share=0.5)
    assert [epoch.updates for epoch in half.history.epochs] == [
        math.ceil(epoch.updates / 2) for epoch in whole.history.epochs
    ]


def test_every_option_of_a_trial_is_the_one_that_is_named():
    """Few series of numbers suit another pooling and another rate, but not where others are tried."""
    numbers = [([[float(n % 3)], [float(n % 2)]], "odd" if n % 2 else "even") for n in range(60)]
    made = Classifier(hidden_size=4, epochs=1, pooling="last", bidirectional=False, device="cpu").fit(numbers)
    options = dict(made.effective) | {"pooling": "attention", "epochs": 1}
    assert Classifier.Config().pooling == "attention" != Classifier(**options).fit(numbers).effective.pooling
    exact = Classifier.exactly(**options)
    assert exact.fit(numbers).effective.pooling == "attention"
    assert exact.__sklearn_clone__().fit(numbers).effective.pooling == "attention"


def test_a_pace_is_that_of_the_batches_after_the_first():
    seconds = iter(range(1000))
    pace = Pace(lambda: float(next(seconds)), most=1e9)
    Classifier(**SMALL, batch_size=4).fit(WORDS, dev=WORDS[:20], callbacks=[pace])
    # The clock is asked once a batch, and twice where it begins.
    assert (pace.batch, pace.scoring, pace.batches) == (1.0, 1.0, 15)
    assert pace.share(2 * (15 + 1), 2) == 1.0
    assert pace.share(2 * (5 + 1), 2) == pytest.approx(1 / 3)
    assert pace.share(1, 2) == 0.0
