"""Two processes train every task to the weights of one."""

import safetensors.torch

from tests import forked
from unrolled.tasks.registry import task_names

SCRIPT = "tests.tasks.run_every_task"
APART = 1e-5
"""How far a weight of one may be from that of two after a hundred updates: sums in another order, no more."""


def trained(folder, start):
    folder.mkdir()
    for done in start(folder / "said", SCRIPT, [folder]):
        assert done.wait() == 0, done.err
    return {task: safetensors.torch.load_file(folder / f"{task}.safetensors") for task in task_names()}


def test_two_processes_train_every_task_to_the_weights_of_one(tmp_path):
    one = trained(tmp_path / "one", lambda says, script, given: [forked.start(says, script, *given)])
    two = trained(tmp_path / "two", forked.start_two)
    for task, weights in one.items():
        for name, weight in weights.items():
            apart = (weight - two[task][name]).abs()
            assert not apart.numel() or apart.max() < APART, f"{task}: {name} differs by {apart.max():.2g}"
