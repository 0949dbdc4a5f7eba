import os
import random
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
        timeout=120,
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


@pytest.mark.parametrize("launcher", [["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]])
def test_two_processes_give_the_weights_of_one(tmp_path, launcher):
    one, two = tmp_path / "one", tmp_path / "two"
    run(SCRIPT, one, "--dropout", 0)
    run("-m", *launcher, SCRIPT, two, "--dropout", 0)
    alone = safetensors.torch.load_file(one / "weights-0.safetensors")
    ranks = [safetensors.torch.load_file(two / f"weights-{rank}.safetensors") for rank in (0, 1)]
    for name, tensor in alone.items():
        assert torch.equal(ranks[0][name], ranks[1][name]), name
        torch.testing.assert_close(ranks[0][name], tensor, **tolerance(torch.float32, "gradient"), msg=name)
