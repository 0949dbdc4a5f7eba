"""Callbacks: when they are called, what they know, and how they end training."""

import pytest

from unrolled.errors import ConfigError, MissingDependencyError
from unrolled.tasks.classify import Classifier
from unrolled.training import loggers
from unrolled.training.callback import Callback

DATA = [(f"{word} {other}", word) for word in ("red", "blue") for other in "abcdefgh"]
TINY = {"hidden_size": 3, "embedding_size": 3, "epochs": 2, "batch_size": 8}


class Recorder(Callback):
    def __init__(self):
        self.moments = []
        self.seen = []


def _recording(name):
    def moment(self, trainer, model, *given):
        self.moments.append(name)
        self.seen.append((trainer.current_epoch, trainer.global_step))

    return moment


for _name in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(Recorder, _name, _recording(_name))


def test_the_moments_come_in_their_order():
    recorder = Recorder()
    Classifier(**TINY).fit(DATA, dev=DATA, callbacks=[recorder])
    batch = ["on_train_batch_start", "on_train_batch_end"]
    ends = ["on_validation_start", "on_validation_end", "on_train_epoch_end", "on_epoch_end"]
    epoch = ["on_train_epoch_start", *batch * 2, *ends]
    assert recorder.moments == ["on_fit_start", *epoch * 2, "on_fit_end"]
    ended = [
        seen for moment, seen in zip(recorder.moments, recorder.seen, strict=True) if "epoch_end" in moment
    ]
    assert ended == [(0, 2), (0, 2), (1, 4), (1, 4)]


def test_an_error_is_told_and_leaves_no_callback_behind():
    recorder = Recorder()

    class Failing(Callback):
        def on_train_batch_end(self, trainer, model, outputs, batch, batch_idx):
            raise RuntimeError("enough")

    classifier = Classifier(**TINY)
    with pytest.raises(RuntimeError, match="enough"):
        classifier.fit(DATA, dev=DATA, callbacks=[Failing(), recorder])
    assert recorder.moments[-1] == "on_exception"
    assert classifier._callbacks == ()


def test_training_ends_where_a_callback_asks_for_it(tmp_path):
    class Enough(Callback):
        def on_train_batch_end(self, trainer, model, outputs, batch, batch_idx):
            trainer.should_stop = True

    made = Classifier(**TINY).fit(DATA, dev=DATA, callbacks=[Enough()], run_folder=tmp_path / "run")
    assert [(epoch.epoch, epoch.updates) for epoch in made.history.epochs] == [(1, 1)]
    assert made.history.stopped == "callback"
    assert "a callback ended training" in made.history.kept()
    again = Classifier(**TINY).fit(DATA, dev=DATA, run_folder=tmp_path / "run", resume=True)
    assert len(again.history.epochs) == 2
    assert again.history.stopped == "epochs"


def test_a_moment_that_is_misspelt_is_refused():
    with pytest.raises(
        ConfigError, match=r"Odd\.on_train_epochs_end is never called; did you mean on_train_epoch_end"
    ):
        type("Odd", (Callback,), {"on_train_epochs_end": lambda *_: None})


def test_a_logger_tells_options_updates_and_epochs(monkeypatch):
    class Kept(loggers.Logger):
        service, package = "a list", "json"

        def begin(self, options):
            self.told = [options]

        def tell(self, values, step):
            self.told.append((step, values))

        def end(self, *, failed):
            self.told.append(failed)

    kept = Kept("run")
    Classifier(**TINY).fit(DATA, dev=DATA, callbacks=[kept])
    options, *numbers, failed = kept.told
    assert options["hidden_size"] == 3
    assert not failed
    epochs = [(step, values) for step, values in numbers if "epoch" in values]
    assert [step for step, _ in epochs] == [2, 4]
    assert {"loss", "learning_rate", "accuracy"} <= epochs[0][1].keys()
    assert [step for step, values in numbers if "update/loss" in values] == [1, 2, 3, 4]


def test_a_service_that_is_not_installed_is_told_before_training():
    class Absent(loggers.TensorBoardLogger):
        package = "no_such_package_at_all"

    with pytest.raises(MissingDependencyError, match="TensorBoard needs packages"):
        Absent("run")
