"""Two processes train every task to the weights of one."""

import os
import subprocess
import sys
from pathlib import Path

import safetensors.torch

from unrolled.tasks.registry import task_names

ROOT = Path(__file__).parents[2]
SCRIPT = "tests.tasks.run_every_task"
TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
APART = 1e-5
"""How far a weight of one may be from that of two after a hundred updates: sums in another order, no more."""


def trained(folder, *launcher):
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", *launcher, SCRIPT, str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {task: safetensors.torch.load_file(folder / f"{task}.safetensors") for task in task_names()}


def test_two_processes_train_every_task_to_the_weights_of_one(tmp_path):
    one, two = trained(tmp_path / "one"), trained(tmp_path / "two", *TORCHRUN)
    for task, weights in one.items():
        for name, weight in weights.items():
            apart = (weight - two[task][name]).abs()
            assert not apart.numel() or apart.max() < APART, f"{task}: {name} differs by {apart.max():.2g}"
