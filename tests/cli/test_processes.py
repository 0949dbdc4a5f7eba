"""Several processes train one model: one of them speaks and writes."""

import json
import os
import random
import signal
import subprocess
import sys

import pytest
import safetensors.torch

from tests import forked
from unrolled.tasks.registry import load

# On CPUs accelerate's launcher starts one process; torchrun starts two.
ACCELERATE = [
    *("-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1", "--num_machines", "1"),
    *("--mixed_precision", "no", "--dynamo_backend", "no"),
]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def launch(launcher, folder, *arguments):
    command = [sys.executable, *launcher, "-m", "unrolled", "train", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=600)


@pytest.mark.parametrize("launcher", [ACCELERATE, TORCHRUN], ids=["accelerate", "torchrun"])
def test_a_launcher_trains_one_model_and_one_process_speaks(launcher, files, tmp_path):
    tiny = ["--hidden-size", "4", "--epochs", "2", "--json"]
    done = launch(launcher, tmp_path, "classify", files["classify"], *tiny)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stderr.count("Training on") == 1
    assert done.stderr.count("epoch 2/2 · loss") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["classify-reviews"]
    assert json.loads(done.stdout)["model"] == "classify-reviews"
    assert set(load(tmp_path / "classify-reviews").predict(["a fine film"])) <= {"good", "bad"}


def test_an_error_of_the_first_process_ends_all(files, tmp_path):
    words = ["train", "classify", files["classify"], "--resume"]
    both = forked.start_two(tmp_path / "said", "unrolled", words, cwd=tmp_path)
    assert [each.wait() for each in both] == [2, 2]
    told = [line for each in both for line in each.err.splitlines() if "here holds a checkpoint" in line]
    assert [line.split("Error:")[0] for line in told] == ["", "(process 1) "]


def test_one_process_goes_on_where_two_were_stopped(tmp_path):
    draws = random.Random(5)
    words = ("good", "bad", "film", "dull", "fine", "plot")
    texts = [" ".join(draws.choices(words, k=draws.randint(1, 9))) for _ in range(90)]
    (tmp_path / "texts.csv").write_text(
        "text,label\n" + "".join(f"{text},{text.split()[0]}\n" for text in texts)
    )
    train = ["train", "classify", "texts.csv", "--hidden-size", "4", "--dropout", "0", "--input-dropout", "0"]
    train += ["--unknown-dropout", "0", "--epochs", "9", "--patience", "9", "--device", "cpu"]
    both = forked.start_two(
        tmp_path / "said", "unrolled", [*train, "--batch-size", "8", "-o", "stopped"], cwd=tmp_path
    )
    both[0].wait_to_say("epoch 2/9")
    os.kill(both[1].process.pid, signal.SIGINT)
    assert [each.wait() for each in both] == [130, 130]
    alone = [*train, "--batch-size", "16", "-o"]
    for more in (["stopped", "--resume"], ["unbroken"]):
        done = forked.start(tmp_path / "said", "unrolled", *alone, *more, cwd=tmp_path)
        assert done.wait() == 0, done.err
    stopped, unbroken = (
        safetensors.torch.load_file(tmp_path / folder / "model.safetensors")
        for folder in ("stopped", "unbroken")
    )
    for name, weight in unbroken.items():
        assert (stopped[name] - weight).abs().max() < 1e-5, name


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "unrolled", "--help"], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"evaluate" in done.stdout
