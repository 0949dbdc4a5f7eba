"""A checkpoint with anything wrong in it goes on, or is refused by an `UnrolledError`."""

import json
from random import Random

import pytest
import safetensors.torch

from tests.fuzz.hostile.models import with_tensors_changed
from tests.fuzz.hostile.mutations import json_bytes, mutated_value
from tests.training.tiny import TinyLoader, make_model
from unrolled.errors import UnrolledError
from unrolled.saving.folder import read_folder, write_folder
from unrolled.training import CrossEntropy, TrainingConfig
from unrolled.training.trainer import Trainer

KINDS = {
    "carried": {"window": 4, "reach": 6, "clip": "auto", "clip_threshold": 1.0},
    "plateau": {"schedule": "plateau", "optimizer": "rmsprop"},
    "averaged": {"optimizer": "asgd", "average_patience": 0},
    "momentum": {"optimizer": "sgd", "momentum": 0.5},
}


def fit(folder, options, epochs, resume=False):
    options = {"batch_size": 4, "learning_rate": 0.01, "device": "cpu", "save_every": 1e-6} | options
    config = TrainingConfig(epochs=epochs, **options)
    trainer = Trainer(
        make_model(dropout=0.3).float(), CrossEntropy(), config, run_folder=folder, resume=resume
    )
    trainer.fit(TinyLoader(batches=3, stream="window" in options), lambda: {"size": 1.0}, "size")


@pytest.fixture(scope="module", params=KINDS)
def stopped(request, tmp_path_factory):
    """The options of a run, and what its checkpoint holds."""
    folder = tmp_path_factory.mktemp("stopped")
    fit(folder, KINDS[request.param], epochs=2)
    saved = read_folder(folder / "checkpoint", kind="checkpoint")
    return KINDS[request.param], dict(saved.files), dict(saved.tensors)


def test_whatever_is_wrong_in_a_checkpoint_is_refused_or_does_no_harm(stopped, tmp_path):
    options, files, tensors = stopped
    random, said = Random(5), []
    for number in range(20):
        changed, others = dict(files), dict(tensors)
        if number % 2:
            changed["run.json"] = json.loads(json_bytes(mutated_value(random, files["run.json"])))
        else:
            name = random.choice(sorted(tensors))
            others[name] = safetensors.torch.load(
                with_tensors_changed(random, safetensors.torch.save(tensors[name]))
            )
        folder = tmp_path / str(number)
        write_folder(folder / "checkpoint", changed, others, kind="checkpoint")
        try:
            fit(folder, options, epochs=3, resume=True)
        except UnrolledError as error:
            said.append(str(error))
    assert said
    assert max(map(len, said)) < 2_000
