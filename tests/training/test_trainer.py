import json
import os
import signal

import pytest
import torch

from tests.training.tiny import TinyLoader, make_model
from unrolled.errors import ConfigError, DivergedError, ModelFolderError, StorageError
from unrolled.saving.folder import read_folder, write_folder
from unrolled.training import CrossEntropy, TrainingConfig
from unrolled.training.trainer import Trainer


def make_trainer(folder=None, resume=False, model=None, **options):
    options = {"epochs": 4, "learning_rate": 0.01, "device": "cpu", **options}
    model = make_model(dropout=0.3, dtype=torch.float32) if model is None else model
    return Trainer(model, CrossEntropy(), TrainingConfig(**options), run_folder=folder, resume=resume)


def weights(trainer):
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def assert_same_weights(actual, expected):
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(actual[name], tensor), name


def interrupt_at(number):
    def act(index):
        if index == number:
            os.kill(os.getpid(), signal.SIGINT)

    return act


def test_training_lowers_the_loss_and_notes_it():
    history = make_trainer(epochs=15, learning_rate=0.05).fit(TinyLoader(batches=3))
    assert history.epochs[-1].loss < history.epochs[0].loss
    assert [record.epoch for record in history.epochs] == list(range(1, 16))
    assert [record.updates for record in history.epochs] == [3] * 15
    assert history.epochs[0].steps == 2 * 48 + 11 + 12 + 12 + 6
    assert len(history.updates) == 45
    assert history.stopped == "epochs"
    assert history.best_epoch is None


def test_the_same_seed_gives_the_same_weights_and_another_one_others():
    runs = []
    for seed in (1, 1, 2):
        trainer = make_trainer(seed=seed)
        trainer.fit(TinyLoader())
        runs.append(weights(trainer))
    assert_same_weights(runs[0], runs[1])
    assert not torch.equal(runs[0]["output.weight"], runs[2]["output.weight"])


def test_training_leaves_the_settings_of_torch_as_they_were():
    make_trainer(epochs=1).fit(TinyLoader())
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_training_stops_when_the_score_stands_still_and_the_best_weights_return():
    trainer, scores, seen = make_trainer(epochs=50, patience=3), iter([1, 5, 9, 9, 8, 7, 9, 9]), []

    def score():
        seen.append(weights(trainer))
        assert not trainer.model.training
        return {"accuracy": next(scores), "other": 0}

    history = trainer.fit(TinyLoader(), score, "accuracy", "max")
    assert len(history.epochs) == 6
    # Epochs 3 and 4 are equally good: the later one is kept.
    assert (history.best_epoch, history.stopped) == (4, "patience")
    assert_same_weights(weights(trainer), seen[3])


def test_patience_counts_only_what_adds_up_to_the_least_improvement():
    scores = iter([1.0, 0.7, 0.6, 0.5, 0.4, 0.38, 0.37, 0.36, 0.35])
    trainer = make_trainer(epochs=9, patience=3, min_improvement=0.15)
    history = trainer.fit(TinyLoader(), lambda: {"error": next(scores)}, "error", "min")
    assert history.stopped == "patience"
    # 0.7 and then 0.5 count; three epochs after that reach no 0.35. The weights are those of the best.
    assert len(history.epochs) == 7
    assert history.best_epoch == 7


def test_a_score_that_is_nan_is_never_the_best():
    scores = iter([2.0, float("nan"), 3.0, float("nan")])
    history = make_trainer().fit(TinyLoader(), lambda: {"error": next(scores)}, "error", "min")
    assert history.best_epoch == 1


def test_a_monitor_that_is_no_score_is_named():
    with pytest.raises(ConfigError, match=r"monitor: expected one of \['accuracy'\], got 'f1'"):
        make_trainer().fit(TinyLoader(), lambda: {"accuracy": 1.0}, "f1")


def test_averaged_sgd_scores_and_keeps_the_mean_of_its_weights():
    trainer, scored, stepped = make_trainer(optimizer="asgd", average_patience=0, epochs=1), [], []
    step = trainer.optimizer.step
    trainer.optimizer.step = lambda: (
        step(),
        stepped.append(trainer.model.output.weight.detach().double().clone()),
    )

    def score():
        scored.append(weights(trainer))
        return {"loss": 1.0}

    trainer.fit(TinyLoader(), score)
    torch.testing.assert_close(scored[0]["output.weight"].double(), torch.stack(stepped).mean(0))
    assert_same_weights(weights(trainer), scored[0])


