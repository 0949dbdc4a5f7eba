import os
import random

import pytest
import safetensors.torch
import torch

from tests import forked
from tests.tolerances import tolerance

SCRIPT = "tests.training.run_tiny"


def run(folder, *arguments, expect=0):
    """Train in one process."""
    done = forked.start(folder / "said", SCRIPT, folder, *arguments)
    assert done.wait() == expect, done.err


def run_two(folder, *arguments):
    """Train in two."""
    for done in forked.start_two(folder / "said", SCRIPT, [folder, *arguments]):
        assert done.wait() == 0, done.err


def weights(folder, rank=0):
    return safetensors.torch.load_file(folder / f"weights-{rank}.safetensors")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    run(folder)
    return weights(folder)


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path, unbroken):
    moments = random.Random(os.urandom(8))
    for attempt in range(3):
        seconds = moments.uniform(0, 0.4)
        run(tmp_path, "--die", seconds, *(["--resume"] if attempt else []), expect=-9)
    run(tmp_path, "--resume")
    resumed = weights(tmp_path)
    for name, tensor in unbroken.items():
        assert torch.equal(resumed[name], tensor), name


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    run(folder, "--dropout", 0)
    return weights(folder)


def test_two_processes_give_the_weights_of_one(tmp_path, alone):
    run_two(tmp_path, "--dropout", 0)
    ranks = [weights(tmp_path, rank) for rank in (0, 1)]
    for name, tensor in alone.items():
        assert torch.equal(ranks[0][name], ranks[1][name]), name
        torch.testing.assert_close(ranks[0][name], tensor, **tolerance(torch.float32, "gradient"), msg=name)


@pytest.mark.parametrize(("first", "then"), [(run_two, run), (run, run_two)], ids=["fewer", "more"])
def test_another_number_of_processes_goes_on_with_what_is_carried(first, then, tmp_path, alone):
    first(tmp_path, "--dropout", 0, "--epochs", 3)
    then(tmp_path, "--dropout", 0, "--resume")
    resumed = weights(tmp_path)
    for name, tensor in alone.items():
        torch.testing.assert_close(resumed[name], tensor, **tolerance(torch.float32, "gradient"), msg=name)


def test_who_is_left_says_that_another_process_has_ended(tmp_path):
    endless = [tmp_path, "--epochs", "100000"]
    left, lost = forked.start_two(tmp_path / "said", SCRIPT, endless, [*endless, "--die", "0.5"])
    assert left.wait() == 1
    assert lost.wait() == -9
    assert "TrainingError: process 0 of 2 waited for the others, but one of them has ended" in left.err


@pytest.mark.parametrize("rank", [0, 1])
def test_who_has_started_waits_no_longer_than_the_others_may_take_to_start(rank, tmp_path):
    left = forked.start_one_of_two(tmp_path / "said", SCRIPT, tmp_path, "--meeting-timeout", 1, rank=rank)
    assert left.wait(60) == 1
    said = "one of them has ended or did not come within --meeting-timeout"
    assert f"TrainingError: process {rank} of 2 waited for the others, but {said}" in left.err


def test_a_launcher_that_does_not_say_where_to_meet_is_named(tmp_path):
    alone = forked.start(tmp_path / "said", SCRIPT, tmp_path, environment={"WORLD_SIZE": "2", "RANK": "0"})
    assert alone.wait(60) == 1
    assert "TrainingError: expected the environment that a launcher such as torchrun gives" in alone.err
