import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests.tolerances import tolerance

ROOT = Path(__file__).parents[2]
SCRIPT = "tests/training/run_tiny.py"


def run(*arguments, expect=0):
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == expect, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    run(SCRIPT, folder)
    return safetensors.torch.load_file(folder / "weights-0.safetensors")


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path, unbroken):
    moments = random.Random(os.urandom(8))
    for attempt in range(3):
        seconds = moments.uniform(0, 0.4)
        run(SCRIPT, tmp_path, "--die", seconds, *(["--resume"] if attempt else []), expect=-9)
    run(SCRIPT, tmp_path, "--resume")
    resumed = safetensors.torch.load_file(tmp_path / "weights-0.safetensors")
    for name, tensor in unbroken.items():
        assert torch.equal(resumed[name], tensor), name


TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    run(SCRIPT, folder, "--dropout", 0)
    return safetensors.torch.load_file(folder / "weights-0.safetensors")


def test_two_processes_give_the_weights_of_one(tmp_path, alone):
    run(*TORCHRUN, SCRIPT, tmp_path, "--dropout", 0)
    ranks = [safetensors.torch.load_file(tmp_path / f"weights-{rank}.safetensors") for rank in (0, 1)]
    for name, tensor in alone.items():
        assert torch.equal(ranks[0][name], ranks[1][name]), name
        torch.testing.assert_close(ranks[0][name], tensor, **tolerance(torch.float32, "gradient"), msg=name)


@pytest.mark.parametrize(("first", "then"), [(TORCHRUN, ()), ((), TORCHRUN)])
def test_another_number_of_processes_goes_on_with_what_is_carried(first, then, tmp_path, alone):
    run(*first, SCRIPT, tmp_path, "--dropout", 0, "--epochs", 3)
    run(*then, SCRIPT, tmp_path, "--dropout", 0, "--resume")
    resumed = safetensors.torch.load_file(tmp_path / "weights-0.safetensors")
    for name, tensor in alone.items():
        torch.testing.assert_close(resumed[name], tensor, **tolerance(torch.float32, "gradient"), msg=name)


def test_who_is_left_says_that_another_process_has_ended(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    known = {"PYTHONPATH": path, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    both = [
        subprocess.Popen(
            [sys.executable, SCRIPT, tmp_path, "--epochs", "100000", *(["--die", "0.5"] if rank else [])],
            cwd=ROOT,
            env={**os.environ, **known, "RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    said = both[0].communicate(timeout=600)[1]
    both[1].communicate(timeout=600)
    assert both[0].returncode == 1
    assert "TrainingError: process 0 of 2 waited for the others, but one of them has ended" in said