def test_averaging_begins_when_the_score_stands_still():
    trainer = make_trainer(optimizer="asgd", average_patience=2, epochs=6, patience=3)
    history = trainer.fit(TinyLoader(), lambda: {"loss": 1.0})
    assert trainer.average.count == 3 * 5
    assert len(history.epochs) == 6


RUNS = [
    ({"optimizer": "adamw", "clip": "auto", "clip_threshold": 1, "window": 4, "reach": 7}, True),
    ({"optimizer": "sgd", "schedule": "cosine", "warmup": 0.2, "clip": "norm"}, False),
    ({"optimizer": "asgd", "average_patience": 1, "schedule": "plateau", "plateau_patience": 0}, False),
    ({"optimizer": "rmsprop", "clip": "value", "clip_threshold": 0.01, "checkpoint_every": 5}, False),
]


def final_weights(trainer, loader):
    """Train with a score that gets worse after the second epoch, so that the best weights matter."""
    scores = [3.0, 1.0, 2.0, 2.5]
    history = trainer.fit(loader, lambda: {"loss": scores[trainer.position.epoch]})
    return weights(trainer), history


@pytest.mark.parametrize(("options", "stream"), RUNS)
@pytest.mark.parametrize("batch", [0, 3, 4, 7, 14, 19])
def test_a_run_goes_on_after_ctrl_c_as_if_unbroken(tmp_path, options, stream, batch):
    unbroken = make_trainer(**options)
    expected, expected_history = final_weights(unbroken, TinyLoader(stream=stream))
    broken = make_trainer(tmp_path, **options)
    with pytest.raises(KeyboardInterrupt, match=r"interrupted in epoch \d.*checkpoint.*--resume"):
        final_weights(broken, TinyLoader(stream=stream, act=interrupt_at(batch)))
    torch.manual_seed(99)
    resumed = make_trainer(tmp_path, resume=True, **options)
    actual, history = final_weights(resumed, TinyLoader(stream=stream))
    assert_same_weights(actual, expected)
    assert history.updates == expected_history.updates
    last, expected_last = history.epochs[-1], expected_history.epochs[-1]
    assert last.model_copy(update={"seconds": 0}) == expected_last.model_copy(update={"seconds": 0})
    assert_same_weights(
        {str(i): tensor for i, tensor in enumerate(resumed.optimizer.param_groups[0]["params"])},
        {str(i): tensor for i, tensor in enumerate(unbroken.optimizer.param_groups[0]["params"])},
    )


def test_ctrl_c_without_a_run_folder_says_that_nothing_was_saved():
    with pytest.raises(KeyboardInterrupt, match="nothing was saved"):
        make_trainer().fit(TinyLoader(act=interrupt_at(2)))


def test_a_finished_run_is_not_trained_again_but_may_be_given_more_epochs(tmp_path):
    trainer = make_trainer(tmp_path, epochs=2)
    trainer.fit(TinyLoader())
    again = make_trainer(tmp_path, resume=True, epochs=2)
    history = again.fit(TinyLoader(act=lambda _: pytest.fail("trained again")))
    assert len(history.epochs) == 2
    assert_same_weights(weights(again), weights(trainer))
    more = make_trainer(tmp_path, resume=True, epochs=4)
    more.fit(TinyLoader())
    whole = make_trainer(epochs=4)
    whole.fit(TinyLoader())
    assert_same_weights(weights(more), weights(whole))


def test_resuming_before_the_first_checkpoint_begins(tmp_path):
    fresh, resumed = make_trainer(), make_trainer(tmp_path / "new", resume=True)
    fresh.fit(TinyLoader())
    resumed.fit(TinyLoader())
    assert_same_weights(weights(resumed), weights(fresh))


@pytest.mark.parametrize(
    ("options", "loader", "message"),
    [
        ({"learning_rate": 0.5}, {}, r"expected learning_rate = 0\.01 as in the checkpoint .*, got 0\.5"),
        ({}, {"batches": 7}, "expected batches per epoch = 5 .*, got 7"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, options, loader, message):
    make_trainer(tmp_path, epochs=1).fit(TinyLoader())
    with pytest.raises(ConfigError, match=message):
        make_trainer(tmp_path, resume=True, **options).fit(TinyLoader(**loader))


def test_a_corrupt_checkpoint_is_named(tmp_path):
    make_trainer(tmp_path, epochs=1).fit(TinyLoader())
    (tmp_path / "checkpoint" / "optimizer.safetensors").write_bytes(b"x")
    with pytest.raises(ModelFolderError, match=r"optimizer\.safetensors: expected [\d,]+ bytes, got 1"):
        make_trainer(tmp_path, resume=True).fit(TinyLoader())


def test_a_checkpoint_of_another_state_of_the_code_is_named(tmp_path):
    make_trainer(tmp_path, epochs=1).fit(TinyLoader())
    saved = read_folder(tmp_path / "checkpoint", kind="checkpoint")
    files, tensors = dict(saved.files), dict(saved.tensors)
    del files["run.json"]["schedule"]
    write_folder(tmp_path / "checkpoint", files, tensors, kind="checkpoint")
    with pytest.raises(ModelFolderError, match=r"run\.json: expected an entry at 'schedule', found none"):
        make_trainer(tmp_path, resume=True).fit(TinyLoader())


def test_checkpoints_hold_no_pickle(tmp_path):
    make_trainer(tmp_path, epochs=1).fit(TinyLoader())
    for file in (tmp_path / "checkpoint").iterdir():
        if file.suffix == ".json":
            json.loads(file.read_text())
        else:
            assert file.suffix == ".safetensors"


class Poisoned(TinyLoader):
    """Its batch number `at` holds an infinite value."""

    def __init__(self, at, **options):
        super().__init__(**options)
        self.at = at

    def batches(self, epoch, start=0):
        for index, batch in enumerate(super().batches(epoch, start), start):
            if epoch * len(self) + index == self.at:
                batch.inputs["values"][0, 3] = float("nan")
            yield batch


@pytest.mark.parametrize(
    ("at", "options", "message"),
    [
        (0, {}, r"epoch 1, update 1: the loss became nan.*look for NaN or huge values in the training data"),
        (7, {"clip": "none"}, r"epoch 2, update 8: the loss became nan.*clip the gradient"),
        (
            7,
            {},
            r"epoch 2, update 8.*lower learning_rate, or clip_threshold \(now 1\) \(learning_rate is 0\.01\)",
        ),
    ],
)
def test_nan_stops_training_and_names_the_step_and_a_remedy(at, options, message):
    with pytest.raises(DivergedError, match=message):
        make_trainer(**options).fit(Poisoned(at))


def test_nan_keeps_the_last_good_checkpoint(tmp_path):
    whole = make_trainer(epochs=1)
    whole.fit(TinyLoader())
    with pytest.raises(DivergedError, match="the last good checkpoint is kept in"):
        make_trainer(tmp_path).fit(Poisoned(7))
    kept = read_folder(tmp_path / "checkpoint", kind="checkpoint")
    assert_same_weights(dict(kept.tensors["model.safetensors"]), weights(whole))
    assert kept.files["run.json"]["position"]["epoch"] == 1


def test_weights_thrown_too_far_are_not_saved_over_a_good_checkpoint(tmp_path):
    with pytest.raises(DivergedError, match=r"norm of the weights became inf"):
        make_trainer(tmp_path, optimizer="sgd", learning_rate=1e38, clip="none", epochs=1).fit(
            TinyLoader(batches=1)
        )
    assert not (tmp_path / "checkpoint").exists()


def test_a_full_disk_stops_training_and_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    def act(number):
        if number == 7:
            monkeypatch.setattr(os, "fsync", full)

    def full(_):
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left on device; what was there before is untouched"):
        make_trainer(tmp_path).fit(TinyLoader(act=act))
    monkeypatch.undo()
    resumed, whole = make_trainer(tmp_path, resume=True), make_trainer()
    resumed.fit(TinyLoader())
    whole.fit(TinyLoader())
    assert_same_weights(weights(resumed), weights(whole))


def test_the_bar_shows_the_numbers_on_standard_error(capsys):
    trainer = make_trainer(epochs=1)
    trainer.progress = True
    trainer.fit(TinyLoader(), lambda: {"accuracy": 0.5}, "accuracy", "max")
    shown = capsys.readouterr()
    assert shown.out == ""
    for part in ("epoch 1/1", "loss ", "grad ", "clip ", "steps/s", "accuracy 0.5"):
        assert part in shown.err


def test_mixed_precision_is_configuration():
    history = make_trainer(precision="bfloat16", epochs=1).fit(TinyLoader())
    assert history.epochs[0].loss < 2
    exact = make_trainer(epochs=1).fit(TinyLoader())
    assert history.epochs[0].loss != exact.epochs[0].loss


def test_a_precision_that_the_machine_lacks_is_refused():
    with pytest.raises(ConfigError, match="expected float32 or bfloat16 on a CPU, got 'float16'"):
        make_trainer(precision="float16")
